// The configs of groups: every name of Kafka 4.3. They concern groups of protocols that this server does not serve yet, so none can be set.
import type { ConfigTable } from './config-changes.ts'
import type { ConfigCheck, ConfigDef, ConfigEffect, ConfigType } from './config-def.ts'
import { atLeast, oneOf } from './value-checks.ts'

export const groupConfigs: readonly ConfigDef[] = [
  ...ofConsumers('assignment.interval.ms', '1000', 'The least time between two assignments.'),
  ...ofConsumers('heartbeat.interval.ms', '5000', 'How often a member sends heartbeats.'),
  ...ofConsumers('session.timeout.ms', '45000', 'After how long without heartbeats a member is removed.'),
  ...ofShares('assignment.interval.ms', 'int', '1000', 'The least time between two assignments.', atLeast(0)),
  ...ofShares('auto.offset.reset', 'string', 'latest', 'Where a new share group begins: earliest, latest or by_duration:PnDTnHnMn.nS.'),
  ...ofShares('delivery.count.limit', 'int', '5', 'How often a record is delivered at most.', atLeast(1)),
  ...ofShares('heartbeat.interval.ms', 'int', '5000', 'How often a member sends heartbeats.', atLeast(1)),
  ...ofShares(
    'isolation.level',
    'string',
    'read_uncommitted',
    'Whether records of unfinished transactions are delivered.',
    oneOf('read_committed', 'read_uncommitted'),
  ),
  ...ofShares('partition.max.record.locks', 'int', '2000', 'How many records of a partition may be locked.', atLeast(1)),
  ...ofShares('record.lock.duration.ms', 'int', '30000', 'How long a record is locked for its consumer.', atLeast(1_000)),
  ...ofShares('renew.acknowledge.enable', 'boolean', 'true', 'Whether a consumer may renew its locks.'),
  ...ofShares('session.timeout.ms', 'int', '45000', 'After how long without heartbeats a member is removed.', atLeast(1)),
  ...ofStreams('assignment.interval.ms', '1000', 'The least time between two assignments.'),
  ...ofStreams('heartbeat.interval.ms', '5000', 'How often a member sends heartbeats.'),
  ...ofStreams('initial.rebalance.delay.ms', '3000', 'How long the first rebalance of a new group waits for more members.'),
  ...ofStreams('num.standby.replicas', '0', 'The number of standby replicas of each task.'),
  ...ofStreams('session.timeout.ms', '45000', 'After how long without heartbeats a member is removed.'),
]

export const groupConfigTable: ConfigTable = {
  defs: groupConfigs,
  unknown: ([name]) => ({ error: 'INVALID_CONFIG', message: `Unknown group config name: ${name}` }),
}

function ofConsumers(name: string, fallback: string, doc: string): readonly ConfigDef[] {
  return [config(`consumer.${name}`, { type: 'int', fallback, doc, synonym: `group.consumer.${name}`, check: atLeast(0) })]
}

function ofStreams(name: string, fallback: string, doc: string): readonly ConfigDef[] {
  return [config(`streams.${name}`, { type: 'int', fallback, doc, synonym: `group.streams.${name}`, check: atLeast(0) })]
}

function ofShares(name: string, type: ConfigType, fallback: string, doc: string, check?: ConfigCheck): readonly ConfigDef[] {
  // Kafka's broker has three of them under the same name.
  const own = ['auto.offset.reset', 'isolation.level', 'renew.acknowledge.enable'].includes(name)
  return [config(`share.${name}`, { type, fallback, doc, synonym: `${own ? '' : 'group.'}share.${name}`, ...(check && { check }) })]
}

function config(
  name: string,
  of: {
    readonly type: ConfigType
    readonly fallback: string
    readonly doc: string
    readonly synonym: string
    readonly check?: ConfigCheck
  },
): ConfigDef {
  const { type, fallback, doc, synonym, check } = of
  const why = 'groups of the consumer, share and streams protocols are not served yet'
  const effect: ConfigEffect = { kind: 'not supported', why, accepts: [] }
  return { name, type, default: fallback, synonym, doc, since: '0.1', effect, ...(check && { check }) }
}
