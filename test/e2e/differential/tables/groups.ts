// The classic group: finding its coordinator, its members' requests, and what tools list, describe and delete.
import {
  DeleteGroups,
  DescribeGroups,
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  type JoinGroupRequest,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
  type RequestInputOf,
  SyncGroup,
} from '@local-kafka-service/protocol'
import type { Conversation } from '../conversation.ts'
import { type RequestRow, type RowOptions, rowsOf, type Talk } from '../row.ts'
import { utf8 } from './parts.ts'

const findRows = rowsOf(FindCoordinator, (row) => {
  const finds = (
    what: string,
    keys: (with_: Conversation) => readonly string[],
    options: RowOptions & { readonly keyType?: number } = {},
  ): void =>
    row(
      what,
      async (with_) => {
        const { keyType = 0 } = options
        const kind = with_.version < 1 ? {} : { keyType }
        if (with_.version >= 4) await with_.send(FindCoordinator, { ...kind, coordinatorKeys: keys(with_) })
        else for (const key of keys(with_)) await with_.send(FindCoordinator, { ...kind, key })
      },
      options,
    )
  finds('of a group', (with_) => [with_.name()])
  finds('of two groups', (with_) => [with_.name('a'), with_.name('b')])
  finds('of a group twice', (with_) => [with_.name(), with_.name()])
  finds('of the empty name', () => [''])
  finds('of no groups', () => [], { versions: '4+' })
  finds('of an unknown type', () => ['x'], { differs: ['find-coordinator-type'], versions: '1+', keyType: 9 })
  finds('of type -1', () => ['x'], { differs: ['find-coordinator-type'], versions: '1+', keyType: -1 })
  finds('of a share group, before its version', () => ['x'], { differs: ['find-coordinator-type'], versions: '1-5', keyType: 2 })
})

const joinRows = rowsOf(JoinGroup, (row) => {
  const joins = (what: string, request: (with_: Conversation) => Partial<JoinGroupRequest>, options?: RowOptions): void =>
    row(what, async (with_) => void (await with_.send(JoinGroup, joining(with_, request(with_)))), options)

  row('one member, from joining to leaving', async (with_) => {
    const memberId = await member(with_)
    await with_.send(Heartbeat, { groupId: with_.name(), generationId: 1, memberId })
    await with_.send(DescribeGroups, { groups: [with_.name()] })
  })
  joins('the empty group', () => ({ groupId: '' }))
  joins('no protocols', () => ({ protocols: [] }))
  joins('the empty protocol type', () => ({ protocolType: '' }))
  joins('a member id that is not there', () => ({ memberId: 'nobody' }))
  joins('a session time-out of 0', () => ({ sessionTimeoutMs: 0 }))
  joins('a session time-out of -1', () => ({ sessionTimeoutMs: -1 }))
  joins('a session time-out below the least', () => ({ sessionTimeoutMs: 5_999 }))
  joins('a session time-out above the largest', () => ({ sessionTimeoutMs: 1_800_001 }))
  joins('a rebalance time-out of 0', () => ({ rebalanceTimeoutMs: 0 }), { versions: '1-3' })
  joins('an instance id', () => ({ groupInstanceId: 'i1' }), { versions: '5+' })
  joins('the empty instance id', () => ({ groupInstanceId: '' }), { versions: '5+' })
  joins('an instance id of 250 characters', () => ({ groupInstanceId: 'i'.repeat(250) }), { versions: '5+' })
  joins('an instance id and a member id that is not there', () => ({ groupInstanceId: 'i1', memberId: 'nobody' }), { versions: '5+' })
  joins('metadata that is not a subscription', () => ({ protocols: [{ name: 'range', metadata: utf8('x') }] }))
  joins('another protocol type', () => ({ protocolType: 'connect', protocols: [protocol('default')] }))
  row('a second member with another protocol type', async (with_) => {
    await member(with_)
    const second = await with_.connection(1)
    await with_.sendOn(second, JoinGroup, joining(with_, { protocolType: 'connect' }))
  })
  row('a second member without a common protocol', async (with_) => {
    await member(with_)
    const second = await with_.connection(1)
    await with_.sendOn(second, JoinGroup, joining(with_, { protocols: [protocol('sticky')] }))
  })
  row(
    'an instance id twice: the second takes the place of the first',
    async (with_) => {
      const first = await with_.send(JoinGroup, joining(with_, { groupInstanceId: 'i1' }))
      await with_.send(SyncGroup, {
        groupId: with_.name(),
        generationId: 1,
        memberId: first.memberId,
        assignments: [{ memberId: first.memberId, assignment: utf8('a') }],
      })
      const second = await with_.connection(1)
      await with_.sendOn(second, JoinGroup, joining(with_, { groupInstanceId: 'i1' }))
      await with_.send(Heartbeat, { groupId: with_.name(), generationId: 1, memberId: first.memberId, groupInstanceId: 'i1' })
    },
    { versions: '5+' },
  )
})

