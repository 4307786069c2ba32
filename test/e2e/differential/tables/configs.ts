// AlterConfigs, IncrementalAlterConfigs and ListConfigResources: which configs can be set, and what is wrong with the others.
import {
  AlterConfigs,
  type DecodedResponseOf,
  DescribeConfigs,
  IncrementalAlterConfigs,
  type IncrementalAlterConfigsRequest,
  ListConfigResources,
} from '@local-kafka-service/protocol'
import type { Conversation } from '../conversation.ts'
import { type RequestRow, type RowOptions, rowsOf } from '../row.ts'

type AlteredResource = IncrementalAlterConfigsRequest['resources'][number]
type AlteredConfig = AlteredResource['configs'][number]

const operations = { set: 0, reset: 1, append: 2, subtract: 3 } as const
const { set, reset, append, subtract } = operations

function change(name: string, value: string | null, configOperation: number = set): AlteredConfig {
  return { name, configOperation, value }
}

/** Each check of a value in Kafka's table. */
const wrongValues: Readonly<Record<string, readonly string[]>> = {
  'cleanup.policy': ['foo', 'delete,foo'],
  'compression.gzip.level': ['0', '10', '-2', 'x'],
  'compression.lz4.level': ['0', '18'],
  'compression.type': ['', 'none', 'GZIP'],
  'compression.zstd.level': ['23', 'x'],
  'delete.retention.ms': ['-1'],
  'file.delete.delay.ms': ['-1', ''],
  'flush.messages': ['0', '2.5'],
  'flush.ms': ['-1'],
  'follower.replication.throttled.replicas': ['x', '1,1'],
  'index.interval.bytes': ['-1'],
  'leader.replication.throttled.replicas': ['1', '*,1:1'],
  'local.retention.bytes': ['-3'],
  'local.retention.ms': ['-3'],
  'max.compaction.lag.ms': ['0'],
  'max.message.bytes': ['-1', '2147483648', ' x '],
  'message.timestamp.after.max.ms': ['-1'],
  'message.timestamp.before.max.ms': ['-1', '9223372036854775808'],
  'message.timestamp.type': ['createtime', ''],
  'min.cleanable.dirty.ratio': ['-1', '2.5', '1e3', '99999999999', 'x'],
  'min.compaction.lag.ms': ['-1'],
  'min.insync.replicas': ['0', '1.0'],
  preallocate: ['yes', '1', ''],
  'remote.storage.enable': ['true', 'x'],
  'retention.bytes': ['x'],
  'retention.ms': ['-2', '', '1e3'],
  'segment.bytes': ['1048575', '2147483648'],
  'segment.index.bytes': ['3'],
  'segment.jitter.ms': ['-1'],
  'segment.ms': ['0'],
  'unclean.leader.election.enable': ['x'],
}

/** What Kafka's broker accepts and rejects among its configs that can change at run time. */
const brokerValues: Readonly<Record<string, readonly string[]>> = {
  'compression.type': ['GZIP', 'zstd'],
  'compression.zstd.level': ['23'],
  'log.cleaner.backoff.ms': ['-1', 'x', '0'],
  'log.cleaner.min.cleanable.ratio': ['2.5', '1'],
  'log.cleanup.policy': ['delete,foo', '', 'compact'],
  'log.flush.interval.messages': ['0'],
  'log.flush.interval.ms': ['-1', 'x'],
  'log.message.timestamp.type': ['createtime'],
  'log.preallocate': ['yes', 'TRUE'],
  'log.retention.bytes': ['x', '-5'],
  'log.retention.ms': ['-2', '0', '', '1e3'],
  'log.retention.minutes': ['5'],
  'log.roll.hours': ['5'],
  'log.roll.jitter.ms': ['-1', '0', 'x'],
  'log.roll.ms': ['0', '', ' 5 '],
  'log.segment.bytes': ['1048575', '2147483648'],
  'max.connections': ['-1', '0', '2147483648', '5000'],
  'max.connections.per.ip': ['-1', '0', '5000'],
  'message.max.bytes': ['-1', ' x ', '5'],
  'min.insync.replicas': ['0'],
  'producer.id.expiration.ms': ['0', '2147483648', '1'],
  'unclean.leader.election.enable': ['x'],
}

