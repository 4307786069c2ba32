// The values of configs and their changes, as Apache Kafka 4.3 was seen to decide them.
import { errors } from '@local-kafka-service/protocol'
import { describe, expect, test } from 'vitest'
import { clientMetricsConfigTable } from './client-metrics-configs.ts'
import { type AlterConfigOp, type ConfigTable, changedConfigs, type OwnConfigs } from './config-changes.ts'
import { groupConfigTable } from './group-configs.ts'
import { topicConfigs, topicConfigTable } from './topic-configs.ts'

const change = (text: string): AlterConfigOp => {
  const [, name = '', sign = '', value = ''] = /^([a-z0-9.]+)(=|\+=|-=|!)(.*)$/.exec(text) ?? []
  const operations = { '=': 'SET', '+=': 'APPEND', '-=': 'SUBTRACT', '!': 'DELETE' } as const
  const operation = operations[sign as keyof typeof operations]
  return { name, operation, value: operation === 'DELETE' || value === 'null' ? null : value }
}

const changed = (texts: readonly string[], own: OwnConfigs = {}, table: ConfigTable = topicConfigTable) => {
  const outcome = changedConfigs(own, { kind: 'incremental', changes: texts.map(change) }, table)
  return outcome.kind === 'ok' ? outcome.value : `${outcome.code} ${outcome.message}`
}

test('the table has every topic config of Kafka 4.3 once, and no other', () => {
  expect(topicConfigs).toHaveLength(33)
  expect(new Set(topicConfigs.map(({ name }) => name)).size).toBe(33)
  expect(groupConfigTable.defs).toHaveLength(17)
})

test('every default is a value that the config accepts, in its normal form', () => {
  for (const { name, default: value } of topicConfigs) expect(changed([`${name}=${value}`])).toEqual({ [name]: value })
})

describe('a value', () => {
  test.each([
    ['segment.bytes=100', '40 Invalid value 100 for configuration segment.bytes: Value must be at least 1048576'],
    ['retention.ms=x', '40 Invalid value x for configuration retention.ms: Not a number of type LONG'],
    ['retention.ms=-2', '40 Invalid value -2 for configuration retention.ms: Value must be at least -1'],
    ['segment.ms=9223372036854775808', '40 Invalid value 9223372036854775808 for configuration segment.ms: Not a number of type LONG'],
    ['max.message.bytes=2147483648', '40 Invalid value 2147483648 for configuration max.message.bytes: Not a number of type INT'],
    ['min.insync.replicas=0', '40 Invalid value 0 for configuration min.insync.replicas: Value must be at least 1'],
    ['preallocate=yes', '40 Invalid value yes for configuration preallocate: Expected value to be either true or false'],
    [
      'compression.gzip.level=0',
      '40 Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1',
    ],
    ['compression.lz4.level=100', '40 Invalid value 100 for configuration compression.lz4.level: Value must be no more than 17'],
    ['min.cleanable.dirty.ratio=2', '40 Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1'],
    [
      'min.cleanable.dirty.ratio=99999999999',
      '40 Invalid value 9.9999999999E10 for configuration min.cleanable.dirty.ratio: Value must be no more than 1',
    ],
    ['cleanup.policy=delete,foo', '40 Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete'],
    [
      'remote.storage.enable=TRUE',
      '40 Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
    ],
    [
      'leader.replication.throttled.replicas=1,1',
      "40 Invalid value [1, 1] for configuration leader.replication.throttled.replicas: leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
    ],
  ])('%s is rejected with the text of Kafka', (text, message) => expect(changed([text])).toBe(message))

  test.each([
    ['preallocate=TRUE', 'true'],
    ['segment.ms= +0100 ', '100'],
    ['min.cleanable.dirty.ratio=1', '1.0'],
    ['leader.replication.throttled.replicas=0:1, 1:2,0:1', '0:1,1:2'],
    ['follower.replication.throttled.replicas=*', '*'],
    ['cleanup.policy=', ''],
    ['cleanup.policy=compact, delete', 'compact,delete'],
    ['max.message.bytes=2147483647', '2147483647'],
  ])('%s is kept in its normal form', (text, value) => expect(Object.values(changed([text]))).toEqual([value]))

  test('that asks for what is not built yet is rejected with the reason', () => {
    expect(changed(['remote.storage.enable=true'])).toMatch(/^40 .*[Tt]iered/)
  })
})

