// Every state of a classic group × every event: the answer and the next state. The compiler keeps the table complete.
import { describe, expect, test } from 'vitest'
import type { ClassicGroupState, ClassicRequest, LeaveRequest } from './classic-messages.ts'
import { aJoin, aProtocol, aSync, GroupRun } from './testing/group-run.ts'

/**
 * The groups have the leader `L`, the follower `F` and the static member `S` (instance s). In PreparingRebalance only `F` has joined, in
 * CompletingRebalance none has sent SyncGroup, and in Stable all have. Empty and Dead had the same members. The generation is 2, in Empty 3.
 */
const groups: Record<ClassicGroupState, () => GroupRun> = {
  Dead: () => {
    const run = groups.Empty()
    run.now({ kind: 'delete' })
    return run
  },
  Empty: () => {
    const run = groups.Stable()
    run.now({ kind: 'leave', members: [member(L), member(F), member(S)] })
    return run
  },
  PreparingRebalance: () => {
    const run = groups.Stable()
    run.ask(aJoin(F, { ...protocol('new'), connection: 2 }))
    return run
  },
  CompletingRebalance: () => {
    const run = new GroupRun({ leaveOnDisconnect: true })
    run.ask(aJoin('', { version: 3, unique: 'L', connection: 1 }))
    run.ask(aJoin('', { version: 3, unique: 'F', connection: 2 }))
    run.ask(aJoin('', { unique: 'S', groupInstanceId: 's', connection: 3 }))
    run.pass(6_000)
    run.ask(aJoin(L, { ...protocol('later'), connection: 1 }))
    run.ask(aJoin(F, { connection: 2 }))
    run.ask(aJoin(S, { groupInstanceId: 's', connection: 3 }))
    return run
  },
  Stable: () => {
    const run = groups.CompletingRebalance()
    run.now({ ...aSync(L, 2, { [L]: 'l', [F]: 'f', [S]: 's' }), connection: 1 })
    run.now({ ...aSync(F, 2), connection: 2 })
    run.now({ ...aSync(S, 2), connection: 3 })
    return run
  },
}
const [L, F, S] = ['client-L', 'client-F', 's-S']
const at = (run: GroupRun): number => (run.state.group?.state === 'Empty' ? 3 : 2)

function member(memberId: string, groupInstanceId: string | null = null): LeaveRequest['members'][number] {
  return { memberId, groupInstanceId }
}

function protocol(text: string): { readonly protocols: readonly ReturnType<typeof aProtocol>[] } {
  return { protocols: [aProtocol('range', text)] }
}

type Event = keyof typeof events
type Ask = (run: GroupRun) => ClassicRequest