const incrementalRows = rowsOf(IncrementalAlterConfigs, (row) => {
  const alters = (what: string, configs: readonly AlteredConfig[], options?: RowOptions): void =>
    row(
      what,
      async (with_) => {
        const resource = { resourceType: 2, resourceName: await with_.topic() }
        await with_.send(IncrementalAlterConfigs, { resources: [{ ...resource, configs }], validateOnly: false })
      },
      options,
    )
  /** What is set must be visible; Kafka applies it some time after its answer. */
  const shows = (what: string, steps: readonly (readonly AlteredConfig[])[], expected: Readonly<Record<string, string>>): void =>
    row(what, async (with_) => {
      const resource = { resourceType: 2, resourceName: await with_.topic() }
      for (const configs of steps) await with_.send(IncrementalAlterConfigs, { resources: [{ ...resource, configs }], validateOnly: false })
      const asked = { resources: [{ ...resource, configurationKeys: Object.keys(expected) }], includeSynonyms: true }
      await with_.until(DescribeConfigs, asked, ({ results: [result] }) => {
        return result?.configs.every(({ name, value }) => value === expected[name]) === true
      })
      await with_.send(DescribeConfigs, asked)
    })

  shows('configs that are set', [[change('max.message.bytes', '2000'), change('segment.bytes', '2000000')]], {
    'max.message.bytes': '2000',
    'segment.bytes': '2000000',
  })
  shows('a config that is set and reset', [[change('flush.ms', '5'), change('segment.ms', '5')], [change('flush.ms', null, reset)]], {
    'flush.ms': '9223372036854775807',
    'segment.ms': '5',
  })
  shows('values that are not in their normal form', [[change('preallocate', 'TRUE'), change('min.cleanable.dirty.ratio', '1')]], {
    preallocate: 'true',
    'min.cleanable.dirty.ratio': '1.0',
  })
  shows('a list that grows and shrinks', [[change('cleanup.policy', 'delete', append)], [change('cleanup.policy', 'delete,x', subtract)]], {
    'cleanup.policy': '',
  })
  shows('replicas that are throttled', [[change('leader.replication.throttled.replicas', '0:1,1:2')]], {
    'leader.replication.throttled.replicas': '0:1,1:2',
  })
  alters('an unknown config', [change('foo', '1')])
  alters('an unknown config that is reset', [change('foo', null, reset)])
  alters('an unknown config, and a wrong one', [change('segment.ms', 'x'), change('foo', '1')])
  alters('an item that is added to a number', [change('retention.ms', '1', append)])
  alters('an item that is removed from a number', [change('retention.ms', '1', subtract)])
  alters('an item that is added to an unknown config', [change('foo', '1', append)])
  alters('no value', [change('retention.ms', null), change('segment.ms', null)])
  alters('a config twice', [change('segment.ms', '5'), change('segment.ms', '6')])
  alters('an operation that does not exist', [change('segment.ms', '5', 9)])
  alters('no changes', [])
  alters('compaction', [change('cleanup.policy', 'compact')])
  alters('lags that exclude one another', [change('min.compaction.lag.ms', '10'), change('max.compaction.lag.ms', '5')])
  for (const [name, values] of Object.entries(wrongValues))
    for (const value of values) alters(`${name}=${value}`, [change(name, value)], { versions: '1' })

  const resource = (what: string, of: (with_: Conversation) => Partial<AlteredResource>, options?: RowOptions): void =>
    row(
      what,
      async (with_) => {
        const configs = [change('segment.ms', '5')]
        const resources = [{ resourceType: 2, resourceName: 'x', configs, ...of(with_) }]
        await with_.send(IncrementalAlterConfigs, { resources, validateOnly: true })
      },
      options,
    )
  resource('a missing topic', (with_) => ({ resourceName: with_.name() }))
  resource('a missing topic and a wrong value', (with_) => ({ resourceName: with_.name(), configs: [change('segment.ms', 'x')] }))
  resource('the topic without a name', () => ({ resourceName: '' }))
  resource('a topic name with a space', () => ({ resourceName: 'a b' }))
  for (const resourceType of [0, 1, 3, 99, -1]) resource(`resource type ${resourceType}`, () => ({ resourceType }))
  const broker = (of: Partial<AlteredResource>) => (with_: Conversation) => ({
    resourceType: 4,
    resourceName: String(with_.server.nodeId),
    ...of,
  })
  resource('a config of the broker that needs a restart', broker({ configs: [change('num.partitions', '5')] }))
  resource('configs of the broker that are reset', broker({ configs: [change('num.partitions', null, reset)] }))
  for (const [name, values] of Object.entries(brokerValues))
    for (const value of values) {
      const configs = [change(name, value)]
      resource(`${name}=${value} of the broker`, broker({ configs }), { versions: '1' })
      resource(`${name}=${value} of all brokers`, broker({ configs, resourceName: '' }), { versions: '1' })
    }
  const brokerRow = (what: string, configs: readonly AlteredConfig[], options?: RowOptions): void =>
    resource(`${what} of all brokers`, broker({ configs, resourceName: '' }), options)
  brokerRow('an item', [change('log.cleanup.policy', 'compact', append)])
  brokerRow('an item less', [change('log.cleanup.policy', 'compact', subtract)])
  brokerRow('an item of a number', [change('message.max.bytes', '5', append)])
  brokerRow('an item less of a number', [change('message.max.bytes', '5', subtract)])
  brokerRow('no value', [change('message.max.bytes', null)])
  brokerRow('a config twice', [change('message.max.bytes', '5'), change('message.max.bytes', '6')])
  brokerRow('an operation that does not exist', [change('message.max.bytes', '5', 9)])
  brokerRow('configs that need a restart, and a wrong value', [
    change('message.max.bytes', 'x'),
    change('num.partitions', '5'),
    change('log.dirs', 'x'),
  ])
  brokerRow('lags that exclude one another', [
    change('log.cleaner.min.compaction.lag.ms', '10'),
    change('log.cleaner.max.compaction.lag.ms', '5'),
  ])
  resource('a config of the broker that has nothing to act on', broker({ configs: [change('num.io.threads', '9')] }), {
    differs: ['alter-configs-brokers'],
  })
  resource('a broker with a sign', broker({ resourceName: '+1', configs: [change('message.max.bytes', '5')] }))
  /** Values in Kafka's normal form, with a default of Kafka. */
  const follows = (ofBroker: string, ofTopic: string, fallback: string): void =>
    row(
      `${ofBroker} of the broker and of all brokers, and a topic that follows them`,
      async (with_) => {
        const id = String(with_.server.nodeId)
        const topic = await with_.topic()
        const alter = async (resourceName: string, configs: readonly AlteredConfig[]): Promise<void> =>
          void (await with_.send(IncrementalAlterConfigs, { resources: [{ resourceType: 4, resourceName, configs }], validateOnly: false }))
        const shows = async (value: string): Promise<void> => {
          const followed = { resourceType: 2, resourceName: topic, configurationKeys: [ofTopic] }
          const ofBrokers = ['', id].map((resourceName) => ({ resourceType: 4, resourceName, configurationKeys: [ofBroker] }))
          const asked = { resources: [followed, ...ofBrokers], includeSynonyms: true }
          await with_.until(DescribeConfigs, asked, ({ results: [result] }) => result?.configs[0]?.value === value)
          await with_.send(DescribeConfigs, asked)
        }
        await alter('', [change(ofBroker, '5000')])
        await shows('5000')
        await alter(id, [change(ofBroker, ' +6000 ')])
        await shows('6000')
        await alter(id, [change(ofBroker, null, reset)])
        await shows('5000')
        await alter('', [change(ofBroker, null, reset)])
        await shows(fallback)
      },
      { versions: '1' },
    )
  follows('log.index.interval.bytes', 'index.interval.bytes', '4096')
  follows('log.roll.ms', 'segment.ms', '604800000')
  follows('log.roll.jitter.ms', 'segment.jitter.ms', '0')
  follows('log.flush.interval.ms', 'flush.ms', '9223372036854775807')
  resource('an unknown broker', broker({ resourceName: '77' }))
  resource('a broker that is not a number', broker({ resourceName: 'x' }))
  const group = (configs: readonly AlteredConfig[], resourceName?: string) => (with_: Conversation) => ({
    resourceType: 32,
    resourceName: resourceName ?? with_.name(),
    configs,
  })
  resource('an unknown config of a group', group([change('foo', '5')]))
  resource('a wrong config of a group', group([change('consumer.session.timeout.ms', 'x')]))
  resource('a config of a group', group([change('consumer.session.timeout.ms', '50000')]), { differs: ['alter-configs-groups'] })
  resource('a config of a group that is reset', group([change('consumer.session.timeout.ms', null, reset)]))
  resource('the group without a name', group([change('consumer.session.timeout.ms', '50000')], ''))
  const metrics = (configs: readonly AlteredConfig[], resourceName?: string) => (with_: Conversation) => ({
    resourceType: 16,
    resourceName: resourceName ?? with_.name(),
    configs,
  })
  resource('client metrics', metrics([change('interval.ms', '1000'), change('metrics', 'a.b,c'), change('match', 'client_id=x.*')]))
  resource('client metrics, unknown', metrics([change('foo', '5')]))
  resource('client metrics, too often', metrics([change('interval.ms', '5')]))
  resource('client metrics, not a number', metrics([change('interval.ms', 'x')]))
  resource('client metrics, a wrong pattern', metrics([change('match', 'foo')]))
  resource('client metrics, an item', metrics([change('metrics', 'd', append)]))
  resource('client metrics without a name', metrics([change('metrics', 'd')], ''))
  row('a topic twice, and a missing one', async (with_) => {
    const name = await with_.topic()
    const resources = [name, name, with_.name('b')].map((resourceName) => ({ resourceType: 2, resourceName, configs: [] }))
    await with_.send(IncrementalAlterConfigs, { resources, validateOnly: false })
  })
  row('no resources', async (with_) => void (await with_.send(IncrementalAlterConfigs, { resources: [], validateOnly: false })))
})

