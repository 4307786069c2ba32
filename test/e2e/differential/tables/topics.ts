// CreateTopics, CreatePartitions and DeleteTopics: what tools show when topics are made, grown and deleted.
import {
  CreatePartitions,
  type CreatePartitionsRequest,
  CreateTopics,
  type CreateTopicsRequest,
  DeleteTopics,
  type DeleteTopicsRequest,
  Metadata,
} from '@local-kafka-service/protocol'
import type { Conversation } from '../conversation.ts'
import { type RequestRow, type RowOptions, rowsOf } from '../row.ts'
import { unknownId } from './parts.ts'

type TopicEntry = CreateTopicsRequest['topics'][number]

const createTopics = rowsOf(CreateTopics, (row) => {
  const creates = (what: string, topics: (names: Conversation) => readonly Partial<TopicEntry>[], options?: RowOptions): void =>
    row(what, async (with_) => void (await with_.send(CreateTopics, creation(with_, topics(with_)))), options)
  const config = (name: string, value: string | null): Partial<TopicEntry> => ({ configs: [{ name, value }] })

  creates('one topic', () => [{}])
  creates('three partitions, by number', () => [{ numPartitions: 3 }])
  creates('the defaults of the server: -1 partitions, replication factor -1', () => [{ numPartitions: -1, replicationFactor: -1 }])
  creates('two topics', (of) => [{ name: of.name('a') }, { name: of.name('b'), numPartitions: 2 }])
  creates('no topics', () => [])
  creates('a manual assignment', ({ server: { nodeId } }) => [
    manual([
      [0, [nodeId]],
      [1, [nodeId]],
    ]),
  ])
  creates('a manual assignment that does not begin at 0', ({ server: { nodeId } }) => [manual([[1, [nodeId]]])])
  creates('a manual assignment with a gap', ({ server: { nodeId } }) => [
    manual([
      [0, [nodeId]],
      [2, [nodeId]],
    ]),
  ])
  creates('a manual assignment that names a partition twice', ({ server: { nodeId } }) => [
    manual([
      [0, [nodeId]],
      [0, [nodeId]],
    ]),
  ])
  creates('a manual assignment to an unknown broker', () => [manual([[0, [77]]])])
  creates('a manual assignment to no broker', () => [manual([[0, []]])])
  creates('a manual assignment to one broker twice', ({ server: { nodeId } }) => [manual([[0, [nodeId, nodeId]]])])
  creates('a manual assignment to a broker and an unknown one', ({ server: { nodeId } }) => [manual([[0, [nodeId, 77]]])])
  creates('a manual assignment with a negative partition', ({ server: { nodeId } }) => [manual([[-1, [nodeId]]])])
  creates('a manual assignment and a number of partitions', ({ server: { nodeId } }) => [{ ...manual([[0, [nodeId]]]), numPartitions: 1 }])
  creates('a manual assignment and a replication factor', ({ server: { nodeId } }) => [
    { ...manual([[0, [nodeId]]]), replicationFactor: 1 },
  ])
  creates('0 partitions', () => [{ numPartitions: 0 }])
  creates('-2 partitions', () => [{ numPartitions: -2 }])
  creates('replication factor 0', () => [{ replicationFactor: 0 }])
  creates('replication factor -2', () => [{ replicationFactor: -2 }])
  creates('replication factor 2 on one broker', () => [{ replicationFactor: 2 }], { differs: ['create-topics-replicas'] })
  creates('replication factor 32767', () => [{ replicationFactor: 32767 }], { differs: ['create-topics-replicas'] })
  creates('the empty name', () => [{ name: '' }])
  creates('the name .', () => [{ name: '.' }])
  creates('the name ..', () => [{ name: '..' }])
  creates('a name with a space', () => [{ name: 'a b' }])
  creates('a name beyond ASCII', () => [{ name: 'é' }])
  creates('a name of 249 characters', (of) => [{ name: of.name('').padEnd(249, 'x') }])
  creates('a name of 250 characters', (of) => [{ name: of.name('').padEnd(250, 'x') }])
  creates('a wrong name and 0 partitions', () => [{ name: 'a b', numPartitions: 0 }])
  creates('an internal topic', () => [{ name: '__consumer_offsets' }], { differs: ['create-topics-internal'] })
  creates('a name twice, and another', (of) => [{ name: of.name('a') }, { name: of.name('a') }, { name: of.name('b') }])
  creates('two names that collide', (of) => [{ name: of.name('a.b') }, { name: of.name('a_b') }], { differs: ['create-topics-collision'] })
  creates('an unknown config', () => [config('foo', 'bar')])
  creates('a config without a value', () => [config('retention.ms', null)])
  creates('a config with the empty value', () => [config('retention.ms', '')])
  creates('a config of the wrong type', () => [config('max.message.bytes', 'many')])
  creates('a config below its range', () => [config('max.message.bytes', '-1')])
  creates('a config beyond its type', () => [config('max.message.bytes', '2147483648')])
  creates('an unknown value of a list of values', () => [config('message.timestamp.type', 'Whenever')])
  creates('an unknown compression type', () => [config('compression.type', 'brotli')])
  creates('max.message.bytes', () => [config('max.message.bytes', '1000')])
  creates('message.timestamp.type', () => [config('message.timestamp.type', 'LogAppendTime')])
  creates('a config twice', () => [
    {
      configs: [
        { name: 'max.message.bytes', value: '1000' },
        { name: 'max.message.bytes', value: '2000' },
      ],
    },
  ])
  creates('a config with spaces around its value', () => [config('max.message.bytes', ' 1000 ')], { differs: ['create-topics-spaces'] })

  row('a topic that exists', async (with_) => {
    const name = await with_.topic()
    await with_.send(CreateTopics, creation(with_, [{ name }]))
  })
  row('a topic that exists, with another number of partitions and only validated', async (with_) => {
    const name = await with_.topic()
    await with_.send(CreateTopics, { ...creation(with_, [{ name, numPartitions: 7 }]), validateOnly: true })
  })
  row('a name that collides with that of a topic', async (with_) => {
    await with_.topic('a.b')
    await with_.send(CreateTopics, creation(with_, [{ name: with_.name('a_b') }]))
  })
  row(
    'only validated, so nothing is made',
    async (with_) => {
      const name = with_.name()
      await with_.send(CreateTopics, { ...creation(with_, [{ name, numPartitions: 3 }]), validateOnly: true })
      await with_.send(Metadata, { topics: [{ name }], allowAutoTopicCreation: false })
    },
    { differs: ['create-topics-dry-run-id'] },
  )
  row('only validated, with 0 partitions', async (with_) => {
    await with_.send(CreateTopics, { ...creation(with_, [{ numPartitions: 0 }]), validateOnly: true })
  })
  row(
    'a time-out of 0',
    async (with_) => {
      await with_.send(CreateTopics, { ...creation(with_, [{}]), timeoutMs: 0 })
    },
    { differs: ['create-topics-time-out'] },
  )
  row(
    'a time-out of -1',
    async (with_) => {
      await with_.send(CreateTopics, { ...creation(with_, [{}]), timeoutMs: -1 })
    },
    { differs: ['create-topics-time-out'] },
  )
})

