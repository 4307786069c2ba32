// JoinGroup in a classic group: which members may join, under which id, and whether that starts a rebalance.
import { fixedLimits } from '../../limits.ts'
import { must } from '../assert.ts'
import { type JoinRequest, joinRejection } from './classic-messages.ts'
import type { Turn } from './classic-turn.ts'
import type { RequestId } from './machine.ts'
import { addMember, claimError, removeMembers, replaceStaticMember, spokeOver, updateMember } from './members.ts'
import { sameProtocols, selectProtocol, supportsProtocols } from './protocol-selection.ts'
import { completeJoinIfAll, groupOf, joined, rebalanceOrCompleteJoin } from './rebalance.ts'

/** Checks in Kafka's order: session, group, size, protocols, id. */
export function joinGroup(turn: Turn, request: JoinRequest, from: RequestId): void {
  const { state, settings } = turn
  const { memberId, sessionTimeoutMs } = request
  if (sessionTimeoutMs < settings.minSessionTimeoutMs || sessionTimeoutMs > settings.maxSessionTimeoutMs) {
    return turn.answer(from, joinRejection('INVALID_SESSION_TIMEOUT', memberId))
  }
  if (state.group === undefined && memberId !== '') return turn.answer(from, joinRejection('UNKNOWN_MEMBER_ID', memberId))
  if (!hasRoom(turn, memberId)) {
    if (state.pending.has(memberId)) turn.setPending(memberId, null)
    removeMembers(turn, state.member.has(memberId) ? [memberId] : [])
    turn.answer(from, joinRejection('GROUP_MAX_SIZE_REACHED', ''))
    return completeJoinIfAll(turn)
  }
  if (!supportsProtocols(state, request.protocolType, request.protocols)) {
    return turn.answer(from, joinRejection('INCONSISTENT_GROUP_PROTOCOL', memberId))
  }
  if (memberId === '') return joinWithoutId(turn, request, from)
  if (state.pending.has(memberId) && request.groupInstanceId === null) return joinAsNew(turn, request, memberId, from)
  joinAgain(turn, request, from)
}

function joinWithoutId(turn: Turn, request: JoinRequest, from: RequestId): void {
  const { state } = turn
  const { groupInstanceId, version } = request
  if (state.group === undefined) createGroup(turn)
  const newId = `${groupInstanceId ?? request.clientId}-${request.unique}`
  if (groupInstanceId !== null) {
    const holder = state.statics.get(groupInstanceId)
    if (holder === undefined) joinAsNew(turn, request, newId, from)
    else comeBack(turn, request, { oldId: holder, newId }, from)
  } else if (version >= 4) {
    turn.setPending(newId, { expiresAtMs: turn.nowMs + request.sessionTimeoutMs, connection: request.connection })
    turn.answer(from, joinRejection('MEMBER_ID_REQUIRED', newId))
  } else {
    joinAsNew(turn, request, newId, from)
  }
}

/** Creates an empty group, for members or for committed offsets only. */
export function createGroup(turn: Turn): void {
  turn.setGroup({ state: 'Empty', protocolType: null, protocolName: null, generation: 0, leader: null, assignedGeneration: null })
}

function joinAsNew(turn: Turn, request: JoinRequest, memberId: string, from: RequestId): void {
  const { phase } = turn.state
  if (phase.kind === 'joining' && phase.initial !== null) turn.setPhase({ ...phase, initial: { ...phase.initial, joined: true } })
  addMember(turn, request, memberId, from)
  rebalanceOrCompleteJoin(turn)
}

function joinAgain(turn: Turn, request: JoinRequest, from: RequestId): void {
  const { state } = turn
  const { memberId, protocols } = request
  const rejected = claimError(state, memberId, request.groupInstanceId)
  if (rejected !== undefined) return turn.answer(from, joinRejection(rejected, memberId))
  spokeOver(turn, memberId, request.connection)
  const { groupState } = turn
  const same = sameProtocols(must(state.member.get(memberId), 'a member whose claim is valid').protocols, protocols)
  // A leader that joins a stable group again wants a rebalance: it may know of a change that the group does not, such as a new partition.
  const wanted = !same || (groupState === 'Stable' && state.group?.leader === memberId)
  if (groupState === 'PreparingRebalance' || wanted) {
    updateMember(turn, request, memberId, from)
    rebalanceOrCompleteJoin(turn)
  } else {
    turn.answer(from, joined(state, memberId))
  }
}

/** A static member that joins again without its id gets a new one. In a stable group it keeps its assignment if the protocol stays the same. */
function comeBack(turn: Turn, request: JoinRequest, id: { readonly oldId: string; readonly newId: string }, from: RequestId): void {
  const { state } = turn
  const oldLeader = groupOf(state).leader ?? ''
  replaceStaticMember(turn, request, id.oldId, id.newId)
  if (turn.groupState === 'Stable' && selectProtocol(state.member, state.support) === state.group?.protocolName) {
    const leads = state.group?.leader === id.newId
    const reply = joined(state, id.newId)
    // Before version 9 the answer has no field to skip the assignment. It names the old leader, so the new one does not assign.
    turn.answer(from, request.version >= 9 ? { ...reply, skipAssignment: leads } : { ...reply, leader: oldLeader, members: [] })
    return
  }
  turn.setJoin(id.newId, from)
  // Also while the leader computes the assignment, which will name the old id.
  rebalanceOrCompleteJoin(turn)
}

/** Whether the member fits into group.max.size. Known members fit, except the last ones to join again after the limit was lowered. Pending ids are limited too. */
function hasRoom(turn: Turn, memberId: string): boolean {
  const { state, settings } = turn
  const { maxSize } = settings
  if (memberId === '' && state.pending.size >= Math.min(maxSize, fixedLimits.idsHandedOutPerGroup)) return false
  switch (turn.groupState) {
    case 'Empty':
    case 'Dead':
      return true
    case 'PreparingRebalance':
      return state.join.has(memberId) || state.join.size < maxSize
    case 'CompletingRebalance':
    case 'Stable':
      return state.member.has(memberId) || state.member.size < maxSize
  }
}
