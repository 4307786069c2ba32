// The rebalance of a classic group: it waits for its members to join, chooses leader and protocol, and waits for the assignment.
import { must } from '../assert.ts'
import { type JoinReply, type SyncReply, syncRejection } from './classic-messages.ts'
import type { GroupRow, GroupState } from './classic-state.ts'
import type { Turn } from './classic-turn.ts'
import { metadataOf, removeMembers, startSession } from './members.ts'
import { selectProtocol } from './protocol-selection.ts'

/** Call it after a change that ends the generation. In the join phase, the change may be that the last member has joined. */
export function rebalanceOrCompleteJoin(turn: Turn): void {
  if (turn.groupState === 'PreparingRebalance') completeJoinIfAll(turn)
  else prepareRebalance(turn)
}

/** Starts the join phase: heartbeats are answered with "join again". An Empty group first waits for more members. */
export function prepareRebalance(turn: Turn): void {
  const { state, settings, nowMs } = turn
  const group = groupOf(state)
  const initial = group.state === 'Empty'
  const assigning = group.state === 'CompletingRebalance'
  turn.setGroup({ ...group, state: 'PreparingRebalance', assignedGeneration: assigning ? null : group.assignedGeneration })
  if (assigning) answerSyncs(turn, () => syncRejection('REBALANCE_IN_PROGRESS'))
  if (!initial) {
    if (everybodyHasJoined(state)) completeJoin(turn)
    else turn.setPhase({ kind: 'joining', deadlineMs: nowMs + rebalanceTimeoutMs(state), initial: null })
    return
  }
  const delayMs = settings.initialRebalanceDelayMs
  if (delayMs === 0) return completeJoin(turn)
  const remainingMs = Math.max(rebalanceTimeoutMs(state) - delayMs, 0)
  turn.setPhase({ kind: 'joining', deadlineMs: nowMs + delayMs, initial: { delayMs, remainingMs, joined: false } })
}

/** Ends the join phase if every member has joined. The join phase of an empty group ends by time only. */
export function completeJoinIfAll(turn: Turn): void {
  const { state } = turn
  if (turn.groupState !== 'PreparingRebalance' || !everybodyHasJoined(state)) return
  if (state.phase.kind === 'joining' && state.phase.initial !== null) return
  completeJoin(turn)
}

export function everybodyHasJoined(state: GroupState): boolean {
  return state.member.size === state.join.size && state.pending.size === 0
}

/** The time of the join phase has ended: extends the initial delay, or completes the phase. */
export function joinPhaseExpired(turn: Turn): void {
  const { phase } = turn.state
  if (phase.kind !== 'joining') return
  const { initial } = phase
  if (initial === null || !initial.joined || initial.remainingMs === 0) return completeJoin(turn)
  const delayMs = Math.min(turn.settings.initialRebalanceDelayMs, initial.remainingMs)
  const remainingMs = Math.max(initial.remainingMs - initial.delayMs, 0)
  turn.setPhase({ kind: 'joining', deadlineMs: turn.nowMs + delayMs, initial: { delayMs, remainingMs, joined: false } })
}

/**
 * Starts the next generation with the members that have joined and all static members, which may be absent for a session. Without members the group becomes
 * Empty. If only static members are left and none has joined, the join phase starts again.
 */
export function completeJoin(turn: Turn): void {
  const { state, nowMs } = turn
  const absent = [...state.member].filter(([id, { groupInstanceId }]) => groupInstanceId === null && !state.join.has(id))
  removeMembers(turn, ids(absent))
  const group = groupOf(state)
  const generation = group.generation + 1
  if (state.member.size === 0) {
    turn.setGroup({ ...group, state: 'Empty', generation, protocolName: null, leader: null, assignedGeneration: null })
    turn.setPhase({ kind: 'resting' })
    return
  }
  const leader = electLeader(state, group.leader)
  if (leader === undefined) {
    const initial = state.phase.kind === 'joining' ? state.phase.initial : null
    turn.setPhase({ kind: 'joining', deadlineMs: nowMs + rebalanceTimeoutMs(state), initial })
    return
  }
  const protocolName = must(selectProtocol(state.member, state.support), 'a protocol that all members support')
  turn.setGroup({ ...group, state: 'CompletingRebalance', generation, protocolName, leader })
  for (const id of ids([...state.member])) {
    const parked = state.join.get(id)
    if (parked !== undefined) {
      turn.setJoin(id, null)
      turn.answer(parked, joined(state, id))
    }
    startSession(turn, id, { synced: false })
  }
  turn.setPhase({ kind: 'syncing', deadlineMs: nowMs + rebalanceTimeoutMs(state), missing: state.member.size })
}

/** The answer to a member of the current generation. Only the leader receives the list of members. */
export function joined(state: GroupState, memberId: string): JoinReply {
  const { generation, leader, protocolType, protocolName } = groupOf(state)
  return {
    kind: 'join',
    error: 'NONE',
    generation,
    memberId,
    leader: must(leader ?? undefined, 'the leader of a generation'),
    protocolType,
    protocolName,
    skipAssignment: false,
    members: leader === memberId ? membersForLeader(state) : [],
  }
}

function membersForLeader(state: GroupState): JoinReply['members'] {
  const { protocolName } = groupOf(state)
  return [...state.member].map(([memberId, member]) => ({
    memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataOf(member, protocolName),
  }))
}

/** Removes the members that have not sent their SyncGroup in time. */
export function syncPhaseExpired(turn: Turn): void {
  const { state } = turn
  removeMembers(turn, ids([...state.session].filter(([, { synced }]) => !synced)))
  prepareRebalance(turn)
}

/** Answers every parked SyncGroup. Each answer starts a new session. */
export function answerSyncs(turn: Turn, reply: (memberId: string) => SyncReply): void {
  for (const [id, parked] of turn.state.sync) {
    turn.setSync(id, null)
    turn.answer(parked, reply(id))
    startSession(turn, id)
  }
}

/** A group's rebalance time-out is the longest of its members' time-outs. */
export function rebalanceTimeoutMs(state: GroupState): number {
  let longest = 0
  for (const [, member] of state.member) longest = Math.max(longest, member.rebalanceTimeoutMs)
  return longest
}

export function groupOf(state: GroupState): GroupRow {
  return must(state.group, 'the group of a member or a phase')
}

/** The leader of the last generation if it has joined, otherwise the first member that has; undefined if none has. */
function electLeader(state: GroupState, last: string | null): string | undefined {
  if (last !== null && state.join.has(last)) return last
  for (const [id] of state.member) if (state.join.has(id)) return id
  return undefined
}

function ids(rows: readonly (readonly [string, unknown])[]): readonly string[] {
  return rows.map(([id]) => id)
}