const events = {
  'JoinGroup without an id': ask(() => aJoin('')),
  'JoinGroup v3 without an id': ask(() => aJoin('', { version: 3 })),
  'JoinGroup of a new static member': ask(() => aJoin('', { groupInstanceId: 'new' })),
  'JoinGroup with an unknown id': ask(() => aJoin('who')),
  'JoinGroup of the leader': ask(() => aJoin(L, protocol('later'))),
  'JoinGroup of a follower, unchanged': ask((run) => aJoin(F, protocol(run.describe().state === 'PreparingRebalance' ? 'new' : 'range'))),
  'JoinGroup of a follower, changed': ask(() => aJoin(F, protocol('other'))),
  'JoinGroup of a static member without its id': ask(() => aJoin('', { groupInstanceId: 's', unique: 'again' })),
  'JoinGroup with another’s instance id': ask(() => aJoin(F, { groupInstanceId: 's' })),
  'JoinGroup with foreign protocols': ask(() => aJoin('', { protocols: [aProtocol('sticky')] })),
  'SyncGroup of the leader': ask((run) => aSync(L, at(run), {})),
  'SyncGroup of a follower': ask((run) => aSync(F, at(run))),
  'SyncGroup of an old generation': ask((run) => aSync(F, at(run) - 1)),
  'SyncGroup with another’s instance id': ask((run) => ({ ...aSync(F, at(run)), groupInstanceId: 's' })),
  Heartbeat: ask((run) => ({ kind: 'heartbeat', ...member(F), generation: at(run) })),
  'Heartbeat of an old generation': ask((run) => ({ kind: 'heartbeat', ...member(F), generation: at(run) - 1 })),
  'Heartbeat of an unknown member': ask((run) => ({ kind: 'heartbeat', ...member('who'), generation: at(run) })),
  'LeaveGroup of a member': ask(() => ({ kind: 'leave', members: [member(F)] })),
  'LeaveGroup of all members': ask(() => ({ kind: 'leave', members: [member(L), member(F), member('', 's')] })),
  'LeaveGroup of an unknown member': ask(() => ({ kind: 'leave', members: [member('who')] })),
  'OffsetCommit of a member': ask((run) => ({ kind: 'commit', version: 9, transactional: false, ...member(F), generation: at(run) })),
  'OffsetCommit of an old generation': ask((run) => ({
    kind: 'commit',
    version: 9,
    transactional: false,
    ...member(F),
    generation: at(run) - 1,
  })),
  'OffsetCommit without a generation': ask(() => ({ kind: 'commit', version: 9, transactional: false, ...member(''), generation: -1 })),
  'TxnOffsetCommit of a member': ask((run) => ({ kind: 'commit', version: 3, transactional: true, ...member(F), generation: at(run) })),
  OffsetDelete: ask(() => ({ kind: 'offset delete' })),
  'the expiry of old offsets': ask(() => ({ kind: 'offset expiry' })),
  DeleteGroups: ask(() => ({ kind: 'delete' })),
  DescribeGroups: ask(() => ({ kind: 'describe' })),
  'the follower’s connection ends': ask(() => ({ kind: 'disconnect', connection: 2 })),
  'the follower’s connection ends, and it joins over another': (run: GroupRun) => {
    run.now({ kind: 'disconnect', connection: 2 })
    return run.error(aJoin(F, { ...protocol(run.describe().state === 'PreparingRebalance' ? 'new' : 'range'), connection: 4 })) ?? 'parked'
  },
  'the follower’s connection ends, and it does not come back': (run: GroupRun) => {
    run.now({ kind: 'disconnect', connection: 2 })
    return after(run, 2_000)
  },
  'all sessions end': (run: GroupRun) => after(run, 10_000),
  'the rebalance time-out ends, with heartbeats': (run: GroupRun) => {
    for (let i = 0; i < 12; i++) {
      after(run, 5_000)
      for (const id of [L, F, S]) run.now({ kind: 'heartbeat', ...member(id), generation: 2 })
    }
    return 'time'
  },
  'a reload': (run: GroupRun) => {
    run.crash()
    return after(run, 0)
  },
} as const satisfies Record<string, (run: GroupRun) => string>

function ask(request: Ask): (run: GroupRun) => string {
  return (run) => run.error(request(run)) ?? 'parked'
}

function after(run: GroupRun, durationMs: number): string {
  run.pass(durationMs)
  return 'time'
}

/** The answer's error, `parked`, or `time` if the event is not a request; then the next state. */
type Cell = readonly [answer: string, next: ClassicGroupState]

const [dead, empty, preparing, completing, stable] = ['Dead', 'Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable'] as const

