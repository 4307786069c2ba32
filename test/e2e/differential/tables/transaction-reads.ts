// What transactions look like from outside: to consumers of both isolation levels, and to the tools that list, describe and abort them.
import {
  DescribeProducers,
  DescribeTransactions,
  Fetch,
  ListOffsets,
  ListTransactions,
  type ListTransactionsRequest,
  WriteTxnMarkers,
  type WriteTxnMarkersRequest,
} from '@local-kafka-service/protocol'
import type { Conversation } from '../conversation.ts'
import { type RequestRow, type RowOptions, rowsOf } from '../row.ts'
import { firstTimestamp, named } from './parts.ts'
import { added, ended, endedAsBefore, groupAdded, type Producer, producerOf, transactionTopic, written } from './transaction-parts.ts'

/** What partition 0 has, by words. */
const logs: readonly (readonly [words: string, make: (with_: Conversation, name: string) => Promise<Producer>])[] = [
  [
    'an open transaction',
    async (with_, name) => {
      const producer = await producerOf(with_)
      await written(with_, producer, name)
      return producer
    },
  ],
  [
    'a committed transaction',
    async (with_, name) => {
      const producer = await producerOf(with_)
      await written(with_, producer, name)
      return await ended(with_, producer, true)
    },
  ],
  [
    'an aborted transaction',
    async (with_, name) => {
      const producer = await producerOf(with_)
      await written(with_, producer, name)
      return await ended(with_, producer, false)
    },
  ],
  [
    'a transaction that was committed by EndTxn 4',
    async (with_, name) => {
      const producer = await producerOf(with_)
      await written(with_, producer, name)
      await endedAsBefore(with_, producer, true)
      return producer
    },
  ],
  [
    'an aborted transaction, a committed one and an open one',
    async (with_, name) => {
      const producer = await producerOf(with_)
      await written(with_, producer, name)
      const second = await ended(with_, producer, false)
      await written(with_, second, name)
      const third = await ended(with_, second, true)
      await written(with_, third, name)
      return third
    },
  ],
  [
    'two aborted transactions that overlap',
    async (with_, name) => {
      const [one, two] = [await producerOf(with_, 'one'), await producerOf(with_, 'two')]
      await written(with_, one, name)
      await written(with_, two, name)
      await written(with_, one, name, 1)
      await ended(with_, two, false)
      await written(with_, one, name, 2)
      return await ended(with_, one, false)
    },
  ],
  [
    'a transaction that added it and wrote nothing, aborted',
    async (with_, name) => {
      const producer = await producerOf(with_)
      await added(with_, producer, name)
      return await ended(with_, producer, false)
    },
  ],
]

const isolationLevels = [
  ['read_uncommitted', 0],
  ['read_committed', 1],
] as const

const fetchRows = rowsOf(Fetch, (row) => {
  for (const [words, make] of logs) {
    for (const [level, isolationLevel] of isolationLevels)
      row(`${words}, ${level}`, async (with_) => {
        const name = await transactionTopic(with_)
        await make(with_, name)
        for (const fetchOffset of [0, 1, 2]) {
          const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }]
          await with_.send(Fetch, {
            maxWaitMs: 0,
            minBytes: 0,
            isolationLevel,
            topics: [{ ...named('topic', 13, { with_, name }), partitions }],
          })
        }
      })
  }
})

const listRows = rowsOf(ListOffsets, (row) => {
  for (const [words, make] of logs) {
    for (const [level, isolationLevel] of isolationLevels)
      row(
        `${words}, ${level}`,
        async (with_) => {
          const name = await transactionTopic(with_)
          await make(with_, name)
          for (const timestamp of [-1, -2, ...(with_.version >= 7 ? [-3] : []), firstTimestamp, firstTimestamp + 1])
            await with_.send(ListOffsets, {
              replicaId: -1,
              isolationLevel,
              topics: [{ name, partitions: [{ partitionIndex: 0, timestamp }] }],
            })
        },
        { versions: '2+' },
      )
  }
})

