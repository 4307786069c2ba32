// The offsets of a transaction: AddOffsetsToTxn, TxnOffsetCommit, and what OffsetFetch, OffsetCommit and OffsetDelete do while they are pending.
import { AddOffsetsToTxn, OffsetCommit, OffsetDelete, OffsetFetch, TxnOffsetCommit } from '@local-kafka-service/protocol'
import type { Conversation } from '../conversation.ts'
import { type RequestRow, type RowOptions, rowsOf } from '../row.ts'
import { named } from './parts.ts'
import { ended, groupAdded, offsetsOf, offsetsSent, others, type Producer, producerOf, thirdProducer } from './transaction-parts.ts'

const groupRows = rowsOf(AddOffsetsToTxn, (row) => {
  row('a group, and again', async (with_) => {
    const asked = { ...(await producerOf(with_)), groupId: with_.name('group') }
    await with_.send(AddOffsetsToTxn, asked)
    await with_.send(AddOffsetsToTxn, asked)
  })
  row('the empty group', async (with_) => void (await with_.send(AddOffsetsToTxn, { ...(await producerOf(with_)), groupId: '' })), {
    differs: ['add-offsets-empty-group'],
  })
  row('the empty transactional id', async (with_) => {
    await with_.send(AddOffsetsToTxn, { ...(await producerOf(with_)), transactionalId: '', groupId: with_.name('group') })
  })
  for (const [words, of] of others)
    row(words, async (with_) => {
      await with_.send(AddOffsetsToTxn, { ...of(await thirdProducer(with_)), groupId: with_.name('group') })
    })
})

const offsetRows = rowsOf(
  TxnOffsetCommit,
  (row) => {
    const topicAndProducer = async (with_: Conversation): Promise<readonly [string, Producer]> => [
      await with_.topic(),
      await thirdProducer(with_),
    ]
    const commits = (
      what: string,
      pending: (with_: Conversation) => Parameters<typeof offsetsOf>[3],
      options?: RowOptions,
      of: (producer: Producer) => Producer = (producer) => producer,
    ): void =>
      row(
        what,
        async (with_) => {
          const [name, producer] = await topicAndProducer(with_)
          await groupAdded(with_, producer, with_.name('group'))
          await with_.send(TxnOffsetCommit, offsetsOf(with_, of(producer), name, pending(with_)))
        },
        options,
      )
    commits('a partition', () => ({}))
    commits('a partition that is not there', () => ({ partitions: [0, 1] }))
    commits('another group', (with_) => ({ groupId: with_.name('other') }))
    commits('the empty group', () => ({ groupId: '' }))
    commits('an unknown member', () => ({ member: { memberId: 'nobody', generationId: 3 } }), { versions: '3+' })
    commits('a generation without a member', () => ({ member: { memberId: '', generationId: 3 } }), { versions: '3+' })
    for (const [words, of] of others) commits(words, () => ({}), {}, of)
    row('the empty transactional id', async (with_) => {
      const [name, producer] = await topicAndProducer(with_)
      await with_.send(TxnOffsetCommit, offsetsOf(with_, { ...producer, transactionalId: '' }, name))
    })
    row('in no transaction', async (with_) => {
      const [name, producer] = await topicAndProducer(with_)
      await with_.send(TxnOffsetCommit, offsetsOf(with_, producer, name))
    })
    for (const [words, of] of others)
      row(`${words}, in no transaction`, async (with_) => {
        const [name, producer] = await topicAndProducer(with_)
        await with_.send(TxnOffsetCommit, offsetsOf(with_, of(producer), name))
      })
    row('a topic that is not there', async (with_) => {
      const producer = await producerOf(with_)
      await groupAdded(with_, producer, with_.name('group'))
      await with_.send(TxnOffsetCommit, offsetsOf(with_, producer, with_.name('missing')))
    })
    row('the last epoch, after a commit by EndTxn 5', async (with_) => {
      const [name, producer] = await topicAndProducer(with_)
      await offsetsSent(with_, producer, name)
      await ended(with_, producer, true)
      await with_.send(TxnOffsetCommit, offsetsOf(with_, producer, name))
    })
  },
  { alone: true },
)

const stableRows = rowsOf(OffsetFetch, (row) => {
  for (const requireStable of [true, false])
    row(
      `pending offsets, ${requireStable ? 'only stable' : 'also unstable'} ones: before and after the commit, and after an abort`,
      async (with_) => {
        const [name, producer] = [await with_.topic('a', { partitions: 2 }), await producerOf(with_)]
        const fetches = async (): Promise<void> => {
          const [groupId, topics] = [with_.name('group'), [{ name, topicId: with_.idOf(name), partitionIndexes: [0, 1] }]]
          const byName = topics.map(({ partitionIndexes }) => ({ name, partitionIndexes }))
          const ofVersion = with_.version >= 10 ? topics.map((topic) => ({ ...topic, name: '' })) : byName
          const request = with_.version < 8 ? { groupId, topics: byName } : { groups: [{ groupId, topics: ofVersion }] }
          await with_.send(OffsetFetch, { ...request, requireStable })
          const all = with_.version < 8 ? { groupId, topics: null } : { groups: [{ groupId, topics: null }] }
          await with_.send(OffsetFetch, { ...all, requireStable })
        }
        await offsetsSent(with_, producer, name)
        await fetches()
        const next = await ended(with_, producer, true)
        await fetches()
        await offsetsSent(with_, next, name)
        await ended(with_, next, false)
        await fetches()
      },
      { versions: '7+' },
    )
})

const plainRows = rowsOf(OffsetCommit, (row) => {
  for (const committed of [true, false])
    row(`over pending offsets, whose transaction is then ${committed ? 'committed' : 'aborted'}`, async (with_) => {
      const [name, producer] = [await with_.topic(), await producerOf(with_)]
      await offsetsSent(with_, producer, name)
      const partitions = [{ partitionIndex: 0, committedOffset: 5, committedMetadata: '' }]
      const groupId = with_.name('group')
      await with_.send(OffsetCommit, { groupId, memberId: '', topics: [{ ...named('name', 10, { with_, name }), partitions }] })
      const groups = [{ groupId, topics: null }]
      await with_.send(OffsetFetch, { groups, requireStable: true }, { version: 9 })
      await with_.send(OffsetFetch, { groups, requireStable: false }, { version: 9 })
      await ended(with_, producer, committed)
      await with_.send(OffsetFetch, { groups, requireStable: true }, { version: 9 })
    })
})

const deleteRows = rowsOf(OffsetDelete, (row) => {
  row('a pending offset, whose transaction is then committed', async (with_) => {
    const [name, producer, groupId] = [await with_.topic(), await producerOf(with_), with_.name('group')]
    await offsetsSent(with_, producer, name)
    await with_.send(OffsetDelete, { groupId, topics: [{ name, partitions: [{ partitionIndex: 0 }] }] })
    await ended(with_, producer, true)
    await with_.send(OffsetFetch, { groups: [{ groupId, topics: null }] }, { version: 9 })
  })
})

export const transactionOffsetTable: readonly RequestRow[] = [...groupRows, ...offsetRows, ...stableRows, ...plainRows, ...deleteRows]
