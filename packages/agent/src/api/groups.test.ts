// The group APIs as a client sees them: the shape of each version, Kafka's error for each mistake, and errors that stay with their group. It is one thing: eleven APIs over the same groups.
import {
  DeleteGroups,
  DescribeGroups,
  encodeSubscription,
  errors,
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  type KafkaErrorName,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  SyncGroup,
  zeroUuid,
} from '@local-kafka-service/protocol'
import { describe, expect, test } from 'vitest'
import { expireOffsets } from '../metadata/group-store.contract.ts'
import { MetadataError } from '../metadata/metadata-store.ts'
import { Owners } from '../view/owners.ts'
import type { Gate } from './gate.ts'
import { type AgentForTests, anAgent, aPeer } from './testing/an-agent.ts'

const codeOf = (name: KafkaErrorName): number => errors[name].code
const subscription = { topics: ['t'], userData: null, ownedPartitions: [], generationId: -1, rackId: null }
const protocols = [{ name: 'range', metadata: encodeSubscription(subscription, 1) }]
const joining = { groupId: 'g', sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, memberId: '', protocolType: 'consumer', protocols }

/** One member in a stable group of generation 1. */
async function aMember(kafka: AgentForTests, groupId = 'g'): Promise<string> {
  const { memberId } = await kafka.call(JoinGroup, 3, { ...joining, groupId })
  const { errorCode } = await kafka.call(SyncGroup, 3, { groupId, generationId: 1, memberId, assignments: [] })
  expect(errorCode).toBe(0)
  return memberId
}

interface Committing {
  readonly groupId?: string
  readonly generation?: number
  readonly memberId?: string
  readonly metadata?: string | null
  readonly offset?: number
}

/** Commits partition 0 of `t` and returns its error code. */
async function commit(kafka: AgentForTests, of: Committing = {}, version = 8): Promise<number | undefined> {
  const { groupId = 'g', generation = -1, memberId = '', metadata = null, offset = 7 } = of
  const { topics } = await kafka.call(OffsetCommit, version, {
    groupId,
    generationIdOrMemberEpoch: generation,
    memberId,
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: metadata }] }],
  })
  return topics[0]?.partitions[0]?.errorCode
}

describe('FindCoordinator', () => {
  test('answers this agent under the address that the client connected to: one before version 4, one for each key from then on', async () => {
    await using kafka = await anAgent()
    const here = { nodeId: kafka.agent.brokerId, host: 'kafka.test', port: 9092, errorCode: 0 }
    expect(await kafka.call(FindCoordinator, 0, { key: 'g' })).toMatchObject(here)
    expect(await kafka.call(FindCoordinator, 3, { key: 'g', keyType: 0 })).toMatchObject(here)
    const { coordinators } = await kafka.call(FindCoordinator, 6, { coordinatorKeys: ['g', 'h'], keyType: 0 })
    expect(coordinators).toMatchObject([
      { key: 'g', ...here },
      { key: 'h', ...here },
    ])
    expect(await kafka.call(FindCoordinator, 3, { key: 'a transactional id', keyType: 1 })).toMatchObject(here)
  })

  test('answers the owner of the slot, or no node while the slot has no owner', async () => {
    await using kafka = await anAgent()
    const owners = new Owners({ slots: 1, brokerId: 1, incarnation: { id: 1, nonce: '0123456789abcdef' } })
    const ask = async () => (await kafka.call(FindCoordinator, 4, { coordinatorKeys: ['g'] }, { services: { owners } })).coordinators[0]
    expect(await ask()).toMatchObject({ nodeId: -1, host: '', port: -1, errorCode: codeOf('COORDINATOR_NOT_AVAILABLE') })
    owners.publishSlots([{ slot: 0, owner: 2, epoch: 1 }])
    owners.publishMembers([
      {
        incarnation: 2,
        brokerId: 5,
        agent: 'other',
        host: 'other.test',
        port: 19092,
        beats: 1,
        rack: null,
        controlUrl: null,
        dataUrl: null,
      },
    ])
    expect(await ask()).toMatchObject({ nodeId: 5, host: 'other.test', port: 19092, errorCode: 0 })
  })

  test.each([
    [2, 5, 'INVALID_REQUEST'],
    [2, 6, 'UNSUPPORTED_VERSION'],
    [7, 6, 'INVALID_REQUEST'],
  ] as const)('a key of type %i in version %i: %s', async (keyType, version, error) => {
    await using kafka = await anAgent()
    const { coordinators } = await kafka.call(FindCoordinator, version, { coordinatorKeys: ['x'], keyType })
    expect(coordinators).toMatchObject([{ key: 'x', nodeId: -1, errorCode: codeOf(error) }])
  })
})