const syncRows = rowsOf(SyncGroup, (row) => {
  const syncs = (what: string, request: (memberId: string) => Partial<RequestInputOf<typeof SyncGroup>>, options?: RowOptions): void =>
    row(
      what,
      async (with_) => {
        const { memberId } = await joined(with_)
        await with_.send(SyncGroup, {
          groupId: with_.name(),
          generationId: 1,
          memberId,
          assignments: [{ memberId, assignment: utf8('mine') }],
          ...request(memberId),
        })
      },
      options,
    )
  syncs('the assignment of the leader', () => ({}))
  syncs('no assignments', () => ({ assignments: [] }))
  syncs('an assignment of an unknown member', () => ({ assignments: [{ memberId: 'nobody', assignment: utf8('x') }] }))
  syncs('an older generation', () => ({ generationId: 0 }))
  syncs('generation -1', () => ({ generationId: -1 }))
  syncs('a newer generation', () => ({ generationId: 2 }))
  syncs('an unknown member', () => ({ memberId: 'nobody' }))
  syncs('a group that is not there', () => ({ groupId: 'no-such-group' }))
  syncs('the empty group', () => ({ groupId: '' }))
  syncs('the protocol as it is', () => ({ protocolType: 'consumer', protocolName: 'range' }), { versions: '5+' })
  syncs('another protocol type', () => ({ protocolType: 'connect', protocolName: 'range' }), { versions: '5+' })
  syncs('another protocol', () => ({ protocolType: 'consumer', protocolName: 'sticky' }), { versions: '5+' })
  syncs('an unknown instance id', () => ({ groupInstanceId: 'i9' }), { versions: '3+' })
  row('twice', async (with_) => {
    const { memberId } = await joined(with_)
    const request = { groupId: with_.name(), generationId: 1, memberId, assignments: [{ memberId, assignment: utf8('mine') }] }
    await with_.send(SyncGroup, request)
    await with_.send(SyncGroup, { ...request, assignments: [{ memberId, assignment: utf8('other') }] })
  })
})

const heartbeatRows = rowsOf(Heartbeat, (row) => {
  const beats = (what: string, request: Partial<RequestInputOf<typeof Heartbeat>>, options?: RowOptions): void =>
    row(
      what,
      async (with_) => {
        const memberId = await member(with_)
        await with_.send(Heartbeat, { groupId: with_.name(), generationId: 1, memberId, ...request })
      },
      options,
    )
  beats('a member', {})
  beats('an older generation', { generationId: 0 })
  beats('generation -1', { generationId: -1 })
  beats('an unknown member', { memberId: 'nobody' })
  beats('the empty member', { memberId: '' })
  beats('a group that is not there', { groupId: 'no-such-group' })
  beats('the empty group', { groupId: '' })
  beats('an unknown instance id', { groupInstanceId: 'i9' }, { versions: '3+' })
  row('before the assignment is there', async (with_) => {
    const { memberId } = await joined(with_)
    await with_.send(Heartbeat, { groupId: with_.name(), generationId: 1, memberId })
  })
})

