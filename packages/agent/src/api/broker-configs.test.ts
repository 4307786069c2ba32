// Configs of brokers that change at run time: what requests answer, that topics follow, and that a restart keeps the values.
import {
  AlterConfigs,
  DescribeConfigs,
  DescribeProducers,
  IncrementalAlterConfigs,
  ListConfigResources,
  Produce,
} from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { ConnectionQuotas } from '../net/connection-quotas.ts'
import { MovableTime } from '../time/movable-time.ts'
import { systemClock } from '../time/system-clock.ts'
import { retentionDefaults } from '../write/topic-config.ts'
import { type AgentForTests, aBatch, anAgent } from './testing/an-agent.ts'

const [set, remove, append, subtract] = [0, 1, 2, 3]
type Change = readonly [name: string, value: string | null, operation?: number]

async function alter(kafka: AgentForTests, resourceName: string, changes: readonly Change[], validateOnly = false) {
  const configs = changes.map(([name, value, configOperation = set]) => ({ name, value, configOperation: configOperation ?? 0 }))
  const resources = [{ resourceType: 4, resourceName, configs }]
  const { responses } = await kafka.call(IncrementalAlterConfigs, 1, { resources, validateOnly })
  return responses.map(({ errorCode, errorMessage }) => (errorCode === 0 ? 'ok' : `${errorCode} ${errorMessage}`))[0]
}

/** The value, whether it is read-only, and the synonyms with their sources. */
async function shown(kafka: AgentForTests, [resourceType, resourceName]: readonly [number, string], name: string) {
  const resources = [{ resourceType, resourceName, configurationKeys: [name] }]
  const { results } = await kafka.call(DescribeConfigs, 4, { resources, includeSynonyms: true })
  return results[0]?.configs.map(({ value, configSource, readOnly, synonyms }) => ({
    value,
    configSource,
    readOnly,
    synonyms: synonyms.map((synonym) => `${synonym.source} ${synonym.name}=${synonym.value}`),
  }))[0]
}

const broker = [4, '1'] as const
const brokers = [4, ''] as const
const topic = [2, 't'] as const

test('a topic follows the value for this broker, then the one for all brokers, then the one of the start', async () => {
  await using kafka = await anAgent({ settings: { 'message.max.bytes': { value: '9000', source: 'flag' } } })
  await kafka.topic('t')
  expect(await shown(kafka, brokers, 'message.max.bytes')).toBeUndefined()
  expect(await alter(kafka, '', [['message.max.bytes', '5000']])).toBe('ok')
  expect(await alter(kafka, '1', [['message.max.bytes', ' 6000 ']])).toBe('ok')
  const synonyms = ['2 message.max.bytes= 6000 ', '3 message.max.bytes=5000', '4 message.max.bytes=9000', '5 message.max.bytes=1048588']
  expect(await shown(kafka, broker, 'message.max.bytes')).toEqual({ value: '6000', configSource: 2, readOnly: false, synonyms })
  expect(await shown(kafka, topic, 'max.message.bytes')).toEqual({ value: '6000', configSource: 2, readOnly: false, synonyms })
  const forAll = { value: '5000', configSource: 3, readOnly: false, synonyms: ['3 message.max.bytes=5000'] }
  expect(await shown(kafka, brokers, 'message.max.bytes')).toEqual(forAll)
  expect(await alter(kafka, '1', [['message.max.bytes', null, remove]])).toBe('ok')
  expect(await shown(kafka, topic, 'max.message.bytes')).toMatchObject({ value: '5000', configSource: 3 })
  expect(await alter(kafka, '', [['message.max.bytes', null, remove]])).toBe('ok')
  expect(await shown(kafka, topic, 'max.message.bytes')).toMatchObject({ value: '9000', configSource: 4 })
})

test('a changed value counts from the next request on, for topics without their own', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  await kafka.topic('own', 1, { 'max.message.bytes': '100000' })
  const produce = async (name: string) => {
    const topicData = [{ name, partitionData: [{ index: 0, records: aBatch(['a value of some length']) }] }]
    const { responses } = await kafka.call(Produce, 9, { acks: -1, timeoutMs: 1_000, topicData })
    return responses[0]?.partitionResponses[0]?.errorCode
  }
  expect([await produce('t'), await produce('own')]).toEqual([0, 0])
  await alter(kafka, '', [['message.max.bytes', '20']])
  expect([await produce('t'), await produce('own')]).toEqual([10, 0])
  await alter(kafka, '', [
    ['message.max.bytes', null, remove],
    ['log.cleanup.policy', 'compact'],
  ])
  expect(await produce('t')).toBe(87)
})

