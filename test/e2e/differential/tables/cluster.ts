// Metadata, DescribeCluster, DescribeTopicPartitions, DescribeConfigs and ApiVersions: what the cluster is and how its topics are set.
import {
  ApiVersions,
  DescribeCluster,
  DescribeConfigs,
  type DescribeConfigsRequest,
  DescribeTopicPartitions,
  Metadata,
  type MetadataRequest,
  type RequestInputOf,
  zeroUuid,
} from '@local-kafka-service/protocol'
import type { Conversation } from '../conversation.ts'
import { type RequestRow, type RowOptions, rowsOf } from '../row.ts'
import { unknownId } from './parts.ts'

const metadataRows = rowsOf(Metadata, (row) => {
  const asks = (
    what: string,
    topics: (with_: Conversation) => Promise<readonly (string | null)[] | null> | readonly string[] | null,
    options: RowOptions & { readonly request?: Partial<MetadataRequest> } = {},
  ): void =>
    row(
      what,
      async (with_) => {
        const names = await topics(with_)
        const requested = names?.map((name) => ({ name })) ?? null
        await with_.send(Metadata, { topics: requested, ...noCreation(with_), ...options.request })
      },
      options,
    )

  asks('a topic', async (with_) => [await with_.topic()])
  asks('a topic of three partitions', async (with_) => [await with_.topic('a', { partitions: 3 })])
  asks('two topics and a missing one', async (with_) => [await with_.topic('a'), await with_.topic('b'), with_.name('missing')], {
    versions: '4+',
  })
  asks('no topics', () => [], { versions: '1+' })
  asks('a missing topic', (with_) => [with_.name()], { versions: '4+' })
  asks('a topic twice', async (with_) => [await with_.topic(), with_.name('a')])
  asks('a missing topic twice', (with_) => [with_.name(), with_.name()], { versions: '4+' })
  asks('the empty name', () => [''])
  asks('a name with a space', () => ['a b'])
  asks('the names . and ..', () => ['.', '..'])
  asks('a name of 250 characters', () => ['x'.repeat(250)])
  asks('authorized operations of topics', async (with_) => [await with_.topic()], {
    versions: '8+',
    request: { includeTopicAuthorizedOperations: true },
  })
  asks('authorized operations of the cluster', () => [], { versions: '8-10', request: { includeClusterAuthorizedOperations: true } })
  row('a missing topic that is made', async (with_) => {
    const name = with_.name()
    await with_.ask(Metadata, { topics: [{ name }] })
    await with_.visible(name)
    await with_.send(Metadata, { topics: [{ name }] })
  })
  const byId = (
    what: string,
    topics: (with_: Conversation) => Promise<RequestInputOf<typeof Metadata>['topics']>,
    options: RowOptions,
  ): void => row(what, async (with_) => void (await with_.send(Metadata, { topics: await topics(with_), ...noCreation(with_) })), options)
  byId('a topic by id', async (with_) => [{ name: null, topicId: with_.idOf(await with_.topic()) }], { versions: '12+' })
  byId('an unknown id', async () => [{ name: null, topicId: unknownId }], { versions: '12+' })
  byId(
    'an unknown id twice',
    async () => [
      { name: null, topicId: unknownId },
      { name: null, topicId: unknownId },
    ],
    { versions: '12+' },
  )
  byId(
    'a topic by id twice',
    async (with_) => {
      const topicId = with_.idOf(await with_.topic())
      return [
        { name: null, topicId },
        { name: null, topicId },
      ]
    },
    { versions: '12+' },
  )
  byId(
    'a topic by name and by id',
    async (with_) => {
      const name = await with_.topic()
      return [{ name }, { name: null, topicId: with_.idOf(name) }]
    },
    { versions: '12+' },
  )
  byId(
    'a name and an id in one entry',
    async (with_) => {
      const name = await with_.topic()
      return [{ name, topicId: with_.idOf(name) }]
    },
    { versions: '12+' },
  )
  byId('an unknown name and an unknown id', async (with_) => [{ name: with_.name() }, { name: null, topicId: unknownId }], {
    versions: '12+',
  })
  byId('neither a name nor an id', async () => [{ name: null, topicId: zeroUuid }], { differs: ['metadata-neither'], versions: '12+' })
  byId('a null name before it was allowed', async () => [{ name: null, topicId: unknownId }], { versions: '10-11' })
  byId(
    'a name and an id before that was allowed',
    async (with_) => {
      const name = await with_.topic()
      return [{ name, topicId: with_.idOf(name) }]
    },
    { versions: '10-11' },
  )
})