describe('changes', () => {
  test.each([
    [['foo=1'], '40 Unknown topic config name: foo'],
    [['segment.ms=y', 'foo=1'], '40 Unknown topic config name: foo'],
    [['foo!'], {}],
    [['retention.ms+=1'], "40 Can't APPEND to key retention.ms because its type is not LIST."],
    [['retention.ms-=1'], "40 Can't SUBTRACT to key retention.ms because its type is not LIST."],
    [['foo+=1'], "40 Can't APPEND to key foo because its type is not LIST."],
    [['retention.ms=null', 'segment.ms=null'], '42 Null value not supported for : retention.ms, segment.ms'],
    [['segment.ms=y', 'retention.ms=null'], '42 Null value not supported for : retention.ms'],
    [['segment.ms=5', 'segment.ms=6'], '42 Error due to duplicate config keys'],
    [
      ['min.compaction.lag.ms=10', 'max.compaction.lag.ms=5'],
      '40 conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)',
    ],
  ])('%s', (texts, result) => expect(changed(texts)).toEqual(result))

  test('the items of a list are added once, and removed if they are there', () => {
    expect(changed(['cleanup.policy+=delete'])).toEqual({ 'cleanup.policy': 'delete' })
    expect(changed(['cleanup.policy-=delete,x'])).toEqual({ 'cleanup.policy': '' })
    const list = 'leader.replication.throttled.replicas'
    expect(changed([`${list}+=1:1,2:2`], { [list]: '1:1' })).toEqual({ [list]: '1:1,2:2' })
    expect(changed([`${list}-=1:1`], { [list]: '1:1,2:2' })).toEqual({ [list]: '2:2' })
  })

  test('single changes keep the other configs, and a full change resets them', () => {
    const own = { 'flush.ms': '1', 'segment.ms': '2' }
    expect(changed(['segment.ms=3'], own)).toEqual({ 'flush.ms': '1', 'segment.ms': '3' })
    const full = changedConfigs(own, { kind: 'full', configs: [{ name: 'segment.ms', value: '3' }] }, topicConfigTable)
    expect(full).toEqual({ kind: 'ok', value: { 'segment.ms': '3' } })
  })
})

test('a config of a group is known, and none can be set', () => {
  expect(changed(['foo=1'], {}, groupConfigTable)).toBe('40 Unknown group config name: foo')
  expect(changed(['consumer.session.timeout.ms=x'], {}, groupConfigTable)).toMatch(/Not a number of type INT/)
  expect(changed(['consumer.session.timeout.ms=50000'], {}, groupConfigTable)).toMatch(/^40 .*not served yet/)
  expect(changed(['consumer.session.timeout.ms!'], {}, groupConfigTable)).toEqual({})
})

test('client metrics are checked as by Kafka', () => {
  const metrics = (text: string) => changed([text], {}, clientMetricsConfigTable)
  expect(metrics('interval.ms=1')).toBe('42 Invalid value 1 for interval.ms, interval must be between 100 and 3600000 (1 hour)')
  expect(metrics('match=foo')).toBe('40 Illegal client matching pattern: foo')
  expect(metrics('foo=d')).toBe('42 Unknown client metrics configuration: foo')
  expect(metrics('metrics+=d')).toBe(`${errors.INVALID_CONFIG.code} Can't APPEND to key metrics because its type is not LIST.`)
  expect(metrics('match=client_id=x.*')).toEqual({ match: 'client_id=x.*' })
})