describe('members', () => {
  test('from version 4 on a member without an id gets one and must join again with it', async () => {
    await using kafka = await anAgent()
    const first = await kafka.call(JoinGroup, 9, joining)
    expect(first).toMatchObject({ errorCode: codeOf('MEMBER_ID_REQUIRED'), generationId: -1, protocolName: null })
    expect(first.memberId).toMatch(/^test-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const second = await kafka.call(JoinGroup, 9, { ...joining, memberId: first.memberId })
    const { memberId } = first
    expect(second).toMatchObject({
      errorCode: 0,
      generationId: 1,
      leader: memberId,
      memberId,
      protocolType: 'consumer',
      protocolName: 'range',
    })
    expect(second.members).toEqual([expect.objectContaining({ memberId, groupInstanceId: null })])
  })

  test('the protocol name of an answer without a protocol is empty before version 7, and null from then on', async () => {
    await using kafka = await anAgent()
    for (const [version, protocolName] of [
      [6, ''],
      [7, null],
    ] as const) {
      const answer = await kafka.call(JoinGroup, version, { ...joining, sessionTimeoutMs: 1 })
      expect(answer).toMatchObject({ errorCode: codeOf('INVALID_SESSION_TIMEOUT'), protocolName })
    }
  })

  test('in version 0 the session time-out is also the rebalance time-out', async () => {
    await using kafka = await anAgent()
    const { rebalanceTimeoutMs: _, ...without } = joining
    expect(await kafka.call(JoinGroup, 0, without)).toMatchObject({ errorCode: 0, generationId: 1 })
  })

  test('a follower waits in SyncGroup for the leader, and in JoinGroup for the others', async () => {
    await using kafka = await anAgent()
    const leader = await aMember(kafka)
    const follower = kafka.call(JoinGroup, 3, joining, { peer: aPeer({ connectionId: 2 }) })
    const beat = async (): Promise<number> =>
      (await kafka.call(Heartbeat, 3, { groupId: 'g', generationId: 1, memberId: leader })).errorCode
    await expect.poll(beat, { timeout: 10_000, interval: 1 }).toBe(codeOf('REBALANCE_IN_PROGRESS'))
    const led = await kafka.call(JoinGroup, 3, { ...joining, memberId: leader })
    const followed = await follower
    expect(led).toMatchObject({ generationId: 2, leader })
    expect(led.members).toHaveLength(2)
    expect(followed).toMatchObject({ generationId: 2, leader, members: [] })
    const claim = { groupId: 'g', generationId: 2 }
    const synced = kafka.call(SyncGroup, 3, { ...claim, memberId: followed.memberId, assignments: [] })
    const assignments = [
      { memberId: leader, assignment: Buffer.from('mine') },
      { memberId: followed.memberId, assignment: Buffer.from('yours') },
    ]
    const own = await kafka.call(SyncGroup, 3, { ...claim, memberId: leader, assignments })
    expect([own, await synced].map(({ assignment }) => Buffer.from(assignment).toString())).toEqual(['mine', 'yours'])
  })

  test('a member leaves when its connection ends, if the setting says so', async () => {
    await using kafka = await anAgent()
    const gone = new AbortController()
    const options = { signal: gone.signal, peer: aPeer({ connectionId: 9 }) }
    const { memberId } = await kafka.call(JoinGroup, 3, joining, options)
    await kafka.call(SyncGroup, 3, { groupId: 'g', generationId: 1, memberId, assignments: [] }, options)
    gone.abort()
    const state = async () => (await kafka.call(DescribeGroups, 5, { groups: ['g'] })).groups[0]?.groupState
    await expect.poll(state, { timeout: 10_000, interval: 1 }).toBe('Empty')
  })

  test.each([
    ['an unknown member', { memberId: 'nobody' }, 'UNKNOWN_MEMBER_ID'],
    ['an old generation', { generationId: 0 }, 'ILLEGAL_GENERATION'],
    ['another group', { groupId: 'h' }, 'UNKNOWN_MEMBER_ID'],
    ['no group id', { groupId: '' }, 'INVALID_GROUP_ID'],
  ] as const)('%s: Heartbeat and SyncGroup are rejected', async (_, wrong, error) => {
    await using kafka = await anAgent()
    const claim = { groupId: 'g', generationId: 1, memberId: await aMember(kafka), ...wrong }
    expect(await kafka.call(Heartbeat, 4, claim)).toMatchObject({ errorCode: codeOf(error) })
    const named = { protocolType: 'consumer', protocolName: 'range' }
    expect(await kafka.call(SyncGroup, 5, { ...claim, ...named, assignments: [] })).toMatchObject({ errorCode: codeOf(error) })
  })

  test.each([{}, { protocolType: 'consumer', protocolName: 'other' }, { protocolType: 'connect', protocolName: 'range' }])(
    'SyncGroup 5 with the protocol %j is rejected',
    async (named) => {
      await using kafka = await anAgent()
      const memberId = await aMember(kafka)
      const answer = await kafka.call(SyncGroup, 5, { groupId: 'g', generationId: 1, memberId, ...named, assignments: [] })
      expect(answer.errorCode).toBe(codeOf('INCONSISTENT_GROUP_PROTOCOL'))
    },
  )

  test('before version 3 LeaveGroup has one member and a top-level error; from then on each member has its own error', async () => {
    await using kafka = await anAgent()
    const memberId = await aMember(kafka)
    expect(await kafka.call(LeaveGroup, 2, { groupId: 'g', memberId: 'nobody' })).toMatchObject({ errorCode: codeOf('UNKNOWN_MEMBER_ID') })
    const left = await kafka.call(LeaveGroup, 5, { groupId: 'g', members: [{ memberId: 'nobody' }, { memberId }] })
    expect(left).toMatchObject({
      errorCode: 0,
      members: [
        { memberId: 'nobody', errorCode: codeOf('UNKNOWN_MEMBER_ID') },
        { memberId, errorCode: 0 },
      ],
    })
  })

  test('while the database is unavailable members get COORDINATOR_NOT_AVAILABLE', async () => {
    await using kafka = await anAgent()
    const find = (): Promise<never> => Promise.reject(new MetadataError('unavailable', 'away'))
    const topics = Object.assign(Object.create(kafka.services.topics), { find })
    const { topics: answered } = await kafka.call(
      OffsetCommit,
      8,
      {
        groupId: 'g',
        memberId: '',
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] }],
      },
      { services: { topics } },
    )
    expect(answered[0]?.partitions[0]?.errorCode).toBe(codeOf('COORDINATOR_NOT_AVAILABLE'))
  })
})

