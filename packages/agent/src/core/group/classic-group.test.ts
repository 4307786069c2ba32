// The rules of the classic group, one by one, with the numbers of docs/specs/classic-group.md.
// It is longer than 400 lines because it is the other half of the spec: each rule there has its test here.
import { describe, expect, test } from 'vitest'
import { fixedLimits } from '../../limits.ts'
import { ClassicGroup } from './classic-group.ts'
import type { ClassicSettings, JoinReply, JoinRequest } from './classic-messages.ts'
import { aJoin, aProtocol, aSync, bytes, errorOf, GroupRun, text, theSettings } from './testing/group-run.ts'

/** A stable group of members with ids from the machine. The first is the leader, and each has the assignment `<id>!`. */
function aStableGroup(
  members: readonly Partial<JoinRequest>[] = [{}, {}],
  settings: Partial<ClassicSettings> = {},
): { readonly run: GroupRun; readonly ids: readonly string[]; readonly joins: readonly JoinReply[] } {
  const run = new GroupRun(settings)
  const asked = members.map((more, i) => run.ask(aJoin('', { version: 3, unique: `${i}`, connection: i, ...more })))
  run.pass(run.settings.initialRebalanceDelayMs * 2)
  const joins = asked.map((id) => {
    const reply = run.answer(id, 'join')
    if (reply === undefined) throw new Error('a member is still waiting')
    return reply
  })
  const ids = joins.map(({ memberId }) => memberId)
  const generation = joins[0]?.generation ?? -1
  const assignments = Object.fromEntries(ids.map((id) => [id, `${id}!`]))
  joins.forEach(({ memberId, leader }, i) => {
    const groupInstanceId = members[i]?.groupInstanceId ?? null
    const sync = aSync(memberId, generation, memberId === leader ? assignments : {})
    run.ask({ ...sync, groupInstanceId, connection: i })
  })
  expect(run.describe().state).toBe('Stable')
  expect(run.parked.size).toBe(0)
  return { run, ids, joins }
}

/** A subscription of version 1, as a consumer sends it. */
function subscription(...topics: readonly string[]): Uint8Array {
  const names = topics.flatMap((topic) => [0, topic.length, ...bytes(topic)])
  return new Uint8Array([0, 1, 0, 0, 0, topics.length, ...names, 0xff, 0xff, 0xff, 0xff])
}

const beat = (memberId: string, generation: number, groupInstanceId: string | null = null) =>
  ({ kind: 'heartbeat', memberId, generation, groupInstanceId }) as const
const commit = (memberId: string, generation: number, more: { version?: number; transactional?: boolean; groupInstanceId?: string } = {}) =>
  ({ kind: 'commit', memberId, generation, groupInstanceId: null, version: 9, transactional: false, ...more }) as const
const leave = (...ids: readonly string[]) =>
  ({ kind: 'leave', members: ids.map((memberId) => ({ memberId, groupInstanceId: null })) }) as const