test('retention follows the values, too', async () => {
  await using kafka = await anAgent()
  await alter(kafka, '', [
    ['log.retention.ms', '700000'],
    ['log.retention.bytes', '5'],
    ['log.cleanup.policy', 'delete,compact'],
  ])
  expect(retentionDefaults(kafka.services.settings)).toEqual({
    'cleanup.policy': 'delete,compact',
    'retention.ms': '700000',
    'retention.bytes': '5',
  })
})

test('a config whose default another config has is unset until it is set, and then names that other one as its last synonym', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const unset = { configSource: 5, readOnly: false, synonyms: [] }
  expect(await shown(kafka, broker, 'log.roll.ms')).toEqual({ ...unset, value: null })
  expect(await shown(kafka, topic, 'segment.ms')).toEqual({ ...unset, value: '604800000' })
  expect(await alter(kafka, '', [['log.roll.ms', '5000']])).toBe('ok')
  const followed = { value: '5000', configSource: 3, readOnly: false, synonyms: ['3 log.roll.ms=5000', '5 log.roll.hours=168'] }
  expect(await shown(kafka, broker, 'log.roll.ms')).toEqual(followed)
  expect(await shown(kafka, topic, 'segment.ms')).toEqual(followed)
  expect(await alter(kafka, '', [['log.roll.ms', '0']])).toBe('42 requirement failed: log.roll.ms must be greater than or equal to 1')
})

test('settings of the agent change, too, where it reads them each time', async () => {
  await using kafka = await anAgent({ settings: { 'max.connections': { value: '7', source: 'flag' } } })
  const quotas = new ConnectionQuotas(kafka.services.settings, systemClock)
  const address = '10.0.0.1'
  expect(quotas.admit(address)).toEqual({ kind: 'admitted' })
  quotas.opened({ silent: false, idleSinceMs: undefined, giveWay() {} }, address)
  expect(await alter(kafka, '', [['max.connections.per.ip', '1']])).toBe('ok')
  expect(quotas.admit(address)).toEqual({ kind: 'rejected', setting: 'max.connections.per.ip', limit: 1 })
  expect(await alter(kafka, '', [['max.connections.per.ip', '2']])).toBe('ok')
  expect(await alter(kafka, '1', [['max.connections', '1']])).toBe('ok')
  expect(quotas.admit(address)).toEqual({ kind: 'rejected', setting: 'max.connections', limit: 1 })
  const synonyms = ['2 max.connections=1', '4 max.connections=7', '5 max.connections=10000']
  expect(await shown(kafka, broker, 'max.connections')).toEqual({ value: '1', configSource: 2, readOnly: false, synonyms })
  expect(await alter(kafka, '1', [['max.connections', null, remove]])).toBe('ok')
  expect(quotas.admit(address)).toEqual({ kind: 'admitted' })
})

test('a silent producer is forgotten after the new time', async () => {
  const time = new MovableTime(systemClock)
  await using kafka = await anAgent({ clock: time.clock })
  const topicId = await kafka.topic('t')
  const topicData = [
    { name: 't', partitionData: [{ index: 0, records: aBatch(['v'], { producer: { id: 9, epoch: 0, baseSequence: 5 } }) }] },
  ]
  const { responses } = await kafka.call(Produce, 9, { acks: -1, timeoutMs: 1_000, topicData })
  expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
  const known = async () => {
    const { topics } = await kafka.call(DescribeProducers, 0, { topics: [{ name: 't', partitionIndexes: [0] }] })
    return topics[0]?.partitions[0]?.activeProducers.length
  }
  await time.advance(60_000, { sessions: 'keep' })
  expect(await known()).toBe(1)
  expect(await alter(kafka, '', [['producer.id.expiration.ms', '50000']])).toBe('ok')
  expect(await known()).toBe(0)
  await time.advance(600_000, { sessions: 'keep' })
  expect(await kafka.metadata.log.producers([{ topicId, partition: 0 }], { expirationMs: 1e12 })).toEqual([[]])
})