const clusterRows = rowsOf(DescribeCluster, (row) => {
  const asks = (what: string, request: Partial<RequestInputOf<typeof DescribeCluster>>, options?: RowOptions): void =>
    row(what, async (with_) => void (await with_.send(DescribeCluster, { includeClusterAuthorizedOperations: false, ...request })), options)
  asks('the cluster', {})
  asks('with authorized operations', { includeClusterAuthorizedOperations: true })
  asks('controllers', { endpointType: 2 }, { versions: '1+' })
  asks('endpoint type 9', { endpointType: 9 }, { versions: '1+' })
  asks('endpoint type 0', { endpointType: 0 }, { versions: '1+' })
  asks('fenced brokers', { includeFencedBrokers: true }, { versions: '2+' })
})

const partitionRows = rowsOf(DescribeTopicPartitions, (row) => {
  row('two topics', async (with_) => {
    const topics = [{ name: await with_.topic('b', { partitions: 3 }) }, { name: await with_.topic('a') }]
    await with_.send(DescribeTopicPartitions, { topics })
  })
  row(
    'missing and wrong names',
    async (with_) => {
      await with_.send(DescribeTopicPartitions, { topics: [{ name: with_.name('missing') }, { name: '' }, { name: 'a b' }] })
    },
    { differs: ['describe-topic-partitions-name'] },
  )
  row('a missing topic', async (with_) => void (await with_.send(DescribeTopicPartitions, { topics: [{ name: with_.name() }] })))
  row('a topic twice', async (with_) => {
    const name = await with_.topic()
    await with_.send(DescribeTopicPartitions, { topics: [{ name }, { name }] })
  })
  row('page by page', async (with_) => {
    const topics = [{ name: await with_.topic('a', { partitions: 2 }) }, { name: await with_.topic('b', { partitions: 2 }) }]
    let cursor: { topicName: string; partitionIndex: number } | null = null
    do {
      const page: { nextCursor: { topicName: string; partitionIndex: number } | null } = await with_.send(DescribeTopicPartitions, {
        topics,
        responsePartitionLimit: 1,
        cursor,
      })
      cursor = page.nextCursor
    } while (cursor !== null)
  })
  for (const responsePartitionLimit of [0, -1]) {
    row(`at most ${responsePartitionLimit} partitions`, async (with_) => {
      await with_.send(DescribeTopicPartitions, { topics: [{ name: await with_.topic('a', { partitions: 2 }) }], responsePartitionLimit })
    })
  }
  for (const [what, partitionIndex] of [
    ['at a partition', 1],
    ['behind the last partition', 2],
    ['at partition -1', -1],
  ] as const) {
    row(`a cursor ${what}`, async (with_) => {
      const name = await with_.topic('a', { partitions: 2 })
      await with_.send(DescribeTopicPartitions, { topics: [{ name }], cursor: { topicName: name, partitionIndex } })
    })
  }
  row('a cursor at a topic that is not asked for', async (with_) => {
    const [a, b, c] = [await with_.topic('a'), await with_.topic('b'), await with_.topic('c')]
    await with_.send(DescribeTopicPartitions, { topics: [{ name: a }, { name: c }], cursor: { topicName: b, partitionIndex: 0 } })
  })
})

