// The definition of one config of a topic, a group or client metrics: its name, type, default and documentation, and what this server does with its value.
import type { KafkaErrorName } from '@local-kafka-service/protocol'

export type ConfigType = 'string' | 'int' | 'long' | 'boolean' | 'double' | 'list'

export interface ConfigDef {
  /** Kafka's name. */
  readonly name: string
  readonly type: ConfigType
  readonly default: string
  /** Kafka's name of the broker's config that provides the default. */
  readonly synonym?: string
  /** That config has no value until it is set: in Kafka another one has the default, which DescribeConfigs shows after the values that were set. */
  readonly synonymFallback?: { readonly name: string; readonly value: string }
  readonly unit?: 'ms' | 'bytes' | 'count'
  readonly doc: string
  readonly since: string
  readonly effect: ConfigEffect
  /** Kafka's own check, of a value in its normal form. */
  readonly check?: ConfigCheck
}

/** Every config has one of these. A value that Kafka would accept is stored only if what it promises holds. */
export type ConfigEffect =
  /** The server acts on the value, in this file. */
  | { readonly kind: 'enforced'; readonly by: string }
  /** What the value promises holds for every value, for this reason. */
  | { readonly kind: 'by construction'; readonly why: string }
  /** Values other than these are rejected with the reason. */
  | { readonly kind: 'not supported'; readonly why: string; readonly accepts: readonly string[] }

/** What is wrong with a value. `shown`: the value as Kafka's text has it, if that is not the value itself. `whole`: Kafka has a text of its own. */
export type WrongValue =
  | { readonly why: string; readonly shown?: string }
  | { readonly whole: string; readonly error?: Extract<KafkaErrorName, 'INVALID_REQUEST'> }

/** Undefined: the value is valid. */
export type ConfigCheck = (value: string) => WrongValue | undefined