describe('offsets', () => {
  test('are committed by any client while the group has no members, and otherwise by its members only', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    expect(await commit(kafka)).toBe(0)
    const memberId = await aMember(kafka)
    expect(await commit(kafka)).toBe(codeOf('UNKNOWN_MEMBER_ID'))
    expect(await commit(kafka, { memberId, generation: 1 })).toBe(0)
    expect(await commit(kafka, { memberId, generation: 2 })).toBe(codeOf('ILLEGAL_GENERATION'))
    expect(await commit(kafka, { memberId: 'nobody', generation: 1 })).toBe(codeOf('UNKNOWN_MEMBER_ID'))
    expect(await commit(kafka, { groupId: '' })).toBe(codeOf('INVALID_GROUP_ID'))
  })

  test('of a generation in an unknown group are rejected with the error of the version', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    expect(await commit(kafka, { generation: 1, memberId: 'm' }, 8)).toBe(codeOf('ILLEGAL_GENERATION'))
    expect(await commit(kafka, { generation: 1, memberId: 'm' }, 9)).toBe(codeOf('GROUP_ID_NOT_FOUND'))
  })

  test.each([2, 3, 4])('C6: version %i: a retention of the request is accepted and enforced', async (version) => {
    await using kafka = await anAgent()
    await kafka.topic('t', 5)
    for (const [partitionIndex, retentionTimeMs] of [-1, 0, 100_000, 86_400_000, Number.MAX_SAFE_INTEGER].entries()) {
      const partitions = [{ partitionIndex, committedOffset: 1, committedMetadata: null }]
      const { topics } = await kafka.call(OffsetCommit, version, {
        groupId: 'g',
        memberId: '',
        retentionTimeMs,
        topics: [{ name: 't', partitions }],
      })
      expect(topics[0]?.partitions).toEqual([{ partitionIndex, errorCode: 0 }])
    }
    const left = async (): Promise<readonly number[]> => (await kafka.services.groups.offsets('g')).map(({ partition }) => partition)
    expect(await left()).toEqual([0, 1, 2, 3, 4])
    await expireOffsets(kafka.metadata.groups, 3_600_000)
    expect(await left()).toEqual([0, 2, 3, 4])
    await expireOffsets(kafka.metadata.groups, 0)
    expect(await left()).toEqual([2, 3, 4])
  })

  test('C17: an offset beyond 2^53 is an error of its partition, and the connection goes on', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t', 2)
    const partition = (partitionIndex: number, committedOffset: number) => ({ partitionIndex, committedOffset, committedMetadata: null })
    // The decoder turns every larger int64 into the largest safe integer.
    const topics = [{ name: 't', partitions: [partition(0, Number.MAX_SAFE_INTEGER), partition(1, 1)] }]
    const answer = await kafka.call(OffsetCommit, 2, { groupId: 'g', memberId: '', topics })
    expect(answer.topics[0]?.partitions).toEqual([
      { partitionIndex: 0, errorCode: errors.INVALID_REQUEST.code },
      { partitionIndex: 1, errorCode: 0 },
    ])
  })

  test('one partition that cannot be committed does not affect the others', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t', 3)
    const one = { committedOffset: 5, committedMetadata: 'm' }
    const request = {
      groupId: 'g',
      memberId: '',
      topics: [
        {
          name: 't',
          partitions: [
            { ...one, partitionIndex: 0, committedMetadata: 'x'.repeat(4096) },
            { ...one, partitionIndex: 1, committedMetadata: 'x'.repeat(4097) },
            { ...one, partitionIndex: 3 },
            { ...one, partitionIndex: -1 },
          ],
        },
        { name: 'nowhere', partitions: [{ ...one, partitionIndex: 0 }] },
        { name: 'no name', partitions: [{ ...one, partitionIndex: 0 }] },
      ],
    }
    const { topics } = await kafka.call(OffsetCommit, 8, request)
    const unknown = codeOf('UNKNOWN_TOPIC_OR_PARTITION')
    expect(topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode))).toEqual([
      [0, codeOf('OFFSET_METADATA_TOO_LARGE'), unknown, unknown],
      [unknown],
      [unknown],
    ])
    const { groups } = await kafka.call(OffsetFetch, 8, { groups: [{ groupId: 'g', topics: null }] })
    expect(groups[0]?.topics.map(({ name, partitions }) => [name, partitions.map(({ partitionIndex }) => partitionIndex)])).toEqual([
      ['t', [0]],
    ])
  })

  test('a commit of unknown partitions only does not create the group', async () => {
    await using kafka = await anAgent()
    expect(await commit(kafka)).toBe(codeOf('UNKNOWN_TOPIC_OR_PARTITION'))
    expect(await kafka.call(ListGroups, 5, {})).toMatchObject({ groups: [] })
  })

  test('by topic id: an unknown id is an error, for a commit and for a fetch', async () => {
    await using kafka = await anAgent()
    const topicId = await kafka.topic('t')
    const partitions = [{ partitionIndex: 0, committedOffset: 3, committedLeaderEpoch: 4, committedMetadata: 'm' }]
    const unknown = 'AAAAAAAAAAAAAAAAAAAAAQ'
    const ids = [topicId, unknown, zeroUuid]
    const request = { groupId: 'g', memberId: '', topics: ids.map((id) => ({ topicId: id, partitions })) }
    const committed = await kafka.call(OffsetCommit, 10, request)
    const codes = [0, codeOf('UNKNOWN_TOPIC_ID'), codeOf('UNKNOWN_TOPIC_ID')]
    expect(committed.topics.map((topic) => [topic.topicId, topic.partitions[0]?.errorCode])).toEqual(ids.map((id, at) => [id, codes[at]]))
    const asked = ids.map((id) => ({ topicId: id, partitionIndexes: [0] }))
    const { groups } = await kafka.call(OffsetFetch, 10, { groups: [{ groupId: 'g', memberId: null, topics: asked }] })
    expect(groups[0]?.topics.map((topic) => [topic.topicId, topic.partitions[0]?.committedOffset, topic.partitions[0]?.errorCode])).toEqual(
      [
        [topicId, 3, 0],
        [unknown, -1, codes[1]],
        [zeroUuid, -1, codes[2]],
      ],
    )
    const all = await kafka.call(OffsetFetch, 10, { groups: [{ groupId: 'g', topics: null }] })
    expect(all.groups[0]?.topics).toMatchObject([
      { topicId, partitions: [{ partitionIndex: 0, committedOffset: 3, committedLeaderEpoch: 4, metadata: 'm', errorCode: 0 }] },
    ])
  })

  test.each([1, 5, 7])('in version %i are fetched of one group; a partition without a commit is -1, without an error', async (version) => {
    await using kafka = await anAgent()
    await kafka.topic('t', 2)
    await commit(kafka, { metadata: 'm' })
    const topics = [
      { name: 't', partitionIndexes: [0, 1, 99] },
      { name: 'nowhere', partitionIndexes: [0] },
    ]
    const none = { committedOffset: -1, metadata: '', errorCode: 0 }
    const answer = await kafka.call(OffsetFetch, version, { groupId: 'g', topics })
    expect(answer.topics).toMatchObject([
      {
        name: 't',
        partitions: [
          { partitionIndex: 0, committedOffset: 7, metadata: 'm', errorCode: 0 },
          { partitionIndex: 1, ...none },
          { partitionIndex: 99, ...none },
        ],
      },
      { name: 'nowhere', partitions: [none] },
    ])
    const unknown = await kafka.call(OffsetFetch, version, { groupId: 'no-such-group', topics })
    expect(unknown.topics[0]?.partitions[0]).toMatchObject(none)
  })

  test('of many groups: the rejection of one group does not affect the others', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    await commit(kafka)
    const gate: Gate = { authorize: (_context, _operation, { name }) => name !== 'secret', throttle: () => 0 }
    const request = { groups: ['secret', 'g', ''].map((groupId) => ({ groupId, topics: null })), requireStable: true }
    const { groups } = await kafka.call(OffsetFetch, 9, request, { services: { gate } })
    expect(groups).toMatchObject([
      { groupId: 'secret', errorCode: codeOf('GROUP_AUTHORIZATION_FAILED'), topics: [] },
      { groupId: 'g', errorCode: 0, topics: [{ name: 't' }] },
      { groupId: '', errorCode: codeOf('INVALID_GROUP_ID'), topics: [] },
    ])
  })

  test('a rejection is on the partitions in version 1, and at the top level from version 2 on', async () => {
    await using kafka = await anAgent()
    const request = { groupId: '', topics: [{ name: 't', partitionIndexes: [0] }] }
    const first = await kafka.call(OffsetFetch, 1, request)
    expect(first.topics[0]?.partitions).toMatchObject([{ committedOffset: -1, errorCode: codeOf('INVALID_GROUP_ID') }])
    expect(await kafka.call(OffsetFetch, 2, request)).toMatchObject({ errorCode: codeOf('INVALID_GROUP_ID'), topics: [] })
  })

  test('are deleted with the topic: a later topic of the same name has none', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    await commit(kafka)
    await kafka.services.topics.delete({ name: 't' })
    await kafka.topic('t')
    const { topics } = await kafka.call(OffsetFetch, 5, { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] })
    expect(topics[0]?.partitions).toMatchObject([{ committedOffset: -1, errorCode: 0 }])
  })

  test('are deleted of topics that no member subscribes to', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    await kafka.topic('u')
    await commit(kafka)
    await aMember(kafka)
    const request = (groupId: string) => ({
      groupId,
      topics: [
        { name: 't', partitions: [{ partitionIndex: 0 }] },
        { name: 'u', partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] },
      ],
    })
    const { errorCode, topics } = await kafka.call(OffsetDelete, 0, request('g'))
    expect([errorCode, ...topics.flatMap(({ partitions }) => partitions.map((one) => one.errorCode))]).toEqual([
      0,
      codeOf('GROUP_SUBSCRIBED_TO_TOPIC'),
      0,
      codeOf('UNKNOWN_TOPIC_OR_PARTITION'),
    ])
    const missing = await kafka.call(OffsetDelete, 0, request('nobody'))
    expect(missing).toMatchObject({ errorCode: codeOf('GROUP_ID_NOT_FOUND'), topics: [] })
    const { groups } = await kafka.call(OffsetFetch, 8, { groups: [{ groupId: 'g', topics: null }] })
    expect(groups[0]?.topics).toHaveLength(1)
  })
})