const configRows = rowsOf(DescribeConfigs, (row) => {
  type DescribedResource = DescribeConfigsRequest['resources'][number]
  const describes = (
    what: string,
    resources: (with_: Conversation) => Promise<readonly Partial<DescribedResource>[]> | readonly Partial<DescribedResource>[],
    options: RowOptions & { readonly request?: Partial<DescribeConfigsRequest> } = {},
  ): void =>
    row(
      what,
      async (with_) => {
        const requested = (await resources(with_)).map((resource) => ({
          resourceType: 2,
          resourceName: '',
          configurationKeys: null,
          ...resource,
        }))
        await with_.send(DescribeConfigs, { resources: requested, includeSynonyms: false, ...options.request })
      },
      options,
    )
  const keys = ['max.message.bytes', 'message.timestamp.type']
  describes('two configs of a topic', async (with_) => [{ resourceName: await with_.topic(), configurationKeys: keys }])
  describes('with synonyms', async (with_) => [{ resourceName: await with_.topic(), configurationKeys: keys }], {
    request: { includeSynonyms: true },
  })
  describes('with documentation', async (with_) => [{ resourceName: await with_.topic(), configurationKeys: keys }], {
    differs: ['describe-configs-documentation'],
    request: { includeDocumentation: true },
    versions: '3+',
  })
  describes(
    'a config that the topic has of its own',
    async (with_) => {
      const resourceName = await with_.topic('a', { configs: { 'max.message.bytes': '2000' } })
      return [{ resourceName, configurationKeys: keys }]
    },
    { request: { includeSynonyms: true } },
  )
  describes('all configs of a topic', async (with_) => [{ resourceName: await with_.topic() }], { differs: ['describe-configs-defaults'] })
  describes('an empty list of configs', async (with_) => [{ resourceName: await with_.topic(), configurationKeys: [] }], {
    differs: ['describe-configs-defaults'],
  })
  describes('an unknown config', async (with_) => [{ resourceName: await with_.topic(), configurationKeys: ['foo'] }])
  describes('a config twice', async (with_) => [{ resourceName: await with_.topic(), configurationKeys: [...keys, ...keys] }])
  describes('a topic that is not there', (with_) => [{ resourceName: with_.name() }], { differs: ['describe-configs-no-topic'] })
  describes('the topic with the empty name', () => [{}])
  describes('a topic name with a space', () => [{ resourceName: 'a b' }])
  describes('a topic twice', async (with_) => {
    const resource = { resourceName: await with_.topic(), configurationKeys: keys }
    return [resource, resource]
  })
  describes('no resources', () => [])
  describes(
    'one config of the broker',
    ({ server: { nodeId } }) => [{ resourceType: 4, resourceName: String(nodeId), configurationKeys: ['message.max.bytes'] }],
    { request: { includeSynonyms: true } },
  )
  for (const name of ['max.connections.per.ip', 'producer.id.expiration.ms', 'log.roll.ms', 'log.flush.interval.ms'])
    describes(
      `${name} of the broker`,
      ({ server: { nodeId } }) => [{ resourceType: 4, resourceName: String(nodeId), configurationKeys: [name] }],
      { request: { includeSynonyms: true } },
    )
  describes(
    'one config of the broker, with synonyms',
    ({ server: { nodeId } }) => [{ resourceType: 4, resourceName: String(nodeId), configurationKeys: ['num.partitions'] }],
    { request: { includeSynonyms: true } },
  )
  describes('an unknown broker', () => [{ resourceType: 4, resourceName: '77' }])
  describes('a broker that is not a number', () => [{ resourceType: 4, resourceName: 'x' }], { differs: ['describe-configs-type'] })
  describes('the default of brokers', () => [{ resourceType: 4, resourceName: '' }], { differs: ['describe-configs-names'] })
  describes('one config of the default of brokers', () => [{ resourceType: 4, resourceName: '', configurationKeys: ['num.partitions'] }])
  for (const resourceType of [0, 1, 3, 99, -1])
    describes(`resource type ${resourceType}`, () => [{ resourceType, resourceName: 'x' }], { differs: ['describe-configs-type'] })
  describes(
    'the configs of a broker logger',
    ({ server: { nodeId } }) => [{ resourceType: 8, resourceName: String(nodeId), configurationKeys: ['nothing'] }],
    { differs: ['describe-configs-loggers'] },
  )
  describes('the configs of client metrics', (with_) => [{ resourceType: 16, resourceName: with_.name() }])
  describes('the configs of client metrics and of a group without a name', () => [
    { resourceType: 16, resourceName: '' },
    { resourceType: 32, resourceName: '' },
  ])
  describes('all configs of a topic, with synonyms', async (with_) => [{ resourceName: await with_.topic() }], {
    request: { includeSynonyms: true },
    differs: ['describe-configs-defaults', 'describe-configs-synonyms'],
  })
  describes('the configs of a group, with synonyms', (with_) => [{ resourceType: 32, resourceName: with_.name() }], {
    request: { includeSynonyms: true },
  })
  describes('the configs of a group', (with_) => [{ resourceType: 32, resourceName: with_.name() }])
})

const versionRows = rowsOf(ApiVersions, (row) => {
  row('the list', async (with_) => {
    await with_.send(ApiVersions, { clientSoftwareName: 'differential', clientSoftwareVersion: '1' })
  })
  row('twice', async (with_) => {
    for (let count = 0; count < 2; count++)
      await with_.send(ApiVersions, { clientSoftwareName: 'differential', clientSoftwareVersion: '1' })
  })
  for (const [what, clientSoftwareName, clientSoftwareVersion] of [
    ['empty names', '', ''],
    ['a name with a space', 'my client', '1'],
    ['a name that ends in a dash', 'client-', '1'],
    ['a name beyond ASCII', 'é', '1'],
    ['a version with a slash', 'client', '1/2'],
  ] as const) {
    row(what, async (with_) => void (await with_.send(ApiVersions, { clientSoftwareName, clientSoftwareVersion })), { versions: '3+' })
  }
  for (const claims of [5, 99, 32_767]) {
    row(
      `version ${claims}`,
      async (with_) => {
        await with_.send(ApiVersions, { clientSoftwareName: 'differential', clientSoftwareVersion: '1' }, { claims, answeredIn: 0 })
      },
      { versions: '4' },
    )
  }
  row(
    'version -1',
    async (with_) => {
      await with_.send(ApiVersions, {}, { claims: -1, answeredIn: 0 })
    },
    { versions: '0' },
  )
})

export const clusterTable: readonly RequestRow[] = [...metadataRows, ...clusterRows, ...partitionRows, ...configRows, ...versionRows]

function noCreation({ version }: Conversation): { readonly allowAutoTopicCreation?: boolean } {
  return version < 4 ? {} : { allowAutoTopicCreation: false }
}
