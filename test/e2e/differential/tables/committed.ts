// OffsetCommit, OffsetFetch and OffsetDelete: what groups have committed.
import { OffsetCommit, OffsetDelete, OffsetFetch, type RequestInputOf } from '@local-kafka-service/protocol'
import type { Conversation } from '../conversation.ts'
import { type RequestRow, type RowOptions, rowsOf } from '../row.ts'
import { member } from './groups.ts'
import { named } from './parts.ts'

interface Commit {
  readonly groupId?: string
  readonly generation?: number
  readonly memberId?: string
  readonly instanceId?: string
  readonly offset?: number
  readonly metadata?: string | null
  readonly partition?: number
  readonly topic?: string
}

const commitRows = rowsOf(OffsetCommit, (row) => {
  const commits = (what: string, commit: (with_: Conversation) => Promise<Commit> | Commit, options?: RowOptions): void =>
    row(what, async (with_) => void (await with_.send(OffsetCommit, committing(with_, await with_.topic(), await commit(with_)))), options)
  commits('without a member', () => ({}))
  commits('offset 0', () => ({ offset: 0 }))
  commits('offset -1', () => ({ offset: -1 }))
  commits('offset -2', () => ({ offset: -2 }))
  commits('an offset beyond the end', () => ({ offset: 1_000_000 }))
  commits('null metadata', () => ({ metadata: null }))
  commits('metadata of 4096 bytes', () => ({ metadata: 'm'.repeat(4096) }))
  commits('metadata of 4097 bytes', () => ({ metadata: 'm'.repeat(4097) }))
  commits('a partition that is not there', () => ({ partition: 1 }))
  commits('partition -1', () => ({ partition: -1 }))
  commits('a topic that is not there', (with_) => ({ topic: with_.name('missing') }))
  commits('the empty group', () => ({ groupId: '' }), { differs: ['offset-commit-empty-group'] })
  commits('a generation of a group that is not there', () => ({ generation: 1, memberId: 'nobody' }))
  commits('a member without a generation', () => ({ memberId: 'nobody' }))
  commits('a member', async (with_) => ({ generation: 1, memberId: await member(with_) }))
  commits('a member of an older generation', async (with_) => ({ generation: 0, memberId: await member(with_) }))
  commits('a member of a newer generation', async (with_) => ({ generation: 2, memberId: await member(with_) }))
  commits('an unknown member', async (with_) => {
    await member(with_)
    return { generation: 1, memberId: 'nobody' }
  })
  commits('without a member, into a group that has one', async (with_) => {
    await member(with_)
    return {}
  })
  commits('an unknown instance id', async (with_) => ({ generation: 1, memberId: await member(with_), instanceId: 'i9' }), {
    versions: '7+',
  })
  row(
    'names that cannot be',
    async (with_) => {
      await with_.send(OffsetCommit, committing(with_, '', {}))
      await with_.send(OffsetCommit, committing(with_, 'a b', {}))
    },
    { versions: '2-9' },
  )
  row('no topics', async (with_) => void (await with_.send(OffsetCommit, { groupId: with_.name(), memberId: '', topics: [] })))
  row(
    'a topic without partitions',
    async (with_) => {
      const name = await with_.topic()
      await with_.send(OffsetCommit, {
        groupId: with_.name(),
        memberId: '',
        topics: [{ ...named('name', 10, { with_, name }), partitions: [] }],
      })
    },
    { differs: ['offset-commit-no-partitions'] },
  )
  row('a partition twice', async (with_) => {
    const name = await with_.topic()
    const [one, two] = [committing(with_, name, { offset: 1 }), committing(with_, name, { offset: 2 })]
    const [topic] = one.topics
    const partitions = [...(topic?.partitions ?? []), ...(two.topics[0]?.partitions ?? [])]
    await with_.send(OffsetCommit, { ...one, topics: one.topics.map((each) => ({ ...each, partitions })) })
    await with_.send(OffsetFetch, fetching(with_, [[name, [0]]], 9), { version: 9 })
  })
})

