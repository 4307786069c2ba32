// LeaveGroup in a classic group, by the member or an administrator, and the end of a member's connection.
import type { DisconnectRequest, LeaveReply, LeaveRequest } from './classic-messages.ts'
import type { GroupState } from './classic-state.ts'
import type { Turn } from './classic-turn.ts'
import type { RequestId } from './machine.ts'
import { claimError, disconnectMember, removeMembers } from './members.ts'
import { rebalanceOrCompleteJoin } from './rebalance.ts'

type Leaving = LeaveRequest['members'][number]

/** Each member is checked separately: an unknown or fenced one does not affect the others. */
export function leaveGroup(turn: Turn, request: LeaveRequest, from: RequestId): void {
  const { state } = turn
  const members = new Set<string>()
  const pending = new Set<string>()
  const answers: LeaveReply['members'][number][] = []
  for (const { memberId, groupInstanceId } of request.members) {
    const leaving = whoLeaves(state, { memberId, groupInstanceId })
    const error = leaving.error === 'NONE' && (members.has(leaving.id) || pending.has(leaving.id)) ? 'UNKNOWN_MEMBER_ID' : leaving.error
    if (error === 'NONE') (state.pending.has(leaving.id) ? pending : members).add(leaving.id)
    answers.push({ memberId, groupInstanceId, error })
  }
  go(turn, members, pending)
  // Kafka's rule: a pending id that leaves also starts a rebalance of a stable group.
  if (turn.groupState !== 'Empty' && turn.groupState !== 'Dead' && members.size + pending.size > 0) rebalanceOrCompleteJoin(turn)
  turn.answer(from, { kind: 'leave', members: answers })
}

/**
 * With `leaveOnDisconnect`, the members whose last request came over this connection have `reconnectMs` to send one over another connection, and so have
 * the pending ids that were sent over it. Some clients open a connection for each generation, a few milliseconds after they closed the last one; a killed
 * process opens none. A member in its first JoinGroup leaves at once, because it does not know its id. Static members stay: they may disconnect briefly.
 */
export function disconnect(turn: Turn, request: DisconnectRequest, from: RequestId): void {
  const { state, settings, nowMs } = turn
  const left: string[] = []
  if (settings.leaveOnDisconnect) {
    for (const id of state.speakers.get(String(request.connection)) ?? []) {
      if (state.member.get(id)?.groupInstanceId !== null) continue
      if (state.session.get(id)?.fresh === true) left.push(id)
      else disconnectMember(turn, id)
    }
    for (const [id, { connection, expiresAtMs }] of state.pending) {
      if (connection !== request.connection) continue
      turn.setPending(id, { connection: undefined, expiresAtMs: Math.min(expiresAtMs, nowMs + settings.reconnectMs) })
    }
  }
  removeMembers(turn, left)
  if (left.length > 0) rebalanceOrCompleteJoin(turn)
  turn.answer(from, { kind: 'disconnected', left })
}

function whoLeaves(state: GroupState, { memberId, groupInstanceId }: Leaving): { readonly id: string; readonly error: MemberError } {
  if (memberId === '') {
    const holder = groupInstanceId === null ? undefined : state.statics.get(groupInstanceId)
    return { id: holder ?? '', error: holder === undefined ? 'UNKNOWN_MEMBER_ID' : 'NONE' }
  }
  if (state.pending.has(memberId)) return { id: memberId, error: 'NONE' }
  return { id: memberId, error: claimError(state, memberId, groupInstanceId) ?? 'NONE' }
}

type MemberError = LeaveReply['members'][number]['error']

function go(turn: Turn, members: ReadonlySet<string>, pending: ReadonlySet<string>): void {
  for (const id of pending) turn.setPending(id, null)
  removeMembers(turn, [...members])
}