const describeProducersRows = rowsOf(DescribeProducers, (row) => {
  for (const [words, make] of logs)
    row(
      words,
      async (with_) => {
        const name = await transactionTopic(with_)
        await make(with_, name)
        await with_.send(DescribeProducers, { topics: [{ name, partitionIndexes: [0] }] })
      },
      { differs: words.endsWith('EndTxn 4') ? ['describe-producers-time'] : [] },
    )
})

const describeRows = rowsOf(DescribeTransactions, (row) => {
  const describes = async (with_: Conversation, transactionalIds: readonly string[]): Promise<void> =>
    void (await with_.send(DescribeTransactions, { transactionalIds }))
  row('a producer that has begun nothing', async (with_) => await describes(with_, [(await producerOf(with_)).transactionalId]))
  for (const [words, make] of logs)
    row(words, async (with_) => await describes(with_, [(await make(with_, await transactionTopic(with_))).transactionalId]))
  row(
    'an InitProducerId over an open transaction',
    async (with_) => {
      const producer = await producerOf(with_)
      await added(with_, producer, await transactionTopic(with_))
      await producerOf(with_)
      await describes(with_, [producer.transactionalId])
    },
    { differs: ['describe-transactions-epoch'] },
  )
  row('a transaction with partitions of two topics', async (with_) => {
    const producer = await producerOf(with_)
    await added(with_, producer, await with_.topic('b'))
    await added(with_, producer, await with_.topic('a'))
    await describes(with_, [producer.transactionalId])
  })
  row(
    'a transaction with a group',
    async (with_) => {
      const producer = await producerOf(with_)
      await groupAdded(with_, producer, with_.name('group'))
      await describes(with_, [producer.transactionalId])
    },
    { differs: ['describe-transactions-group'] },
  )
  row('ids that are not there, and one twice', async (with_) => {
    const { transactionalId } = await producerOf(with_)
    await describes(with_, [transactionalId, with_.name('missing'), transactionalId])
  })
  row('the empty id', async (with_) => await describes(with_, ['']))
  row('no ids', async (with_) => await describes(with_, []))
})

const listTransactionsRows = rowsOf(ListTransactions, (row) => {
  /** Three ids: Empty, Ongoing and CompleteCommit. */
  const lists = (
    what: string,
    request: (with_: Conversation, producers: readonly Producer[]) => Partial<ListTransactionsRequest>,
    options?: RowOptions,
  ): void =>
    row(
      what,
      async (with_) => {
        const name = await with_.topic()
        const [empty, open, done] = [await producerOf(with_, 'empty'), await producerOf(with_, 'open'), await producerOf(with_, 'done')]
        await added(with_, open, name)
        await added(with_, done, name)
        await endedAsBefore(with_, done, true)
        const asked = { stateFilters: [], producerIdFilters: [], ...request(with_, [empty, open, done]) }
        await with_.sendFiltered(ListTransactions, asked, (response) => ({
          ...response,
          // Kafka answers in the order of a hash table, and words for producers are given in order.
          transactionStates: response.transactionStates
            .filter(({ transactionalId }) => transactionalId.startsWith(with_.name('')))
            .sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1)),
        }))
      },
      options,
    )
  lists('all', () => ({}))
  lists('a state', () => ({ stateFilters: ['Ongoing'] }))
  lists('two states', () => ({ stateFilters: ['Empty', 'CompleteCommit'] }))
  lists('states that do not exist', () => ({ stateFilters: ['Odd', 'ongoing'] }))
  lists('a state and one that does not exist', () => ({ stateFilters: ['Ongoing', 'Odd'] }))
  lists("Kafka's states that do not occur", () => ({ stateFilters: ['PrepareCommit', 'PrepareAbort', 'PrepareEpochFence', 'Dead'] }))
  lists('a producer id', (_, [empty]) => ({ producerIdFilters: [empty?.producerId ?? -1] }))
  lists('a producer id that is not there', () => ({ producerIdFilters: [1_000_077] }))
  lists('a state and a producer id', (_, [empty]) => ({ stateFilters: ['Ongoing'], producerIdFilters: [empty?.producerId ?? -1] }))
  for (const durationFilter of [-1, -5]) lists(`a duration of ${durationFilter}`, () => ({ durationFilter }), { versions: '1+' })
  lists('a duration that no transaction has', () => ({ durationFilter: 1_000_000 }), {
    versions: '1+',
    differs: ['list-transactions-duration'],
  })
  lists('a pattern', (with_) => ({ transactionalIdPattern: `${with_.name('')}o.*` }), { versions: '2+' })
  lists('a pattern of a part', () => ({ transactionalIdPattern: 'open' }), { versions: '2+' })
  lists('the empty pattern', () => ({ transactionalIdPattern: '' }), { versions: '2+' })
  lists('a pattern that is not valid', () => ({ transactionalIdPattern: '(' }), { versions: '2+' })
})