const fetchRows = rowsOf(OffsetFetch, (row) => {
  const fetches = (
    what: string,
    topics: (name: string, with_: Conversation) => readonly (readonly [string, readonly number[]])[] | null,
    options?: RowOptions,
  ): void =>
    row(
      what,
      async (with_) => {
        const name = await with_.topic('a', { partitions: 2 })
        await with_.ask(OffsetCommit, committing(with_, name, { offset: 3, metadata: 'note' }, 9), { version: 9 })
        await with_.send(OffsetFetch, fetching(with_, topics(name, with_)))
      },
      options,
    )
  fetches('a partition', (name) => [[name, [0]]])
  fetches('a partition without an offset', (name) => [[name, [1]]])
  fetches('a partition that is not there', (name) => [[name, [7, -1]]])
  fetches('a partition twice', (name) => [[name, [0, 0]]])
  fetches('a topic twice', (name) => [
    [name, [0]],
    [name, [1]],
  ])
  fetches('a topic without partitions', (name) => [[name, []]])
  fetches('a topic that is not there', (_, with_) => [[with_.name('missing'), [0]]])
  fetches('no topics', () => [])
  fetches('everything', () => null, { versions: '2+' })
  row('a group that is not there', async (with_) => void (await with_.send(OffsetFetch, fetching(with_, [[await with_.topic(), [0]]]))))
  row('everything of a group that is not there', async (with_) => void (await with_.send(OffsetFetch, fetching(with_, null))), {
    versions: '2+',
  })
  row(
    'the empty group',
    async (with_) => {
      const name = await with_.topic()
      if (with_.version < 8) await with_.send(OffsetFetch, { groupId: '', topics: [{ name, partitionIndexes: [0] }] })
      else
        await with_.send(OffsetFetch, {
          groups: [{ groupId: '', topics: [{ ...named('name', 10, { with_, name }), partitionIndexes: [0] }] }],
        })
    },
    { differs: ['offset-fetch-empty-group'] },
  )
  row(
    'stable offsets',
    async (with_) => {
      const name = await with_.topic()
      await with_.send(OffsetFetch, { ...fetching(with_, [[name, [0]]]), requireStable: true })
    },
    { versions: '7+' },
  )
  row('no groups', async (with_) => void (await with_.send(OffsetFetch, { groups: [] })), { versions: '8+' })
  row(
    'two groups and one of them twice',
    async (with_) => {
      const groups = ['a', 'b', 'a'].map((word) => ({ groupId: with_.name(word), topics: null }))
      await with_.send(OffsetFetch, { groups })
    },
    { versions: '8+' },
  )
  row(
    'an unknown member',
    async (with_) => {
      const name = await with_.topic()
      const groups = [
        {
          groupId: with_.name(),
          memberId: 'nobody',
          memberEpoch: 1,
          topics: [{ ...named('name', 10, { with_, name }), partitionIndexes: [0] }],
        },
      ]
      await with_.send(OffsetFetch, { groups })
    },
    { versions: '9+' },
  )
})

const deleteRows = rowsOf(OffsetDelete, (row) => {
  const deletes = (what: string, partitions: readonly number[], options: RowOptions & { readonly groupId?: string } = {}): void =>
    row(
      what,
      async (with_) => {
        const name = await with_.topic('a', { partitions: 2 })
        await with_.ask(OffsetCommit, committing(with_, name, {}, 9), { version: 9 })
        const topics = [{ name, partitions: partitions.map((partitionIndex) => ({ partitionIndex })) }]
        await with_.send(OffsetDelete, { groupId: options.groupId ?? with_.name(), topics })
        await with_.send(OffsetFetch, fetching(with_, null, 9), { version: 9 })
      },
      options,
    )
  deletes('an offset', [0])
  deletes('an offset that is not there', [1])
  deletes('a partition that is not there', [7])
  deletes('a partition twice', [0, 0])
  deletes('no partitions', [], { differs: ['offset-delete-no-partitions'] })
  deletes('of a group that is not there', [0], { groupId: 'no-such-group' })
  deletes('of the empty group', [0], { groupId: '' })
  row('a topic that is not there', async (with_) => {
    const name = await with_.topic()
    await with_.ask(OffsetCommit, committing(with_, name, {}, 9), { version: 9 })
    await with_.send(OffsetDelete, {
      groupId: with_.name(),
      topics: [{ name: with_.name('missing'), partitions: [{ partitionIndex: 0 }] }],
    })
  })
  row('no topics', async (with_) => {
    const name = await with_.topic()
    await with_.ask(OffsetCommit, committing(with_, name, {}, 9), { version: 9 })
    await with_.send(OffsetDelete, { groupId: with_.name(), topics: [] })
  })
})

export const committedTable: readonly RequestRow[] = [...commitRows, ...fetchRows, ...deleteRows]

function committing(with_: Conversation, name: string, commit: Commit, version = with_.version): RequestInputOf<typeof OffsetCommit> {
  const {
    groupId = with_.name(),
    generation = -1,
    memberId = '',
    instanceId,
    offset = 5,
    metadata = '',
    partition = 0,
    topic = name,
  } = commit
  const partitions = [{ partitionIndex: partition, committedOffset: offset, committedMetadata: metadata }]
  return {
    groupId,
    generationIdOrMemberEpoch: generation,
    memberId,
    ...(instanceId !== undefined && { groupInstanceId: instanceId }),
    topics: [{ ...named('name', 10, { with_, name: topic, version }), partitions }],
  }
}

function fetching(
  with_: Conversation,
  requested: readonly (readonly [name: string, partitions: readonly number[]])[] | null,
  version = with_.version,
): RequestInputOf<typeof OffsetFetch> {
  const groupId = with_.name()
  if (version < 8) return { groupId, topics: requested?.map(([name, partitionIndexes]) => ({ name, partitionIndexes })) ?? null }
  const topics =
    requested?.map(([name, partitionIndexes]) => ({ ...named('name', 10, { with_, name, version }), partitionIndexes })) ?? null
  return { groups: [{ groupId, topics }] }
}