test('the values are in the database: an agent that starts reads them, and shows them as they were given', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const changes = { kind: 'incremental', changes: [{ name: 'log.cleaner.min.cleanable.ratio', operation: 'SET', value: '1' }] } as const
  await kafka.metadata.resources.change({ kind: 'broker', name: '', changes, dryRun: false })
  expect(await shown(kafka, topic, 'min.cleanable.dirty.ratio')).toMatchObject({ value: '0.5', configSource: 5 })
  await kafka.services.brokerConfigs.read()
  const synonyms = ['3 log.cleaner.min.cleanable.ratio=1', '5 log.cleaner.min.cleanable.ratio=0.5']
  expect(await shown(kafka, topic, 'min.cleanable.dirty.ratio')).toEqual({ value: '1.0', configSource: 3, readOnly: false, synonyms })
  expect(await shown(kafka, brokers, 'log.cleaner.min.cleanable.ratio')).toMatchObject({ value: '1' })
})

test('a list grows and shrinks, beginning with the default', async () => {
  await using kafka = await anAgent()
  const policy = async () => (await shown(kafka, broker, 'log.cleanup.policy'))?.value
  await alter(kafka, '', [['log.cleanup.policy', 'compact', append]])
  expect(await policy()).toBe('delete,compact')
  await alter(kafka, '1', [['log.cleanup.policy', 'delete', subtract]])
  expect(await policy()).toBe('')
})

test('AlterConfigs resets what it does not name, and a request that is only validated changes nothing', async () => {
  await using kafka = await anAgent()
  await alter(kafka, '', [
    ['log.segment.bytes', '2000000'],
    ['message.max.bytes', '5000'],
  ])
  expect(await alter(kafka, '', [['message.max.bytes', '7']], true)).toBe('ok')
  expect(await shown(kafka, broker, 'message.max.bytes')).toMatchObject({ value: '5000' })
  const resources = [{ resourceType: 4, resourceName: '', configs: [{ name: 'message.max.bytes', value: '6000' }] }]
  expect((await kafka.call(AlterConfigs, 2, { resources, validateOnly: false })).responses).toMatchObject([{ errorCode: 0 }])
  expect(await shown(kafka, broker, 'message.max.bytes')).toMatchObject({ value: '6000' })
  expect(await shown(kafka, broker, 'log.segment.bytes')).toMatchObject({ value: '1073741824', configSource: 5 })
})

test('configs of brokers are not listed as client metrics', async () => {
  await using kafka = await anAgent()
  await alter(kafka, '', [['message.max.bytes', '5000']])
  expect((await kafka.call(ListConfigResources, 0, {})).configResources).toEqual([])
  expect(await shown(kafka, [16, ''], 'interval.ms')).toBeUndefined()
})

// What Apache Kafka 4.3.1 was seen to answer, for this broker and for all.
test.each<readonly [what: string, changes: readonly Change[], answer: string]>([
  ['a wrong number', [['message.max.bytes', ' x ']], '42 Invalid value  x  for configuration message.max.bytes: Not a number of type INT'],
  [
    'a small number',
    [['log.segment.bytes', '1048575']],
    '42 Invalid value 1048575 for configuration log.segment.bytes: Value must be at least 1048576',
  ],
  [
    'a wrong item',
    [['log.cleanup.policy', 'delete,foo']],
    '42 Invalid value foo for configuration log.cleanup.policy: String must be one of: compact, delete',
  ],
  ['any retention below zero', [['log.retention.ms', '-2']], 'ok'],
  [
    'no retention',
    [['log.retention.ms', '0']],
    '42 requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1',
  ],
  [
    'configs that need a restart, and a wrong value',
    [
      ['message.max.bytes', 'x'],
      ['num.partitions', '5'],
      ['log.dirs', 'x'],
    ],
    '42 Cannot update these configs dynamically: [num.partitions, log.dirs]',
  ],
  ['a config that needs a restart, reset', [['num.partitions', null, remove]], 'ok'],
  ['an item of a number', [['message.max.bytes', '5', append]], '40 Config value append is not allowed for config key: message.max.bytes'],
  ['no value', [['message.max.bytes', null]], '42 Null value not supported for : message.max.bytes'],
  [
    'a config twice',
    [
      ['message.max.bytes', '5'],
      ['message.max.bytes', '6'],
    ],
    '42 Error due to duplicate config keys',
  ],
  ['an operation that does not exist', [['message.max.bytes', '5', 9]], '42 Unknown operations type 9'],
  [
    'lags that exclude one another',
    [
      ['log.cleaner.min.compaction.lag.ms', '10'],
      ['log.cleaner.max.compaction.lag.ms', '5'],
    ],
    'ok',
  ],
])('%s: the answer is that of Kafka', async (_what, changes, answer) => {
  await using kafka = await anAgent()
  for (const name of ['', '1', '+1']) expect(await alter(kafka, name, changes, true)).toBe(answer)
})