const markerRows = rowsOf(WriteTxnMarkers, (row) => {
  type Marker = WriteTxnMarkersRequest['markers'][number]
  const marks = async (with_: Conversation, { producerId, producerEpoch }: Producer, more: Partial<Marker>): Promise<void> => {
    const marker = { producerId, producerEpoch, transactionResult: false, coordinatorEpoch: 0, topics: [], ...more }
    await with_.send(WriteTxnMarkers, { markers: [{ ...marker, ...(with_.version > 1 && { transactionVersion: 0, ...more }) }] })
  }
  /** As a consumer of committed records sees it. */
  const reads = async (with_: Conversation, name: string): Promise<void> => {
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }]
    await with_.send(Fetch, { maxWaitMs: 0, minBytes: 0, isolationLevel: 1, topics: [{ topic: name, partitions }] }, { version: 12 })
  }
  const partition = (name: string, partitionIndexes: readonly number[] = [0]): Partial<Marker> => ({ topics: [{ name, partitionIndexes }] })

  row(
    "an abort as Kafka's admin client sends it, and again",
    async (with_) => {
      const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
      await written(with_, producer, name)
      await marks(with_, producer, partition(name))
      await reads(with_, name)
      await marks(with_, producer, partition(name))
      await reads(with_, name)
    },
    { differs: ['write-txn-markers-epoch', 'write-txn-markers-nothing'] },
  )
  row('an abort with an older epoch', async (with_) => {
    await producerOf(with_)
    const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
    await written(with_, producer, name)
    await marks(with_, { ...producer, producerEpoch: producer.producerEpoch - 1 }, partition(name))
    await reads(with_, name)
  })
  row(
    'an abort of a transaction that has ended',
    async (with_) => {
      const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
      await written(with_, producer, name)
      await endedAsBefore(with_, producer, true)
      await marks(with_, producer, partition(name))
      await reads(with_, name)
    },
    { differs: ['write-txn-markers-nothing'] },
  )
  row(
    'an abort of a producer that is not there',
    async (with_) => {
      const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
      await marks(with_, { ...producer, producerId: 1_000_077 }, partition(name))
      await reads(with_, name)
    },
    { differs: ['write-txn-markers-nothing'] },
  )
  row('an abort in partitions that are not there', async (with_) => {
    const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
    await marks(with_, producer, partition(name, [7]))
    await marks(with_, producer, partition(with_.name('missing')))
  })
  row(
    'a commit',
    async (with_) => {
      const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
      await written(with_, producer, name)
      await marks(with_, producer, { ...partition(name), transactionResult: true })
      await reads(with_, name)
    },
    { differs: ['write-txn-markers-commit'] },
  )
  row('nothing', async (with_) => void (await with_.send(WriteTxnMarkers, { markers: [] })))
})

export const transactionReadTable: readonly RequestRow[] = [
  ...fetchRows,
  ...listRows,
  ...describeProducersRows,
  ...describeRows,
  ...listTransactionsRows,
  ...markerRows,
]