const leaveRows = rowsOf(LeaveGroup, (row) => {
  const leaves = (
    what: string,
    members: (memberId: string) => readonly { readonly memberId: string; readonly groupInstanceId?: string }[],
    options: RowOptions & { readonly groupId?: string } = {},
  ): void =>
    row(
      what,
      async (with_) => {
        const { version } = with_
        const left = members(await member(with_))
        const groupId = options.groupId ?? with_.name()
        if (version >= 3) await with_.send(LeaveGroup, { groupId, members: left })
        else for (const { memberId } of left) await with_.send(LeaveGroup, { groupId, memberId })
        await with_.send(DescribeGroups, { groups: [with_.name()] })
      },
      options,
    )
  leaves('a member', (memberId) => [{ memberId }])
  leaves('an unknown member', () => [{ memberId: 'nobody' }])
  leaves('the empty member', () => [{ memberId: '' }])
  leaves('a member twice', (memberId) => [{ memberId }, { memberId }])
  leaves('a group that is not there', (memberId) => [{ memberId }], { groupId: 'no-such-group' })
  leaves('the empty group', (memberId) => [{ memberId }], { groupId: '' })
  leaves('no members', () => [], { versions: '3+' })
  leaves('an unknown instance id', () => [{ memberId: '', groupInstanceId: 'i9' }], { versions: '3+' })
  leaves('a member with an instance id that is not its own', (memberId) => [{ memberId, groupInstanceId: 'i9' }], { versions: '3+' })
})

const describeRows = rowsOf(DescribeGroups, (row) => {
  row('a stable group', async (with_) => {
    await member(with_)
    await with_.send(DescribeGroups, { groups: [with_.name()] })
  })
  row('a group that waits for its assignment', async (with_) => {
    await joined(with_)
    await with_.send(DescribeGroups, { groups: [with_.name()] })
  })
  row('an empty group', async (with_) => {
    const memberId = await member(with_)
    await with_.ask(LeaveGroup, { groupId: with_.name(), members: [{ memberId }] })
    await with_.send(DescribeGroups, { groups: [with_.name()] })
  })
  row('a group that is not there', async (with_) => void (await with_.send(DescribeGroups, { groups: [with_.name()] })))
  row('the empty group', async (with_) => void (await with_.send(DescribeGroups, { groups: [''] })), {
    differs: ['describe-groups-empty-name'],
  })
  row('no groups', async (with_) => void (await with_.send(DescribeGroups, { groups: [] })))
  row('a group twice', async (with_) => {
    await member(with_)
    await with_.send(DescribeGroups, { groups: [with_.name(), with_.name()] })
  })
  row(
    'with authorized operations',
    async (with_) => {
      await member(with_)
      await with_.send(DescribeGroups, { groups: [with_.name()], includeAuthorizedOperations: true })
    },
    { versions: '3+' },
  )
})

const listRows = rowsOf(ListGroups, (row) => {
  /** The answer has the groups of all rows that ran so far: only this row's own are compared. */
  const lists = (what: string, request: RequestInputOf<typeof ListGroups>, options?: RowOptions): void =>
    row(
      what,
      async (with_) => {
        await member(with_)
        await with_.sendFiltered(ListGroups, request, (response) => ({
          ...response,
          groups: response.groups.filter(({ groupId }) => groupId === with_.name()),
        }))
      },
      options,
    )
  lists('all', {})
  lists('stable ones', { statesFilter: ['Stable'] }, { versions: '4+' })
  lists('stable ones, in other letters', { statesFilter: ['stABLE'] }, { versions: '4+' })
  lists('empty ones', { statesFilter: ['Empty'] }, { versions: '4+' })
  lists('those of an unknown state', { statesFilter: ['Nothing'] }, { versions: '4+' })
  lists('classic ones', { typesFilter: ['classic'] }, { versions: '5+' })
  lists('classic ones, in other letters', { typesFilter: ['CLASSIC'] }, { versions: '5+' })
  lists('consumer ones', { typesFilter: ['consumer'] }, { versions: '5+' })
  lists('those of an unknown type', { typesFilter: ['nothing'] }, { versions: '5+' })
  /** Lists after requests that left a group without members, if any. */
  const listsAfter = (what: string, before: Talk, options?: RowOptions): void =>
    row(
      what,
      async (with_) => {
        await before(with_)
        await commitsBeside(with_)
        await with_.sendFiltered(ListGroups, {}, (response) => ({
          ...response,
          groups: response.groups.filter(({ groupId }) => groupId === with_.name()),
        }))
      },
      options,
    )
  listsAfter(
    'a group whose only join was rejected',
    async (with_) => void (await with_.send(JoinGroup, joining(with_, { protocols: [] }))),
    { differs: ['list-groups-rejected-join'] },
  )
  listsAfter('a group whose only join has too short a session time-out', async (with_) => {
    await with_.send(JoinGroup, joining(with_, { sessionTimeoutMs: 0 }))
  })
  listsAfter('a group whose only join has a member id that is not there', async (with_) => {
    await with_.send(JoinGroup, joining(with_, { memberId: 'nobody' }))
  })
  listsAfter('a group whose first member has an id and has not joined with it', async (with_) => {
    await with_.send(JoinGroup, joining(with_))
  })
  listsAfter('a group with committed offsets and no members', async (with_) => {
    const topic = await with_.topic()
    const partitions = [{ partitionIndex: 0, committedOffset: 0, committedMetadata: '' }]
    const topics = [{ topicId: with_.idOf(topic), partitions }]
    await with_.send(OffsetCommit, { groupId: with_.name(), memberId: '', topics })
  })
  listsAfter('a group that its last member has left', async (with_) => {
    const memberId = await member(with_)
    await with_.send(LeaveGroup, { groupId: with_.name(), members: [{ memberId }] })
  })
})