const createPartitions = rowsOf(CreatePartitions, (row) => {
  type Growth = CreatePartitionsRequest['topics'][number]
  const grows = (what: string, growth: (with_: Conversation) => Partial<Growth>, options?: RowOptions): void =>
    row(
      what,
      async (with_) => {
        const name = await with_.topic('a', { partitions: 3 })
        const topics = [{ name, count: 4, assignments: null, ...growth(with_) }]
        await with_.send(CreatePartitions, { topics, timeoutMs: 10_000, validateOnly: false })
        await with_.ask(Metadata, { topics: [{ name }] })
      },
      options,
    )

  grows('one more', () => ({}))
  grows('two more, assigned', ({ server: { nodeId } }) => ({ count: 5, assignments: [{ brokerIds: [nodeId] }, { brokerIds: [nodeId] }] }))
  grows('as many as there are', () => ({ count: 3 }))
  grows('fewer than there are', () => ({ count: 2 }))
  grows('0', () => ({ count: 0 }))
  grows('-1', () => ({ count: -1 }))
  grows('too few assignments', ({ server: { nodeId } }) => ({ count: 5, assignments: [{ brokerIds: [nodeId] }] }))
  grows('too many assignments', ({ server: { nodeId } }) => ({ assignments: [{ brokerIds: [nodeId] }, { brokerIds: [nodeId] }] }))
  grows('an empty list of assignments', () => ({ assignments: [] }))
  grows('an assignment to an unknown broker', () => ({ assignments: [{ brokerIds: [77] }] }))
  grows('an assignment to no broker', () => ({ assignments: [{ brokerIds: [] }] }))
  grows('an assignment to one broker twice', ({ server: { nodeId } }) => ({ assignments: [{ brokerIds: [nodeId, nodeId] }] }))
  grows('a topic that is not there', (with_) => ({ name: with_.name('missing') }))
  grows('the empty name', () => ({ name: '' }))
  grows('a name with a space', () => ({ name: 'a b' }))

  row('a topic twice, and another', async (with_) => {
    const [a, b] = [await with_.topic('a'), await with_.topic('b')]
    const topics = [a, a, b].map((name) => ({ name, count: 2, assignments: null }))
    await with_.send(CreatePartitions, { topics, timeoutMs: 10_000, validateOnly: false })
  })
  row('no topics', async (with_) => {
    await with_.send(CreatePartitions, { topics: [], timeoutMs: 10_000, validateOnly: false })
  })
  row('only validated, so nothing changes', async (with_) => {
    const name = await with_.topic()
    await with_.send(CreatePartitions, { topics: [{ name, count: 2, assignments: null }], timeoutMs: 10_000, validateOnly: true })
    await with_.send(Metadata, { topics: [{ name }] })
  })
})

