// The configs of brokers that can change at run time, with the checks and texts of Kafka's brokers: those that provide the defaults of topics' configs, and some of the agent's own.
import type { ConfigTable } from './config-changes.ts'
import type { ConfigCheck, ConfigDef, WrongValue } from './config-def.ts'
import { topicConfigs } from './topic-configs.ts'
import { atLeast } from './value-checks.ts'

/** A value that was set at run time. The source is in the words of DescribeConfigs: set for this broker, or for all of them. */
export interface DynamicValue {
  readonly source: 'DYNAMIC_BROKER_CONFIG' | 'DYNAMIC_DEFAULT_BROKER_CONFIG'
  /** In its normal form. */
  readonly value: string
  /** As it was set. */
  readonly given: string
}

const defs: readonly ConfigDef[] = topicConfigs

/** They have the types, defaults and effects of the topics' configs. */
const defaultsOfTopics: readonly ConfigDef[] = defs.flatMap(({ check, synonym, ...def }): readonly ConfigDef[] => {
  if (synonym === undefined) return []
  const ofBrokers = checkOf(synonym, check)
  return [{ ...def, name: synonym, doc: `The default of ${def.name}. ${def.doc}`, ...(ofBrokers && { check: ofBrokers }) }]
})

/** Settings that the agent reads each time it acts on them. The defaults here are Kafka's; the agent has those of its settings. */
const ofAgent: readonly ConfigDef[] = [
  {
    name: 'log.cleaner.backoff.ms',
    type: 'long',
    default: '15000',
    unit: 'ms',
    doc: 'How often log compaction looks for partitions that are dirty enough.',
    since: '0.1',
    effect: { kind: 'enforced', by: 'upkeep/compaction.ts' },
    check: atLeast(0),
  },
  {
    name: 'max.connections',
    type: 'int',
    default: '2147483647',
    unit: 'count',
    doc: 'The maximum number of Kafka connections. Those that are open stay open when it becomes smaller.',
    since: '0.1',
    effect: { kind: 'enforced', by: 'net/connection-quotas.ts' },
    check: (value) => atLeast(0)(value) ?? (value === '0' ? { whole: noConnections } : undefined),
  },
  {
    name: 'max.connections.per.ip',
    type: 'int',
    default: '2147483647',
    unit: 'count',
    doc: 'The maximum number of connections from one address. Those that are open stay open when it becomes smaller.',
    since: '0.1',
    effect: { kind: 'enforced', by: 'net/connection-quotas.ts' },
    check: (value) => atLeast(0)(value) ?? (value === '0' ? { whole: noConnectionsPerAddress } : undefined),
  },
  {
    name: 'producer.id.expiration.ms',
    type: 'int',
    default: '86400000',
    unit: 'ms',
    doc: 'How long the last batches of a silent idempotent producer are remembered.',
    since: '0.1',
    effect: { kind: 'enforced', by: 'metadata/commit.ts' },
    check: atLeast(1),
  },
]

export const brokerConfigs: readonly ConfigDef[] = [...defaultsOfTopics, ...ofAgent]

export const brokerConfigTable: ConfigTable = {
  defs: brokerConfigs,
  wrongValue: 'INVALID_REQUEST',
  verbatim: true,
  unknown: (names) => ({ error: 'INVALID_REQUEST', message: `Cannot update these configs dynamically: [${names.join(', ')}]` }),
  notAList: (name, operation) => `Config value ${operation.toLowerCase()} is not allowed for config key: ${name}`,
}

/** Kafka's brokers check some configs otherwise than its topics. */
function checkOf(name: string, ofTopics: ConfigCheck | undefined): ConfigCheck | undefined {
  switch (name) {
    case 'log.retention.ms':
      return retentionTime
    case 'log.roll.ms':
      return required(name, 1)
    case 'log.roll.jitter.ms':
      return required(name, 0)
    case 'log.flush.interval.ms':
      return undefined
    default:
      return ofTopics
  }
}

const noConnections =
  'Invalid value org.apache.kafka.common.config.ConfigException: Invalid max.connections 0 for configuration Invalid dynamic configuration'
const noConnectionsPerAddress =
  'requirement failed: max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.'

function required(name: string, min: number): ConfigCheck {
  return (value) =>
    Number(value) < min
      ? { whole: `requirement failed: ${name} must be greater than or equal to ${min}`, error: 'INVALID_REQUEST' }
      : undefined
}

/** Kafka accepts any negative number here and keeps records indefinitely then. */
function retentionTime(value: string): WrongValue | undefined {
  return value === '0'
    ? { whole: 'requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1', error: 'INVALID_REQUEST' }
    : undefined
}