const deleteRows = rowsOf(DeleteGroups, (row) => {
  row('an empty group, and again', async (with_) => {
    const memberId = await member(with_)
    await with_.ask(LeaveGroup, { groupId: with_.name(), members: [{ memberId }] })
    await with_.send(DeleteGroups, { groupsNames: [with_.name()] })
    await with_.send(DeleteGroups, { groupsNames: [with_.name()] })
  })
  row('a group with a member', async (with_) => {
    await member(with_)
    await with_.send(DeleteGroups, { groupsNames: [with_.name()] })
  })
  row('a missing group twice', async (with_) => void (await with_.send(DeleteGroups, { groupsNames: [with_.name(), with_.name()] })))
  row('the empty group', async (with_) => void (await with_.send(DeleteGroups, { groupsNames: [''] })), {
    differs: ['delete-groups-empty-name'],
  })
  row('no groups', async (with_) => void (await with_.send(DeleteGroups, { groupsNames: [] })))
})

export const groupTable: readonly RequestRow[] = [
  ...findRows,
  ...joinRows,
  ...syncRows,
  ...heartbeatRows,
  ...leaveRows,
  ...describeRows,
  ...listRows,
  ...deleteRows,
]

/**
 * Kafka lists what its log of groups has committed, and a group without records is there from the next commit in its partition on. Each of three groups whose names
 * end in consecutive characters belongs to another one of the broker's three partitions.
 */
async function commitsBeside(with_: Conversation): Promise<void> {
  const topicId = with_.idOf(await with_.topic('beside'))
  for (const groupId of ['beside-0', 'beside-1', 'beside-2']) {
    const partitions = [{ partitionIndex: 0, committedOffset: 0, committedMetadata: '' }]
    await with_.ask(OffsetCommit, { groupId: with_.name(groupId), memberId: '', topics: [{ topicId, partitions }] })
  }
}

function protocol(name: string): { readonly name: string; readonly metadata: Uint8Array } {
  // A subscription to no topics: version 0, an empty list, no user data.
  return { name, metadata: Uint8Array.of(0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff) }
}

function joining(with_: Conversation, more: Partial<JoinGroupRequest> = {}): RequestInputOf<typeof JoinGroup> {
  const defaults = {
    groupId: with_.name(),
    sessionTimeoutMs: 30_000,
    // Without one Kafka takes -1 for it, and removes members as soon as they have joined.
    rebalanceTimeoutMs: 30_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [protocol('range')],
  }
  return { ...defaults, ...more }
}

/** Joins as versions before 4 do in one step, and those from 4 on in two. */
async function joined(with_: Conversation): Promise<{ readonly memberId: string }> {
  const first = await with_.send(JoinGroup, joining(with_))
  return first.errorCode === 79 ? await with_.send(JoinGroup, joining(with_, { memberId: first.memberId })) : first
}

/** Of the row's group, alone and stable. */
export async function member(with_: Conversation): Promise<string> {
  const { memberId } = await joined(with_)
  await with_.send(SyncGroup, { groupId: with_.name(), generationId: 1, memberId, assignments: [{ memberId, assignment: utf8('mine') }] })
  return memberId
}