const table: Record<ClassicGroupState, Record<Event, Cell>> = {
  Dead: {
    'JoinGroup without an id': ['MEMBER_ID_REQUIRED', empty],
    'JoinGroup v3 without an id': ['parked', preparing],
    'JoinGroup of a new static member': ['parked', preparing],
    'JoinGroup with an unknown id': ['UNKNOWN_MEMBER_ID', dead],
    'JoinGroup of the leader': ['UNKNOWN_MEMBER_ID', dead],
    'JoinGroup of a follower, unchanged': ['UNKNOWN_MEMBER_ID', dead],
    'JoinGroup of a follower, changed': ['UNKNOWN_MEMBER_ID', dead],
    'JoinGroup of a static member without its id': ['parked', preparing],
    'JoinGroup with another’s instance id': ['UNKNOWN_MEMBER_ID', dead],
    'JoinGroup with foreign protocols': ['MEMBER_ID_REQUIRED', empty],
    'SyncGroup of the leader': ['UNKNOWN_MEMBER_ID', dead],
    'SyncGroup of a follower': ['UNKNOWN_MEMBER_ID', dead],
    'SyncGroup of an old generation': ['UNKNOWN_MEMBER_ID', dead],
    'SyncGroup with another’s instance id': ['UNKNOWN_MEMBER_ID', dead],
    Heartbeat: ['UNKNOWN_MEMBER_ID', dead],
    'Heartbeat of an old generation': ['UNKNOWN_MEMBER_ID', dead],
    'Heartbeat of an unknown member': ['UNKNOWN_MEMBER_ID', dead],
    'LeaveGroup of a member': ['UNKNOWN_MEMBER_ID', dead],
    'LeaveGroup of all members': ['UNKNOWN_MEMBER_ID,UNKNOWN_MEMBER_ID,UNKNOWN_MEMBER_ID', dead],
    'LeaveGroup of an unknown member': ['UNKNOWN_MEMBER_ID', dead],
    'OffsetCommit of a member': ['GROUP_ID_NOT_FOUND', dead],
    'OffsetCommit of an old generation': ['GROUP_ID_NOT_FOUND', dead],
    'OffsetCommit without a generation': ['NONE', empty],
    'TxnOffsetCommit of a member': ['ILLEGAL_GENERATION', dead],
    OffsetDelete: ['GROUP_ID_NOT_FOUND', dead],
    'the expiry of old offsets': ['NONE', dead],
    DeleteGroups: ['GROUP_ID_NOT_FOUND', dead],
    DescribeGroups: ['NONE', dead],
    'the follower’s connection ends': ['NONE', dead],
    'the follower’s connection ends, and it joins over another': ['UNKNOWN_MEMBER_ID', dead],
    'the follower’s connection ends, and it does not come back': ['time', dead],
    'all sessions end': ['time', dead],
    'the rebalance time-out ends, with heartbeats': ['time', dead],
    'a reload': ['time', dead],
  },
  Empty: {
    'JoinGroup without an id': ['MEMBER_ID_REQUIRED', empty],
    'JoinGroup v3 without an id': ['parked', preparing],
    'JoinGroup of a new static member': ['parked', preparing],
    'JoinGroup with an unknown id': ['UNKNOWN_MEMBER_ID', empty],
    'JoinGroup of the leader': ['UNKNOWN_MEMBER_ID', empty],
    'JoinGroup of a follower, unchanged': ['UNKNOWN_MEMBER_ID', empty],
    'JoinGroup of a follower, changed': ['UNKNOWN_MEMBER_ID', empty],
    'JoinGroup of a static member without its id': ['parked', preparing],
    'JoinGroup with another’s instance id': ['UNKNOWN_MEMBER_ID', empty],
    'JoinGroup with foreign protocols': ['MEMBER_ID_REQUIRED', empty],
    'SyncGroup of the leader': ['UNKNOWN_MEMBER_ID', empty],
    'SyncGroup of a follower': ['UNKNOWN_MEMBER_ID', empty],
    'SyncGroup of an old generation': ['UNKNOWN_MEMBER_ID', empty],
    'SyncGroup with another’s instance id': ['UNKNOWN_MEMBER_ID', empty],
    Heartbeat: ['UNKNOWN_MEMBER_ID', empty],
    'Heartbeat of an old generation': ['UNKNOWN_MEMBER_ID', empty],
    'Heartbeat of an unknown member': ['UNKNOWN_MEMBER_ID', empty],
    'LeaveGroup of a member': ['UNKNOWN_MEMBER_ID', empty],
    'LeaveGroup of all members': ['UNKNOWN_MEMBER_ID,UNKNOWN_MEMBER_ID,UNKNOWN_MEMBER_ID', empty],
    'LeaveGroup of an unknown member': ['UNKNOWN_MEMBER_ID', empty],
    'OffsetCommit of a member': ['UNKNOWN_MEMBER_ID', empty],
    'OffsetCommit of an old generation': ['UNKNOWN_MEMBER_ID', empty],
    'OffsetCommit without a generation': ['NONE', empty],
    'TxnOffsetCommit of a member': ['UNKNOWN_MEMBER_ID', empty],
    OffsetDelete: ['NONE', empty],
    'the expiry of old offsets': ['NONE', empty],
    DeleteGroups: ['NONE', dead],
    DescribeGroups: ['NONE', empty],
    'the follower’s connection ends': ['NONE', empty],
    'the follower’s connection ends, and it joins over another': ['UNKNOWN_MEMBER_ID', empty],
    'the follower’s connection ends, and it does not come back': ['time', empty],
    'all sessions end': ['time', empty],
    'the rebalance time-out ends, with heartbeats': ['time', empty],
    'a reload': ['time', empty],
  },
  PreparingRebalance: {
    'JoinGroup without an id': ['MEMBER_ID_REQUIRED', preparing],
    'JoinGroup v3 without an id': ['parked', preparing],
    'JoinGroup of a new static member': ['parked', preparing],
    'JoinGroup with an unknown id': ['UNKNOWN_MEMBER_ID', preparing],
    'JoinGroup of the leader': ['parked', preparing],
    'JoinGroup of a follower, unchanged': ['parked', preparing],
    'JoinGroup of a follower, changed': ['parked', preparing],
    'JoinGroup of a static member without its id': ['parked', preparing],
    'JoinGroup with another’s instance id': ['FENCED_INSTANCE_ID', preparing],
    'JoinGroup with foreign protocols': ['INCONSISTENT_GROUP_PROTOCOL', preparing],
    'SyncGroup of the leader': ['REBALANCE_IN_PROGRESS', preparing],
    'SyncGroup of a follower': ['REBALANCE_IN_PROGRESS', preparing],
    'SyncGroup of an old generation': ['ILLEGAL_GENERATION', preparing],
    'SyncGroup with another’s instance id': ['FENCED_INSTANCE_ID', preparing],
    Heartbeat: ['REBALANCE_IN_PROGRESS', preparing],
    'Heartbeat of an old generation': ['ILLEGAL_GENERATION', preparing],
    'Heartbeat of an unknown member': ['UNKNOWN_MEMBER_ID', preparing],
    'LeaveGroup of a member': ['NONE', preparing],
    'LeaveGroup of all members': ['NONE,NONE,NONE', empty],
    'LeaveGroup of an unknown member': ['UNKNOWN_MEMBER_ID', preparing],
    'OffsetCommit of a member': ['NONE', preparing],
    'OffsetCommit of an old generation': ['ILLEGAL_GENERATION', preparing],
    'OffsetCommit without a generation': ['UNKNOWN_MEMBER_ID', preparing],
    'TxnOffsetCommit of a member': ['NONE', preparing],
    OffsetDelete: ['NONE', preparing],
    'the expiry of old offsets': ['NONE', preparing],
    DeleteGroups: ['NON_EMPTY_GROUP', preparing],
    DescribeGroups: ['NONE', preparing],
    'the follower’s connection ends': ['NONE', preparing],
    'the follower’s connection ends, and it joins over another': ['parked', preparing],
    'the follower’s connection ends, and it does not come back': ['time', preparing],
    'all sessions end': ['time', completing],
    'the rebalance time-out ends, with heartbeats': ['time', completing],
    'a reload': ['time', preparing],
  },
  CompletingRebalance: {
    'JoinGroup without an id': ['MEMBER_ID_REQUIRED', completing],
    'JoinGroup v3 without an id': ['parked', preparing],
    'JoinGroup of a new static member': ['parked', preparing],
    'JoinGroup with an unknown id': ['UNKNOWN_MEMBER_ID', completing],
    'JoinGroup of the leader': ['NONE', completing],
    'JoinGroup of a follower, unchanged': ['NONE', completing],
    'JoinGroup of a follower, changed': ['parked', preparing],
    'JoinGroup of a static member without its id': ['parked', preparing],
    'JoinGroup with another’s instance id': ['FENCED_INSTANCE_ID', completing],
    'JoinGroup with foreign protocols': ['INCONSISTENT_GROUP_PROTOCOL', completing],
    'SyncGroup of the leader': ['NONE', stable],
    'SyncGroup of a follower': ['parked', completing],
    'SyncGroup of an old generation': ['ILLEGAL_GENERATION', completing],
    'SyncGroup with another’s instance id': ['FENCED_INSTANCE_ID', completing],
    Heartbeat: ['NONE', completing],
    'Heartbeat of an old generation': ['ILLEGAL_GENERATION', completing],
    'Heartbeat of an unknown member': ['UNKNOWN_MEMBER_ID', completing],
    'LeaveGroup of a member': ['NONE', preparing],
    'LeaveGroup of all members': ['NONE,NONE,NONE', empty],
    'LeaveGroup of an unknown member': ['UNKNOWN_MEMBER_ID', completing],
    'OffsetCommit of a member': ['REBALANCE_IN_PROGRESS', completing],
    'OffsetCommit of an old generation': ['ILLEGAL_GENERATION', completing],
    'OffsetCommit without a generation': ['UNKNOWN_MEMBER_ID', completing],
    'TxnOffsetCommit of a member': ['NONE', completing],
    OffsetDelete: ['NONE', completing],
    'the expiry of old offsets': ['NONE', completing],
    DeleteGroups: ['NON_EMPTY_GROUP', completing],
    DescribeGroups: ['NONE', completing],
    'the follower’s connection ends': ['NONE', completing],
    'the follower’s connection ends, and it joins over another': ['NONE', completing],
    'the follower’s connection ends, and it does not come back': ['time', preparing],
    'all sessions end': ['time', empty],
    'the rebalance time-out ends, with heartbeats': ['time', empty],
    'a reload': ['time', completing],
  },
  Stable: {
    'JoinGroup without an id': ['MEMBER_ID_REQUIRED', stable],
    'JoinGroup v3 without an id': ['parked', preparing],
    'JoinGroup of a new static member': ['parked', preparing],
    'JoinGroup with an unknown id': ['UNKNOWN_MEMBER_ID', stable],
    'JoinGroup of the leader': ['parked', preparing],
    'JoinGroup of a follower, unchanged': ['NONE', stable],
    'JoinGroup of a follower, changed': ['parked', preparing],
    'JoinGroup of a static member without its id': ['NONE', stable],
    'JoinGroup with another’s instance id': ['FENCED_INSTANCE_ID', stable],
    'JoinGroup with foreign protocols': ['INCONSISTENT_GROUP_PROTOCOL', stable],
    'SyncGroup of the leader': ['NONE', stable],
    'SyncGroup of a follower': ['NONE', stable],
    'SyncGroup of an old generation': ['ILLEGAL_GENERATION', stable],
    'SyncGroup with another’s instance id': ['FENCED_INSTANCE_ID', stable],
    Heartbeat: ['NONE', stable],
    'Heartbeat of an old generation': ['ILLEGAL_GENERATION', stable],
    'Heartbeat of an unknown member': ['UNKNOWN_MEMBER_ID', stable],
    'LeaveGroup of a member': ['NONE', preparing],
    'LeaveGroup of all members': ['NONE,NONE,NONE', empty],
    'LeaveGroup of an unknown member': ['UNKNOWN_MEMBER_ID', stable],
    'OffsetCommit of a member': ['NONE', stable],
    'OffsetCommit of an old generation': ['ILLEGAL_GENERATION', stable],
    'OffsetCommit without a generation': ['UNKNOWN_MEMBER_ID', stable],
    'TxnOffsetCommit of a member': ['NONE', stable],
    OffsetDelete: ['NONE', stable],
    'the expiry of old offsets': ['NONE', stable],
    DeleteGroups: ['NON_EMPTY_GROUP', stable],
    DescribeGroups: ['NONE', stable],
    'the follower’s connection ends': ['NONE', stable],
    'the follower’s connection ends, and it joins over another': ['NONE', stable],
    'the follower’s connection ends, and it does not come back': ['time', preparing],
    'all sessions end': ['time', empty],
    'the rebalance time-out ends, with heartbeats': ['time', stable],
    'a reload': ['time', stable],
  },
}

describe.each(Object.keys(table) as ClassicGroupState[])('%s', (state) => {
  test.each(Object.keys(events) as Event[])('%s', (event) => {
    const run = groups[state]()
    expect(run.describe().state).toBe(state)
    const answered = events[event](run)
    expect([answered, run.describe().state]).toEqual(table[state][event])
  })
})