describe('administration', () => {
  test('groups are listed by state and type, whatever the case; an unknown name matches no group', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    await commit(kafka, { groupId: 'empty' })
    await aMember(kafka, 'stable')
    const list = async (filter: { readonly statesFilter?: readonly string[]; readonly typesFilter?: readonly string[] }) =>
      (await kafka.call(ListGroups, 5, filter)).groups.map(({ groupId }) => groupId)
    expect((await kafka.call(ListGroups, 5, {})).groups).toMatchObject([
      { groupId: 'empty', protocolType: '', groupState: 'Empty', groupType: 'classic' },
      { groupId: 'stable', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' },
    ])
    expect(await list({ statesFilter: ['stable'] })).toEqual(['stable'])
    expect(await list({ statesFilter: ['EMPTY', 'Dead'], typesFilter: ['Classic'] })).toEqual(['empty'])
    expect(await list({ typesFilter: ['consumer'] })).toEqual([])
    expect(await list({ statesFilter: ['Nonsense'] })).toEqual([])
  })

  test('a client that may not describe the cluster sees the groups that it may describe', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    await commit(kafka, { groupId: 'mine' })
    await commit(kafka, { groupId: 'theirs' })
    const gate: Gate = { authorize: (_context, _operation, { name }) => name === 'mine', throttle: () => 0 }
    const { groups } = await kafka.call(ListGroups, 0, {}, { services: { gate } })
    expect(groups).toMatchObject([{ groupId: 'mine' }])
  })

  test('a group is described with its members, and with authorized operations on request', async () => {
    await using kafka = await anAgent()
    const memberId = await aMember(kafka)
    const { groups } = await kafka.call(DescribeGroups, 6, { groups: ['g'], includeAuthorizedOperations: true })
    expect(groups).toMatchObject([
      {
        errorCode: 0,
        errorMessage: null,
        groupState: 'Stable',
        protocolType: 'consumer',
        protocolData: 'range',
        members: [{ memberId, clientId: 'test', clientHost: '/10.0.0.9' }],
        // READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS
        authorizedOperations: (1 << 3) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 11),
      },
    ])
  })

  test('an unknown group is Dead; from version 6 on it also has an error', async () => {
    await using kafka = await anAgent()
    expect((await kafka.call(DescribeGroups, 5, { groups: ['absent'] })).groups).toMatchObject([{ errorCode: 0, groupState: 'Dead' }])
    expect((await kafka.call(DescribeGroups, 6, { groups: ['absent', ''] })).groups).toMatchObject([
      { errorCode: codeOf('GROUP_ID_NOT_FOUND'), errorMessage: 'Group absent not found.', groupState: 'Dead' },
      { errorCode: codeOf('INVALID_GROUP_ID') },
    ])
    expect(await kafka.call(ListGroups, 5, {})).toMatchObject({ groups: [] })
  })

  test('groups without members are deleted, each with its own answer', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    await commit(kafka, { groupId: 'empty' })
    await aMember(kafka, 'busy')
    const { results } = await kafka.call(DeleteGroups, 2, { groupsNames: ['empty', 'busy', 'nobody', 'empty'] })
    expect(results).toMatchObject([
      { groupId: 'empty', errorCode: 0 },
      { groupId: 'busy', errorCode: codeOf('NON_EMPTY_GROUP') },
      { groupId: 'nobody', errorCode: codeOf('GROUP_ID_NOT_FOUND') },
    ])
    expect((await kafka.call(ListGroups, 0, {})).groups).toMatchObject([{ groupId: 'busy' }])
  })
})