const fullRows = rowsOf(AlterConfigs, (row) => {
  const alters = (what: string, configs: readonly { readonly name: string; readonly value: string | null }[]): void =>
    row(what, async (with_) => {
      const resource = { resourceType: 2, resourceName: await with_.topic() }
      await with_.send(AlterConfigs, { resources: [{ ...resource, configs }], validateOnly: false })
    })
  alters('a config', [{ name: 'segment.ms', value: '1000' }])
  alters('no configs', [])
  alters('no value', [{ name: 'segment.ms', value: null }])
  alters('a wrong value', [{ name: 'segment.ms', value: 'x' }])
  alters('an unknown config', [{ name: 'foo', value: 'x' }])
  alters('a config twice', [
    { name: 'segment.ms', value: '1' },
    { name: 'segment.ms', value: '2' },
  ])
  for (const [what, name, value] of [
    ['a config of the broker', 'message.max.bytes', '5'],
    ['a wrong config of the broker', 'message.max.bytes', 'x'],
    ['a config of the broker that needs a restart', 'num.partitions', '5'],
  ] as const)
    row(what, async (with_) => {
      const resource = { resourceType: 4, resourceName: String(with_.server.nodeId), configs: [{ name, value }] }
      await with_.send(AlterConfigs, { resources: [resource], validateOnly: true })
    })
  row('a missing topic', async (with_) => {
    const resource = { resourceType: 2, resourceName: with_.name(), configs: [{ name: 'segment.ms', value: '1' }] }
    await with_.send(AlterConfigs, { resources: [resource], validateOnly: false })
  })
  row('a config that is not named is reset', async (with_) => {
    const resource = { resourceType: 2, resourceName: await with_.topic('a', { configs: { 'flush.ms': '5' } }) }
    await with_.send(AlterConfigs, { resources: [{ ...resource, configs: [{ name: 'segment.ms', value: '7' }] }], validateOnly: false })
    const asked = { resources: [{ ...resource, configurationKeys: ['flush.ms', 'segment.ms'] }] }
    await with_.until(DescribeConfigs, asked, ({ results: [result] }) => result?.configs.some(({ value }) => value === '7') === true)
    await with_.send(DescribeConfigs, asked)
  })
})

const listRows = rowsOf(ListConfigResources, (row) => {
  /** Other rows have resources of their own. */
  const lists = (what: string, resourceTypes: readonly number[], options?: RowOptions): void =>
    row(
      what,
      async (with_) => {
        await with_.topic()
        const own = (response: DecodedResponseOf<typeof ListConfigResources>) => ({
          ...response,
          configResources: response.configResources.filter(({ resourceName }) => resourceName.startsWith(with_.name(''))),
        })
        await with_.sendFiltered(ListConfigResources, with_.version === 0 ? {} : { resourceTypes }, own)
      },
      options,
    )
  lists('everything', [])
  lists('topics', [2], { versions: '1' })
  lists('topics twice', [2, 2], { versions: '1' })
  lists('client metrics', [16])
  lists('an unknown type', [99], { versions: '1' })
  lists('topics and an unknown type', [2, 99], { versions: '1' })
})

export const configTable: readonly RequestRow[] = [...incrementalRows, ...fullRows, ...listRows]