const deleteTopics = rowsOf(DeleteTopics, (row) => {
  const deletion = ({ version }: Conversation, names: readonly string[]): DeleteTopicsRequest => ({
    topics: version < 6 ? [] : names.map((name) => ({ name, topicId: unknownId.replaceAll(/./g, 'A') })),
    topicNames: version < 6 ? names : [],
    timeoutMs: 10_000,
  })

  row('one topic, which is gone afterwards', async (with_) => {
    const name = await with_.topic()
    await with_.send(DeleteTopics, deletion(with_, [name]))
    await with_.until(Metadata, { topics: [{ name }], allowAutoTopicCreation: false }, ({ topics: [topic] }) => topic?.errorCode === 3)
    await with_.send(DeleteTopics, deletion(with_, [name]))
  })
  row('two topics and one that is not there', async (with_) => {
    const names = [await with_.topic('a'), await with_.topic('b'), with_.name('missing')]
    await with_.send(DeleteTopics, deletion(with_, names))
  })
  row('no topics', async (with_) => {
    await with_.send(DeleteTopics, deletion(with_, []))
  })
  row('a topic twice', async (with_) => {
    const name = await with_.topic()
    await with_.send(DeleteTopics, deletion(with_, [name, name]))
  })
  row('a missing topic twice', async (with_) => {
    await with_.send(DeleteTopics, deletion(with_, [with_.name(), with_.name()]))
  })
  row('wrong names', async (with_) => {
    await with_.send(DeleteTopics, deletion(with_, ['', 'a b']))
  })
  row(
    'by id',
    async (with_) => {
      const topicId = with_.idOf(await with_.topic())
      await with_.send(DeleteTopics, { topics: [{ name: null, topicId }], timeoutMs: 10_000 })
    },
    { versions: '6+' },
  )
  row(
    'an unknown id',
    async (with_) => {
      await with_.send(DeleteTopics, { topics: [{ name: null, topicId: unknownId }], timeoutMs: 10_000 })
    },
    { versions: '6+' },
  )
  row(
    'an unknown id twice',
    async (with_) => {
      await with_.send(DeleteTopics, {
        topics: [
          { name: null, topicId: unknownId },
          { name: null, topicId: unknownId },
        ],
        timeoutMs: 10_000,
      })
    },
    { versions: '6+' },
  )
  row(
    'a name and an id in one entry',
    async (with_) => {
      const name = await with_.topic()
      await with_.send(DeleteTopics, { topics: [{ name, topicId: with_.idOf(name) }], timeoutMs: 10_000 })
    },
    { versions: '6+' },
  )
  row(
    'a topic by name and by id',
    async (with_) => {
      const name = await with_.topic()
      const topics = [
        { name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' },
        { name: null, topicId: with_.idOf(name) },
      ]
      await with_.send(DeleteTopics, { topics, timeoutMs: 10_000 })
    },
    { versions: '6+' },
  )
  row(
    'neither a name nor an id',
    async (with_) => {
      await with_.send(DeleteTopics, { topics: [{ name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }], timeoutMs: 10_000 })
    },
    { versions: '6+' },
  )
})

export const topicRows: readonly RequestRow[] = [...createTopics, ...createPartitions, ...deleteTopics]

function creation(with_: Conversation, topics: readonly Partial<TopicEntry>[]): { topics: TopicEntry[]; timeoutMs: number } {
  const defaults: TopicEntry = { name: with_.name(), numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  return { topics: topics.map((topic) => ({ ...defaults, ...topic })), timeoutMs: 10_000 }
}

function manual(partitions: readonly (readonly [index: number, brokerIds: readonly number[]])[]): Partial<TopicEntry> {
  const assignments = partitions.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds }))
  return { numPartitions: -1, replicationFactor: -1, assignments }
}