describe('ids', () => {
  test('J1 from version 4 a new dynamic member first gets an id, and the group waits for it', () => {
    const run = new GroupRun()
    const first = run.now(aJoin('', { version: 4, unique: 'a' }))
    expect([first.error, first.memberId, first.generation]).toEqual(['MEMBER_ID_REQUIRED', 'client-a', -1])
    expect(run.describe()).toMatchObject({ state: 'Empty', members: [] })
    expect(run.error(aJoin('client-a'))).toBeUndefined()
    expect(run.describe()).toMatchObject({ state: 'PreparingRebalance', members: [{ memberId: 'client-a' }] })
  })

  test('J1 a rebalance waits for a pending id until its session ends', () => {
    const { run, ids } = aStableGroup([{}])
    const [leader = ''] = ids
    run.now(aJoin('', { unique: 'new', sessionTimeoutMs: 6_000 }))
    const rejoin = run.ask(aJoin(leader))
    expect(run.answer(rejoin, 'join')).toBeUndefined()
    run.pass(5_999)
    expect(run.answer(rejoin, 'join')).toBeUndefined()
    run.pass(1)
    expect(run.answer(rejoin, 'join')).toMatchObject({ error: 'NONE', generation: 2 })
    expect(run.error(aJoin('client-new'))).toBe('UNKNOWN_MEMBER_ID')
  })

  test('J2 below version 4, and as a static member, a client joins at once', () => {
    for (const more of [{ version: 3 }, { version: 9, groupInstanceId: 's' }]) {
      const run = new GroupRun()
      expect(run.error(aJoin('', more))).toBeUndefined()
      expect(run.describe().members).toMatchObject([{ memberId: `${more.groupInstanceId ?? 'client'}-x` }])
    }
  })

  test('J3 an unknown id is rejected, and creates no group', () => {
    const run = new GroupRun()
    expect(run.now(aJoin('who'))).toMatchObject({ error: 'UNKNOWN_MEMBER_ID', memberId: 'who' })
    expect(run.describe().state).toBe('Dead')
    const { run: stable } = aStableGroup()
    expect(stable.error(aJoin('who'))).toBe('UNKNOWN_MEMBER_ID')
    expect(stable.describe().state).toBe('Stable')
  })

  test('J4 session time-outs outside the bounds are rejected, both bounds are valid', () => {
    const bounds = { minSessionTimeoutMs: 6_000, maxSessionTimeoutMs: 9_000 }
    for (const sessionTimeoutMs of [5_999, 9_001]) {
      const run = new GroupRun(bounds)
      expect(run.error(aJoin('', { sessionTimeoutMs }))).toBe('INVALID_SESSION_TIMEOUT')
      expect(run.describe().state).toBe('Dead')
    }
    for (const sessionTimeoutMs of [6_000, 9_000]) {
      expect(new GroupRun(bounds).error(aJoin('', { sessionTimeoutMs }))).toBe('MEMBER_ID_REQUIRED')
    }
  })

  test('J5 a full group rejects new members, and keeps its own', () => {
    const { run, ids } = aStableGroup([{}, {}], { maxSize: 2 })
    expect(run.now(aJoin('', { version: 3 }))).toMatchObject({ error: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
    expect(run.error(aJoin(ids[1] ?? ''))).toBe('NONE')
    expect(run.describe().members).toHaveLength(2)
  })

  test('J5 in the join phase only members that have joined count', () => {
    const run = new GroupRun({ maxSize: 1 })
    expect(run.error(aJoin('', { version: 3, unique: 'a' }))).toBeUndefined()
    expect(run.error(aJoin('', { version: 3, unique: 'b' }))).toBe('GROUP_MAX_SIZE_REACHED')
    expect(run.describe().members).toMatchObject([{ memberId: 'client-a' }])
  })

  test('J5 the number of pending ids is limited too', () => {
    const run = new GroupRun({ maxSize: 2 })
    expect(['a', 'b', 'c'].map((unique) => run.error(aJoin('', { unique })))).toEqual([
      'MEMBER_ID_REQUIRED',
      'MEMBER_ID_REQUIRED',
      'GROUP_MAX_SIZE_REACHED',
    ])
  })
})

test('J5 a client that requests ids in a loop reaches the limit of pending ids, however large a group may be', () => {
  const machine = new ClassicGroup({ ...theSettings, maxSize: 2 ** 31 - 1 })
  const ask = (i: number): string[] => {
    const { changes, replies } = machine.handle(aJoin('', { unique: `${i}` }), i, 0)
    for (const change of changes) machine.apply(change)
    return replies.map(({ reply }) => errorOf(reply))
  }
  for (let i = 0; i < fixedLimits.idsHandedOutPerGroup; i++) expect(ask(i)).toEqual(['MEMBER_ID_REQUIRED'])
  expect(ask(fixedLimits.idsHandedOutPerGroup)).toEqual(['GROUP_MAX_SIZE_REACHED'])
})

describe('protocols', () => {
  test('P1 a first member must name a type and a protocol', () => {
    for (const more of [{ protocolType: '' }, { protocols: [] }]) {
      expect(new GroupRun().error(aJoin('', more))).toBe('INCONSISTENT_GROUP_PROTOCOL')
    }
  })

  test('P2 a client with another type, or without a protocol that all members have, is rejected', () => {
    const { run, ids } = aStableGroup([{ protocols: [aProtocol('a'), aProtocol('b')] }, { protocols: [aProtocol('b')] }])
    expect(run.error(aJoin('', { protocolType: 'connect', protocols: [aProtocol('b')] }))).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(run.error(aJoin('', { protocols: [aProtocol('a')] }))).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(run.error(aJoin(ids[0] ?? '', { protocols: [aProtocol('c')] }))).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(run.error(aJoin('', { protocols: [aProtocol('c'), aProtocol('b')] }))).toBe('MEMBER_ID_REQUIRED')
  })

  test('P3 the protocol with the most votes wins: each member votes for its first common protocol', () => {
    const [a, b, c] = [aProtocol('a'), aProtocol('b'), aProtocol('c')]
    const { joins } = aStableGroup([{ protocols: [a, b, c] }, { protocols: [c, b] }, { protocols: [c, b, a] }])
    expect(joins.map(({ protocolName }) => protocolName)).toEqual(['c', 'c', 'c'])
    const { joins: others } = aStableGroup([{ protocols: [a, b] }, { protocols: [c, b] }])
    expect(others[0]?.protocolName).toBe('b')
  })

  test('P4 an empty group accepts a new type', () => {
    const { run, ids } = aStableGroup()
    run.now(leave(...ids))
    expect(run.describe()).toMatchObject({ state: 'Empty', protocolType: 'consumer', generation: 2 })
    expect(run.error(aJoin('', { protocolType: 'connect' }))).toBe('MEMBER_ID_REQUIRED')
    expect(run.error(aJoin('client-x', { protocolType: 'connect' }))).toBeUndefined()
    expect(run.describe().protocolType).toBe('connect')
  })
})

describe('the join phase', () => {
  test('R1 an empty group waits for the initial delay, and longer while members join, up to the rebalance time-out', () => {
    const run = new GroupRun({ initialRebalanceDelayMs: 3_000 })
    const join = (unique: string): number => run.ask(aJoin('', { version: 3, unique, rebalanceTimeoutMs: 7_000 }))
    const first = join('a')
    run.pass(2_999)
    join('b')
    run.pass(2)
    expect(run.answer(first, 'join')).toBeUndefined()
    join('c')
    run.pass(3_000)
    join('d')
    expect(run.answer(first, 'join')).toBeUndefined()
    run.pass(998)
    expect(run.answer(first, 'join')).toBeUndefined()
    run.pass(1)
    expect(run.answer(first, 'join')).toMatchObject({ error: 'NONE', generation: 1 })
    expect(run.describe().members).toHaveLength(4)
  })

  test('R1 without new members the initial delay is not extended', () => {
    const run = new GroupRun({ initialRebalanceDelayMs: 3_000 })
    const first = run.ask(aJoin('', { version: 3 }))
    run.pass(2_999)
    expect(run.answer(first, 'join')).toBeUndefined()
    run.pass(1)
    expect(run.answer(first, 'join')?.generation).toBe(1)
  })

  test('R1 without a delay the first member gets its generation in the same turn', () => {
    const run = new GroupRun({ initialRebalanceDelayMs: 0 })
    expect(run.now(aJoin('', { version: 3 }))).toMatchObject({ error: 'NONE', generation: 1, leader: 'client-x' })
  })

  test('R2 the generation begins when the last known member has joined', () => {
    const { run, ids } = aStableGroup([{}, {}, {}])
    const asked = ids.map((id) => {
      expect(run.describe().generation).toBe(1)
      return run.ask(aJoin(id, { protocols: [aProtocol('range', `${id}, again`)] }))
    })
    const replies = asked.map((id) => run.answer(id, 'join'))
    expect(replies.map((reply) => reply?.generation)).toEqual([2, 2, 2])
    expect(replies[0]?.members.map(({ metadata }) => text(metadata))).toEqual(ids.map((id) => `${id}, again`))
  })

  test('R3 a member that has not joined by the rebalance time-out is removed; if it is the leader, another one leads', () => {
    const { run, ids } = aStableGroup([{ sessionTimeoutMs: 1_000_000 }, { sessionTimeoutMs: 1_000_000 }])
    const [leader = '', follower = ''] = ids
    const asked = run.ask(aJoin(follower, { protocols: [aProtocol('range', 'new')], sessionTimeoutMs: 1_000_000 }))
    run.pass(59_999)
    expect(run.answer(asked, 'join')).toBeUndefined()
    run.pass(1)
    expect(run.answer(asked, 'join')).toMatchObject({ error: 'NONE', generation: 2, leader: follower, members: [{ memberId: follower }] })
    expect(run.error(beat(leader, 1))).toBe('UNKNOWN_MEMBER_ID')
  })

  test('R3 absent static members stay for their session; without other members the group goes on waiting', () => {
    const { run, ids } = aStableGroup([
      { groupInstanceId: 's', sessionTimeoutMs: 200_000 },
      { groupInstanceId: 't', sessionTimeoutMs: 90_000 },
    ])
    const [s = ''] = ids
    const asked = run.ask(aJoin(s, { groupInstanceId: 's', sessionTimeoutMs: 200_000 }))
    run.pass(60_000)
    expect(run.answer(asked, 'join')).toMatchObject({ generation: 2, members: [{ groupInstanceId: 's' }, { groupInstanceId: 't' }] })
    run.pass(60_000)
    expect(run.describe()).toMatchObject({ state: 'Empty', generation: 3, members: [] })
  })

  test('R3 with only static members, of which none has joined, the join phase begins again', () => {
    const { run, ids } = aStableGroup([
      { groupInstanceId: 's', sessionTimeoutMs: 500_000 },
      { groupInstanceId: 't', sessionTimeoutMs: 6_000 },
    ])
    run.pass(6_000 + 60_000)
    expect(run.describe()).toMatchObject({ state: 'PreparingRebalance', generation: 1, members: [{ groupInstanceId: 's' }] })
    const asked = run.ask(aJoin(ids[0] ?? '', { groupInstanceId: 's' }))
    expect(run.answer(asked, 'join')).toMatchObject({ error: 'NONE', generation: 2, leader: ids[0] })
  })

  test('R3 a leader that has joined again stays the leader, at any place among the members', () => {
    const { run, ids } = aStableGroup([{ groupInstanceId: 's' }, {}])
    run.now(aJoin('', { groupInstanceId: 's', unique: 'again' }))
    expect(run.describe()).toMatchObject({ leader: 's-again', members: [{ memberId: ids[1] }, { memberId: 's-again' }] })
    const asked = [aJoin('s-again', { groupInstanceId: 's' }), aJoin(ids[1] ?? '')].map((join) => run.ask(join))
    expect(asked.map((id) => run.answer(id, 'join')?.leader)).toEqual(['s-again', 's-again'])
  })

  test('R4 only the leader receives the list of members', () => {
    const { joins, ids } = aStableGroup([{}, { groupInstanceId: 's' }])
    expect(joins[0]).toMatchObject({ leader: ids[0], protocolType: 'consumer', protocolName: 'range', skipAssignment: false })
    expect(joins[0]?.members).toEqual([
      { memberId: ids[0], groupInstanceId: null, metadata: bytes('range') },
      { memberId: ids[1], groupInstanceId: 's', metadata: bytes('range') },
    ])
    expect(joins[1]).toMatchObject({ leader: ids[0], members: [] })
  })

  test('R5 in a stable group a JoinGroup of the leader or of a changed follower starts a rebalance; an unchanged follower gets its answer again', () => {
    const joins: readonly (readonly [number, string, string | undefined])[] = [
      [0, 'range', undefined],
      [1, 'new', undefined],
      [1, 'range', 'NONE'],
    ]
    for (const [who, metadata, error] of joins) {
      const { run, ids } = aStableGroup()
      expect(run.error(aJoin(ids[who] ?? '', { protocols: [aProtocol('range', metadata)] }))).toBe(error)
      expect(run.describe().state).toBe(error === undefined ? 'PreparingRebalance' : 'Stable')
    }
  })

  test('R6 a second JoinGroup replaces a parked one, which is answered', () => {
    const { run, ids } = aStableGroup()
    const [first, second] = [run.ask(aJoin(ids[0] ?? '')), run.ask(aJoin(ids[0] ?? ''))]
    expect(run.answer(first, 'join')?.error).toBe('REBALANCE_IN_PROGRESS')
    expect(run.answer(second, 'join')).toBeUndefined()
    run.ask(aJoin(ids[1] ?? ''))
    expect(run.answer(second, 'join')?.generation).toBe(2)
  })

  test('R7 a JoinGroup of version 0 has its session time-out as rebalance time-out', () => {
    const run = new GroupRun()
    run.ask(aJoin('', { version: 0, sessionTimeoutMs: 7_000, rebalanceTimeoutMs: -1 }))
    expect(run.state.member.get('client-x')?.rebalanceTimeoutMs).toBe(7_000)
  })
})

describe('the sync phase', () => {
  function aCompletingGroup(): { readonly run: GroupRun; readonly leader: string; readonly follower: string } {
    const { run, ids } = aStableGroup([{}, {}])
    const [leader = '', follower = ''] = ids
    run.ask(aJoin(leader))
    run.ask(aJoin(follower))
    expect(run.describe()).toMatchObject({ state: 'CompletingRebalance', generation: 2 })
    return { run, leader, follower }
  }

  test('S1 followers wait for the leader; a member that it omits gets an empty assignment, an unknown id is ignored', () => {
    const { run, leader, follower } = aCompletingGroup()
    const waiting = run.ask(aSync(follower, 2))
    expect(run.answer(waiting, 'sync')).toBeUndefined()
    const own = run.now(aSync(leader, 2, { [leader]: 'mine', nobody: 'lost' }))
    expect([text(own.assignment), own.protocolType, own.protocolName]).toEqual(['mine', 'consumer', 'range'])
    expect(run.answer(waiting, 'sync')).toMatchObject({ error: 'NONE', assignment: bytes('') })
    expect(run.describe()).toMatchObject({ state: 'Stable', generation: 2 })
  })

  test('S2 a follower that syncs after the leader gets its assignment at once, as often as it sends SyncGroup', () => {
    const { run, leader, follower } = aCompletingGroup()
    run.now(aSync(leader, 2, { [follower]: 'yours' }))
    for (let i = 0; i < 2; i++) expect(text(run.now(aSync(follower, 2)).assignment)).toBe('yours')
  })

  test('S3 a member that has not sent SyncGroup by the rebalance time-out is removed', () => {
    const { run, leader, follower } = aCompletingGroup()
    run.now(aSync(leader, 2, { [leader]: 'a', [follower]: 'b' }))
    for (let i = 0; i < 6; i++) {
      run.pass(9_000)
      for (const id of [leader, follower]) expect(run.error(beat(id, 2))).toBe('NONE')
    }
    run.pass(6_000)
    expect(run.describe()).toMatchObject({ state: 'PreparingRebalance', members: [{ memberId: leader }] })
    expect(run.error(beat(follower, 2))).toBe('UNKNOWN_MEMBER_ID')
    expect(run.error(beat(leader, 2))).toBe('REBALANCE_IN_PROGRESS')
  })

  test('S3 the last SyncGroup ends the time-out', () => {
    const { run, leader, follower } = aCompletingGroup()
    run.now(aSync(leader, 2))
    run.now(aSync(follower, 2))
    for (let i = 0; i < 9; i++) {
      run.pass(9_000)
      for (const id of [leader, follower]) expect(run.error(beat(id, 2))).toBe('NONE')
    }
    expect(run.describe()).toMatchObject({ state: 'Stable', generation: 2 })
  })

  test('S4 a rebalance that begins before the leader has synced sends all members back to JoinGroup, and voids the old assignments', () => {
    const { run, leader, follower } = aCompletingGroup()
    const waiting = run.ask(aSync(follower, 2))
    expect(run.error(aJoin(leader, { protocols: [aProtocol('range', 'new')] }))).toBeUndefined()
    expect(run.answer(waiting, 'sync')?.error).toBe('REBALANCE_IN_PROGRESS')
    expect(run.describe().members.map(({ assignment }) => text(assignment))).toEqual(['', ''])
  })

  test('S5 an unchanged member that joins again gets its answer again, and the phase goes on', () => {
    const { run, leader, follower } = aCompletingGroup()
    expect(run.now(aJoin(leader))).toMatchObject({ error: 'NONE', generation: 2, members: [{ memberId: leader }, { memberId: follower }] })
    expect(run.now(aJoin(follower))).toMatchObject({ error: 'NONE', generation: 2, members: [] })
    expect(run.describe().state).toBe('CompletingRebalance')
  })

  test('S6 generation, type and protocol must match the group’s, if the request names them', () => {
    const { run, leader, follower } = aCompletingGroup()
    expect(run.error(aSync(leader, 1))).toBe('ILLEGAL_GENERATION')
    expect(run.error(aSync('who', 2))).toBe('UNKNOWN_MEMBER_ID')
    expect(run.error({ ...aSync(follower, 2), protocolType: 'connect' })).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(run.error({ ...aSync(follower, 2), protocolName: 'sticky' })).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(run.error({ ...aSync(follower, 2), protocolType: 'consumer', protocolName: 'range' })).toBeUndefined()
  })

  test('S7 a second SyncGroup replaces a parked one, which is answered', () => {
    const { run, leader, follower } = aCompletingGroup()
    const [first, second] = [run.ask(aSync(follower, 2)), run.ask(aSync(follower, 2))]
    expect(run.answer(first, 'sync')?.error).toBe('REBALANCE_IN_PROGRESS')
    run.now(aSync(leader, 2, { [follower]: 'yours' }))
    expect(text(run.answer(second, 'sync')?.assignment)).toBe('yours')
  })

  test('S8 a member with a parked SyncGroup may leave: the request is answered', () => {
    const { run, follower } = aCompletingGroup()
    const waiting = run.ask(aSync(follower, 2))
    expect(run.error(leave(follower))).toBe('NONE')
    expect(run.answer(waiting, 'sync')?.error).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('sessions', () => {
  test('T1 a member that is silent for its session is removed, and the others rebalance', () => {
    const { run, ids } = aStableGroup([{ sessionTimeoutMs: 6_000 }, { sessionTimeoutMs: 20_000 }])
    run.pass(6_000)
    expect(run.describe()).toMatchObject({ state: 'PreparingRebalance', members: [{ memberId: ids[1] }], leader: ids[1] })
  })

  test('T1 heartbeats and commits extend a session; JoinGroup and SyncGroup that change nothing do not', () => {
    for (const sign of [beat, commit]) {
      const { run, ids } = aStableGroup([{}])
      for (let i = 0; i < 5; i++) {
        run.pass(9_999)
        expect(run.error(sign(ids[0] ?? '', 1))).toBe('NONE')
      }
      run.pass(10_000)
      expect(run.describe().state).toBe('Empty')
    }
    const { run, ids } = aStableGroup([{ sessionTimeoutMs: 100_000 }, {}])
    run.pass(9_000)
    expect(run.error(aJoin(ids[1] ?? ''))).toBe('NONE')
    expect(run.error(aSync(ids[1] ?? '', 1))).toBe('NONE')
    run.pass(1_000)
    expect(run.describe().members).toHaveLength(1)
  })

  test('T2 the session of a member with a parked request does not end; the answer starts it again', () => {
    const { run, ids } = aStableGroup([{}, { sessionTimeoutMs: 100_000 }])
    const asked = run.ask(aJoin(ids[0] ?? ''))
    run.pass(30_000)
    run.ask(aJoin(ids[1] ?? '', { sessionTimeoutMs: 100_000 }))
    expect(run.answer(asked, 'join')?.error).toBe('NONE')
    run.pass(9_999)
    expect(run.describe().members).toHaveLength(2)
    run.pass(1)
    expect(run.describe().members).toHaveLength(1)
  })

  test('T3 a new member’s first JoinGroup is not parked indefinitely', () => {
    const { run } = aStableGroup([{ sessionTimeoutMs: 1_000_000, rebalanceTimeoutMs: 1_000_000 }])
    const asked = run.ask(aJoin('', { version: 3, unique: 'new' }))
    run.pass(299_999)
    expect(run.answer(asked, 'join')).toBeUndefined()
    run.pass(1)
    expect(run.answer(asked, 'join')).toMatchObject({ error: 'UNKNOWN_MEMBER_ID', memberId: '' })
  })

  test('T4 a rejected heartbeat has the error that tells the member what to do', () => {
    const { run, ids } = aStableGroup([{}, { groupInstanceId: 's' }])
    const [leader = '', s = ''] = ids
    expect(run.error(beat(leader, 0))).toBe('ILLEGAL_GENERATION')
    expect(run.error(beat('who', 1))).toBe('UNKNOWN_MEMBER_ID')
    expect(run.error(beat(s, 1, 's'))).toBe('NONE')
    expect(run.error(beat(leader, 1, 's'))).toBe('FENCED_INSTANCE_ID')
    expect(run.error(beat(s, 1, 't'))).toBe('UNKNOWN_MEMBER_ID')
    run.ask(aJoin(leader))
    expect(run.error(beat(s, 1, 's'))).toBe('REBALANCE_IN_PROGRESS')
  })
})

describe('static members', () => {
  const two = [{ groupInstanceId: 's' }, { groupInstanceId: 't' }]

  test('I1 in a stable group a static member that joins again gets a new id, keeps its assignment, and starts no rebalance', () => {
    const { run, ids } = aStableGroup(two)
    const [s = '', t = ''] = ids
    const back = run.now(aJoin('', { groupInstanceId: 't', unique: 'again' }))
    expect(back).toMatchObject({ error: 'NONE', memberId: 't-again', generation: 1, leader: s, members: [], skipAssignment: false })
    expect(run.describe().state).toBe('Stable')
    expect(text(run.now({ ...aSync('t-again', 1), groupInstanceId: 't' }).assignment)).toBe(`${t}!`)
    expect(run.error(beat(t, 1, 't'))).toBe('FENCED_INSTANCE_ID')
    expect(run.error(beat(t, 1))).toBe('UNKNOWN_MEMBER_ID')
  })

  test('I2 from version 9 on a leader that joins again gets the members and skips the assignment; before, the answer names the old leader', () => {
    const { run, ids } = aStableGroup(two)
    expect(run.now(aJoin('', { groupInstanceId: 's', unique: 'again' }))).toMatchObject({
      leader: 's-again',
      skipAssignment: true,
      members: [{ memberId: ids[1] }, { memberId: 's-again' }],
    })
    const { run: old, ids: oldIds } = aStableGroup(two)
    const reply = old.now(aJoin('', { groupInstanceId: 's', unique: 'again', version: 8 }))
    expect(reply).toMatchObject({ leader: oldIds[0], skipAssignment: false, members: [] })
  })

  test('I3 a static member that joins again and changes the group’s protocol starts a rebalance', () => {
    const both = [aProtocol('a'), aProtocol('b')]
    const { run } = aStableGroup([
      { groupInstanceId: 's', protocols: both },
      { groupInstanceId: 't', protocols: both },
    ])
    expect(run.error(aJoin('', { groupInstanceId: 't', unique: '2', protocols: [aProtocol('b')] }))).toBeUndefined()
    expect(run.describe().state).toBe('PreparingRebalance')
  })

  test('I4 a static member that joins again while the leader computes the assignment starts a rebalance', () => {
    const { run, ids } = aStableGroup(two)
    run.ask(aJoin(ids[0] ?? '', { groupInstanceId: 's' }))
    run.ask(aJoin(ids[1] ?? '', { groupInstanceId: 't' }))
    const waiting = run.ask({ ...aSync(ids[1] ?? '', 2), groupInstanceId: 't' })
    expect(run.error(aJoin('', { groupInstanceId: 't', unique: 'again' }))).toBeUndefined()
    expect(run.answer(waiting, 'sync')?.error).toBe('FENCED_INSTANCE_ID')
    expect(run.describe().state).toBe('PreparingRebalance')
  })

  test('I5 a request that is parked under the old id is fenced', () => {
    const { run, ids } = aStableGroup(two)
    const waiting = run.ask(aJoin(ids[0] ?? '', { groupInstanceId: 's' }))
    expect(run.error(aJoin('', { groupInstanceId: 's', unique: 'again' }))).toBeUndefined()
    expect(run.answer(waiting, 'join')).toMatchObject({ error: 'FENCED_INSTANCE_ID', memberId: ids[0] })
    expect(run.error(aJoin(ids[0] ?? '', { groupInstanceId: 's' }))).toBe('FENCED_INSTANCE_ID')
  })
})

describe('leaving', () => {
  test('L1 each leaving member has its own answer', () => {
    const { run, ids } = aStableGroup([{}, { groupInstanceId: 's' }, { groupInstanceId: 't' }, {}])
    const [a = '', s = ''] = ids
    const members = [
      { memberId: a, groupInstanceId: null },
      { memberId: a, groupInstanceId: null },
      { memberId: '', groupInstanceId: 's' },
      { memberId: s, groupInstanceId: 's' },
      { memberId: 'who', groupInstanceId: 't' },
      { memberId: '', groupInstanceId: 'u' },
      { memberId: '', groupInstanceId: null },
    ]
    const reply = run.now({ kind: 'leave', members })
    const errors = [
      'NONE',
      'UNKNOWN_MEMBER_ID',
      'NONE',
      'UNKNOWN_MEMBER_ID',
      'FENCED_INSTANCE_ID',
      'UNKNOWN_MEMBER_ID',
      'UNKNOWN_MEMBER_ID',
    ]
    expect(reply.members).toEqual(members.map((member, i) => ({ ...member, error: errors[i] })))
    expect(run.describe()).toMatchObject({ state: 'PreparingRebalance', members: [{ groupInstanceId: 't' }, { memberId: ids[3] }] })
  })

  test('L2 after its last member left the group is empty, one generation later', () => {
    const { run, ids } = aStableGroup([{}])
    expect(run.error(leave(...ids))).toBe('NONE')
    expect(run.describe()).toMatchObject({ state: 'Empty', generation: 2, members: [], leader: '' })
  })

  test('L3 the last member that a rebalance waits for may leave instead', () => {
    const { run, ids } = aStableGroup()
    const asked = run.ask(aJoin(ids[0] ?? ''))
    run.now(leave(ids[1] ?? ''))
    expect(run.answer(asked, 'join')).toMatchObject({ error: 'NONE', generation: 2, members: [{ memberId: ids[0] }] })
  })

  test('L4 a dynamic member whose connection ends leaves after reconnectMs with leaveOnDisconnect; a static one and one with a newer connection stay', () => {
    const members = [{}, {}, { groupInstanceId: 's' }]
    const { run: patient } = aStableGroup(members)
    patient.now({ kind: 'disconnect', connection: 1 })
    patient.pass(2_000)
    expect(patient.describe().state).toBe('Stable')
    const { run, ids } = aStableGroup(members, { leaveOnDisconnect: true })
    run.now({ ...beat(ids[0] ?? '', 1), connection: 7 })
    for (const connection of [0, 1, 2]) run.now({ kind: 'disconnect', connection })
    run.pass(1_999)
    expect(run.describe()).toMatchObject({ state: 'Stable', members: ids.map((memberId) => ({ memberId })) })
    run.pass(1)
    expect(run.describe()).toMatchObject({ state: 'PreparingRebalance', members: [{ memberId: ids[0] }, { memberId: ids[2] }] })
  })

  test('L4 a session that ends before reconnectMs is not extended', () => {
    const { run } = aStableGroup([{}], { leaveOnDisconnect: true })
    run.pass(9_000)
    run.now({ kind: 'disconnect', connection: 0 })
    run.pass(1_000)
    expect(run.describe().state).toBe('Empty')
  })

  test.each([
    ['Heartbeat', (id: string) => beat(id, 1)],
    ['OffsetCommit', (id: string) => ({ ...beat(id, 1), kind: 'commit', version: 9, transactional: false }) as const],
    ['SyncGroup', (id: string) => aSync(id, 1)],
    ['an unchanged JoinGroup', (id: string) => aJoin(id)],
  ])('C2: L4 %s over another connection keeps the member, with a full session', (_, request) => {
    const { run, ids } = aStableGroup([{}, {}], { leaveOnDisconnect: true })
    const [leader = '', follower = ''] = ids
    run.now({ kind: 'disconnect', connection: 1 })
    run.pass(1_500)
    expect(run.error({ ...request(follower), connection: 9 })).toBe('NONE')
    // The other member's session must not end before this one's.
    run.now(beat(leader, 1))
    run.pass(9_999)
    expect(run.describe().state).toBe('Stable')
    run.pass(1)
    expect(run.describe().members.map(({ memberId }) => memberId)).not.toContain(follower)
  })

  test('C2: L4 a member that joins again over another connection before the group notices the end of the old one stays, too', () => {
    const { run, ids } = aStableGroup([{}, {}], { leaveOnDisconnect: true })
    expect(run.error(aJoin(ids[1] ?? '', { connection: 9 }))).toBe('NONE')
    run.now({ kind: 'disconnect', connection: 1 })
    run.pass(5_000)
    expect(run.describe().state).toBe('Stable')
  })

  test('C2: L4 in a rebalance the parked JoinGroup of an ended connection is answered, and the phase waits for the next one', () => {
    const { run, ids } = aStableGroup([{}, {}], { leaveOnDisconnect: true })
    const [leader = '', follower = ''] = ids
    const lost = run.ask(aJoin(follower, { protocols: [aProtocol('range', 'new')], connection: 1 }))
    run.now({ kind: 'disconnect', connection: 1 })
    expect(run.answer(lost, 'join')?.error).toBe('REBALANCE_IN_PROGRESS')
    const asked = run.ask(aJoin(leader, { connection: 0 }))
    run.pass(1_000)
    expect(run.answer(asked, 'join')).toBeUndefined()
    const back = run.ask(aJoin(follower, { connection: 2 }))
    for (const id of [asked, back]) expect(run.answer(id, 'join')).toMatchObject({ error: 'NONE', generation: 2 })
  })

  test('L4 a rebalance waits for a pending id whose connection has ended for at most reconnectMs', () => {
    const { run, ids } = aStableGroup([{}], { leaveOnDisconnect: true })
    run.now(aJoin('', { unique: 'new', connection: 5 }))
    const asked = run.ask(aJoin(ids[0] ?? '', { connection: 0 }))
    run.now({ kind: 'disconnect', connection: 5 })
    run.pass(1_999)
    expect(run.answer(asked, 'join')).toBeUndefined()
    run.pass(1)
    expect(run.answer(asked, 'join')?.generation).toBe(2)
  })

  test('L4 a member in its first JoinGroup leaves at once with its connection: it does not know its id', () => {
    const { run, ids } = aStableGroup([{}], { leaveOnDisconnect: true })
    run.ask(aJoin('', { version: 3, unique: 'new', connection: 5 }))
    const asked = run.ask(aJoin(ids[0] ?? '', { connection: 0 }))
    expect(run.answer(asked, 'join')?.generation).toBe(2)
    run.ask(aJoin('', { version: 3, unique: 'newer', connection: 6 }))
    expect(run.now({ kind: 'disconnect', connection: 6 }).left).toEqual(['client-newer'])
    expect(run.describe().members).toMatchObject([{ memberId: ids[0] }, { memberId: 'client-new' }])
  })

  test('L5 only an empty group can be deleted, with everything it has', () => {
    const { run, ids } = aStableGroup()
    expect(run.error({ kind: 'delete' })).toBe('NON_EMPTY_GROUP')
    run.now(leave(...ids))
    run.now(aJoin('', { unique: 'pending' }))
    expect(run.error({ kind: 'delete' })).toBe('NONE')
    expect(run.describe()).toMatchObject({ state: 'Dead', generation: -1 })
    expect(run.error({ kind: 'delete' })).toBe('GROUP_ID_NOT_FOUND')
    expect(run.error(aJoin('client-pending'))).toBe('UNKNOWN_MEMBER_ID')
    expect(run.wakesAtMs === null || run.state.pending.size === 0).toBe(true)
  })
})

describe('offset commits', () => {
  test('C1 without a generation they are accepted while the group has no members, and create the group', () => {
    const run = new GroupRun()
    expect(run.error(commit('', -1))).toBe('NONE')
    expect(run.describe()).toMatchObject({ state: 'Empty', protocolType: '', generation: 0 })
    expect(run.error(commit('', -1))).toBe('NONE')
    expect(run.error(commit('whoever', -1))).toBe('NONE')
    expect(aStableGroup().run.error(commit('', -1))).toBe('UNKNOWN_MEMBER_ID')
  })

  test('C2 with a generation they require the group', () => {
    expect(new GroupRun().error(commit('m', 1))).toBe('GROUP_ID_NOT_FOUND')
    expect(new GroupRun().error(commit('m', 1, { version: 8 }))).toBe('ILLEGAL_GENERATION')
    expect(new GroupRun().error(commit('m', 1, { version: 9, transactional: true }))).toBe('ILLEGAL_GENERATION')
  })

  test('C3 member, instance and generation must be right', () => {
    const { run, ids } = aStableGroup([{}, { groupInstanceId: 's' }])
    const [a = '', s = ''] = ids
    expect(run.error(commit(a, 1))).toBe('NONE')
    expect(run.error(commit(a, 0))).toBe('ILLEGAL_GENERATION')
    expect(run.error(commit(a, -1))).toBe('ILLEGAL_GENERATION')
    expect(run.error(commit('who', 1))).toBe('UNKNOWN_MEMBER_ID')
    expect(run.error(commit('', 1))).toBe('UNKNOWN_MEMBER_ID')
    expect(run.error(commit(s, 1, { groupInstanceId: 's' }))).toBe('NONE')
    expect(run.error(commit(a, 1, { groupInstanceId: 's' }))).toBe('FENCED_INSTANCE_ID')
  })

  test('C4 they are accepted in PreparingRebalance, and in CompletingRebalance only in a transaction', () => {
    const { run, ids } = aStableGroup()
    const [leader = '', follower = ''] = ids
    run.ask(aJoin(leader))
    expect(run.error(commit(follower, 1))).toBe('NONE')
    run.ask(aJoin(follower))
    expect(run.error(commit(leader, 2))).toBe('REBALANCE_IN_PROGRESS')
    expect(run.error(commit(leader, 1))).toBe('ILLEGAL_GENERATION')
    expect(run.error(commit(leader, 2, { transactional: true }))).toBe('NONE')
  })

  test('C5 in a transaction they may omit member and generation', () => {
    const { run } = aStableGroup()
    expect(run.error(commit('', -1, { transactional: true }))).toBe('NONE')
    expect(run.error(commit('who', 1, { transactional: true }))).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('descriptions and subscriptions', () => {
  test('D1 the group copies what it keeps: the frame of a request may be reused', () => {
    const run = new GroupRun({ initialRebalanceDelayMs: 0 })
    const [metadata, assignment] = [bytes('metadata'), bytes('assignment')]
    run.ask(aJoin('', { version: 3, protocols: [{ name: 'range', metadata }] }))
    run.ask({ ...aSync('client-x', 1), assignments: [{ memberId: 'client-x', assignment }] })
    for (const frame of [metadata, assignment]) frame.fill(0)
    expect(run.describe().members).toMatchObject([{ metadata: bytes('metadata'), assignment: bytes('assignment') }])
  })

  test('D1 a stable group describes its members’ metadata and assignments, any other group no metadata and no protocol', () => {
    const { run, ids } = aStableGroup([{}, { groupInstanceId: 's', clientId: 'c2', clientHost: '/10.0.0.1' }])
    const stable = run.describe()
    expect(stable).toMatchObject({ protocolType: 'consumer', protocolName: 'range', generation: 1, leader: ids[0] })
    expect(stable.members[1]).toEqual({
      memberId: ids[1],
      groupInstanceId: 's',
      clientId: 'c2',
      clientHost: '/10.0.0.1',
      metadata: bytes('range'),
      assignment: bytes(`${ids[1]}!`),
      synced: true,
    })
    run.ask(aJoin(ids[0] ?? ''))
    expect(run.describe()).toMatchObject({ protocolName: '', members: [{ metadata: bytes('') }, { metadata: bytes('') }] })
  })

  test('D1 a member has its assignment after its own SyncGroup, not already after the leader’s', () => {
    const { run, ids } = aStableGroup([{}, {}])
    const [first = '', second = ''] = ids
    run.ask(aJoin(first))
    run.ask(aJoin(second))
    expect(run.describe()).toMatchObject({ state: 'CompletingRebalance', members: [{ synced: false }, { synced: false }] })
    const { leader, generation } = run.describe()
    const follower = leader === first ? second : first
    const synced = (): readonly string[] => run.describe().members.flatMap((member) => (member.synced ? [member.memberId] : []))
    run.ask(aSync(leader, generation, { [first]: 'a', [second]: 'b' }))
    expect(run.describe().state).toBe('Stable')
    expect(synced()).toEqual([leader])
    run.ask(aSync(follower, generation))
    expect(synced()).toEqual([first, second])
  })

  test('D2 offsets of topics that consumers read cannot be deleted, none with members of another type, and all without members', () => {
    const { run, ids } = aStableGroup([{ protocols: [{ name: 'range', metadata: subscription('a', 'bb') }] }])
    expect(run.now({ kind: 'offset delete' })).toEqual({ kind: 'offset delete', error: 'NONE', subscribed: new Set(['a', 'bb']) })
    run.now(leave(...ids))
    expect(run.now({ kind: 'offset delete' })).toMatchObject({ error: 'NONE', subscribed: new Set() })
    expect(aStableGroup().run.now({ kind: 'offset delete' }).subscribed).toBe('all')
    expect(aStableGroup([{ protocolType: 'connect' }]).run.error({ kind: 'offset delete' })).toBe('NON_EMPTY_GROUP')
    expect(new GroupRun().error({ kind: 'offset delete' })).toBe('GROUP_ID_NOT_FOUND')
  })

  test('D3 offsets of topics that no member of a stable group of consumers reads expire; in any other group with members all stay', () => {
    const [a, bb] = [subscription('a'), subscription('bb')]
    const { run, ids } = aStableGroup([{ protocols: [{ name: 'range', metadata: a }] }, { protocols: [{ name: 'range', metadata: bb }] }])
    const stay = (of: GroupRun): unknown => of.now({ kind: 'offset expiry' }).subscribed
    expect(stay(run)).toEqual(new Set(['a', 'bb']))
    run.crash()
    expect(stay(run)).toEqual(new Set(['a', 'bb']))
    run.ask(aJoin(ids[0] ?? '', { protocols: [{ name: 'range', metadata: bb }] }))
    expect(stay(run)).toBe('all')
    run.ask(aJoin(ids[1] ?? '', { protocols: [{ name: 'range', metadata: bb }] }))
    expect(run.describe().state).toBe('CompletingRebalance')
    expect(stay(run)).toBe('all')
    run.ask(aSync(ids[0] ?? '', 2, {}))
    expect(stay(run)).toEqual(new Set(['bb']))
    run.now(leave(...ids))
    expect(stay(run)).toBe('all')
    expect(stay(aStableGroup().run)).toBe('all')
    expect(stay(aStableGroup([{ protocolType: 'connect', protocols: [{ name: 'range', metadata: a }] }]).run)).toBe('all')
    expect(stay(new GroupRun())).toBe('all')
  })
})

describe('after a reload', () => {
  test('W1 members go on with heartbeats, without a rebalance, each with a full session', () => {
    const { run, ids } = aStableGroup([{}, { groupInstanceId: 's' }])
    run.pass(9_000)
    run.crash()
    expect(run.wakesAtMs).toBe(0)
    run.pass(9_999)
    expect(run.error(beat(ids[0] ?? '', 1))).toBe('NONE')
    expect(run.error(beat(ids[1] ?? '', 1, 's'))).toBe('NONE')
    expect(text(run.now(aSync(ids[0] ?? '', 1)).assignment)).toBe(`${ids[0]}!`)
    expect(run.describe()).toMatchObject({ state: 'Stable', generation: 1 })
    run.pass(10_000)
    expect(run.describe().members).toEqual([])
  })

  test('W2 in the join phase members join again; the rebalance time-out removes those that do not', () => {
    const { run, ids } = aStableGroup([{ sessionTimeoutMs: 500_000 }, { sessionTimeoutMs: 500_000 }])
    run.ask(aJoin(ids[0] ?? '', { sessionTimeoutMs: 500_000 }))
    run.crash()
    expect(run.error(beat(ids[0] ?? '', 1))).toBe('REBALANCE_IN_PROGRESS')
    const again = run.ask(aJoin(ids[0] ?? '', { sessionTimeoutMs: 500_000 }))
    run.pass(59_999)
    expect(run.answer(again, 'join')).toBeUndefined()
    run.pass(1)
    expect(run.answer(again, 'join')).toMatchObject({ error: 'NONE', generation: 2, members: [{ memberId: ids[0] }] })
  })

  test('W3 in the sync phase the generation continues', () => {
    const { run, ids } = aStableGroup()
    for (const id of ids) run.ask(aJoin(id))
    run.crash()
    const waiting = run.ask(aSync(ids[1] ?? '', 2))
    expect(run.now(aSync(ids[0] ?? '', 2, { [ids[1] ?? '']: 'yours' })).error).toBe('NONE')
    expect(text(run.answer(waiting, 'sync')?.assignment)).toBe('yours')
  })

  test('W4 a group that is larger than the limit rebalances', () => {
    const { run, ids } = aStableGroup([{}, {}, {}])
    const small = new GroupRun({ ...run.settings, maxSize: 2 })
    small.adopt(run)
    expect(small.error(beat(ids[0] ?? '', 1))).toBe('REBALANCE_IN_PROGRESS')
    const asked = ids.map((id) => small.ask(aJoin(id)))
    expect(asked.map((id) => small.answer(id, 'join')?.error)).toEqual(['NONE', 'NONE', 'GROUP_MAX_SIZE_REACHED'])
  })
})
