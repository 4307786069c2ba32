// The configs of brokers that can change at run time: those that provide the defaults of topics' configs, with the checks and texts of Kafka's brokers.
import type { ConfigTable } from './config-changes.ts'
import type { ConfigDef, WrongValue } from './config-def.ts'
import { topicConfigs } from './topic-configs.ts'

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
export const brokerConfigs: readonly ConfigDef[] = defs.flatMap(({ check, synonym, ...def }): readonly ConfigDef[] => {
  if (synonym === undefined) return []
  const ownCheck = synonym === 'log.retention.ms' ? retentionTime : check
  return [{ ...def, name: synonym, doc: `The default of ${def.name}. ${def.doc}`, ...(ownCheck && { check: ownCheck }) }]
})

export const brokerConfigTable: ConfigTable = {
  defs: brokerConfigs,
  wrongValue: 'INVALID_REQUEST',
  verbatim: true,
  unknown: (names) => ({ error: 'INVALID_REQUEST', message: `Cannot update these configs dynamically: [${names.join(', ')}]` }),
  notAList: (name, operation) => `Config value ${operation.toLowerCase()} is not allowed for config key: ${name}`,
}

/** Kafka accepts any negative number here and keeps records indefinitely then. */
function retentionTime(value: string): WrongValue | undefined {
  return value === '0'
    ? { whole: 'requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1', error: 'INVALID_REQUEST' }
    : undefined
}
