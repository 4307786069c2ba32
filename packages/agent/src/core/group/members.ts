// The members of a classic group: the check of a claimed identity, and how members are added, changed and removed.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import { must } from '../assert.ts'
import { type ConnectionId, type JoinRequest, joinRejection, noBytes, syncRejection } from './classic-messages.ts'
import type { GroupState, MemberRow, MemberSession } from './classic-state.ts'
import type { Turn } from './classic-turn.ts'
import type { RequestId } from './machine.ts'
import { sameProtocols } from './protocol-selection.ts'

/** Checks that the member exists and holds the instance id. Undefined: it does. */
export function claimError(state: GroupState, memberId: string, groupInstanceId: string | null): KafkaErrorName | undefined {
  if (groupInstanceId !== null) {
    const holder = state.statics.get(groupInstanceId)
    if (holder === undefined) return 'UNKNOWN_MEMBER_ID'
    if (holder !== memberId) return 'FENCED_INSTANCE_ID'
  }
  return state.member.has(memberId) ? undefined : 'UNKNOWN_MEMBER_ID'
}

/** Adds a member and parks its JoinGroup. */
export function addMember(turn: Turn, request: JoinRequest, memberId: string, from: RequestId): void {
  const { state, settings } = turn
  if (state.pending.has(memberId)) turn.setPending(memberId, null)
  if (state.group !== undefined && state.member.size === 0) {
    turn.setGroup({ ...state.group, protocolType: request.protocolType, leader: memberId })
  }
  turn.setMember(memberId, memberRow(request))
  turn.setSession(memberId, {
    expiresAtMs: turn.nowMs + settings.newMemberJoinTimeoutMs,
    fresh: true,
    synced: false,
    connection: request.connection,
    disconnected: false,
  })
  turn.setJoin(memberId, from)
}

/** Updates a member that joins again and parks its JoinGroup. Its row is saved only if it changed. */
export function updateMember(turn: Turn, request: JoinRequest, memberId: string, from: RequestId): void {
  const known = turn.state.member.get(memberId)
  const next = memberRow(request)
  if (known === undefined || !sameRow(known, next)) turn.setMember(memberId, next)
  answerSupersededJoin(turn, memberId)
  turn.setJoin(memberId, from)
}

/** Gives a new id to a static member that joins again without its id. A client that still uses the old id is fenced. Does not park the JoinGroup. */
export function replaceStaticMember(turn: Turn, request: JoinRequest, oldId: string, newId: string): void {
  const { state } = turn
  const [join, sync] = [state.join.get(oldId), state.sync.get(oldId)]
  if (join !== undefined) turn.answer(join, joinRejection('FENCED_INSTANCE_ID', oldId))
  if (sync !== undefined) turn.answer(sync, syncRejection('FENCED_INSTANCE_ID'))
  const assignment = state.assignment.get(oldId)
  const { synced } = must(state.session.get(oldId), 'the session of a member')
  forget(turn, oldId)
  turn.setMember(newId, memberRow(request))
  if (assignment !== undefined) turn.setAssignment(newId, assignment)
  startSession(turn, newId, { synced, connection: request.connection })
  if (state.group?.leader === oldId) turn.setGroup({ ...state.group, leader: newId })
}

/** Removes members and answers their parked requests. If the leader is removed, the first remaining member leads. */
export function removeMembers(turn: Turn, ids: readonly string[]): void {
  const { state } = turn
  for (const id of ids) {
    const [join, sync] = [state.join.get(id), state.sync.get(id)]
    if (join !== undefined) turn.answer(join, joinRejection('UNKNOWN_MEMBER_ID', ''))
    if (sync !== undefined) turn.answer(sync, syncRejection('UNKNOWN_MEMBER_ID'))
    forget(turn, id)
  }
  const { group } = state
  if (group === undefined || group.leader === null || state.member.has(group.leader)) return
  const [first] = state.member
  turn.setGroup({ ...group, leader: first?.[0] ?? null })
}

/** Starts a full session from now. */
export function startSession(turn: Turn, memberId: string, change: Partial<MemberSession> = {}): void {
  const { member, session } = turn.state
  const row = member.get(memberId)
  if (row === undefined) return
  const before = session.get(memberId) ?? { synced: false, connection: undefined }
  turn.setSession(memberId, { ...before, fresh: false, disconnected: false, ...change, expiresAtMs: turn.nowMs + row.sessionTimeoutMs })
}

/** Records a request over this connection that does not extend the session. If the member's last connection had ended, it starts a full session. */
export function spokeOver(turn: Turn, memberId: string, connection: ConnectionId | undefined): void {
  const life = turn.state.session.get(memberId)
  if (life === undefined) return
  if (life.disconnected) startSession(turn, memberId, { connection })
  else if (life.connection !== connection) turn.setSession(memberId, { ...life, connection })
}

/** The member's connection has ended: answers its parked requests, and gives the member `reconnectMs` to send a request over another connection. */
export function disconnectMember(turn: Turn, memberId: string): void {
  const { state, settings, nowMs } = turn
  const [join, sync, life] = [state.join.get(memberId), state.sync.get(memberId), state.session.get(memberId)]
  if (life === undefined) return
  if (join !== undefined) {
    turn.setJoin(memberId, null)
    turn.answer(join, joinRejection('REBALANCE_IN_PROGRESS', memberId))
  }
  if (sync !== undefined) {
    turn.setSync(memberId, null)
    turn.answer(sync, syncRejection('REBALANCE_IN_PROGRESS'))
  }
  const expiresAtMs = Math.min(life.expiresAtMs ?? Infinity, nowMs + settings.reconnectMs)
  turn.setSession(memberId, { ...life, expiresAtMs, connection: undefined, disconnected: true })
}

/** The member's assignment in the group's generation; rows of another generation count as empty. */
export function assignmentOf(state: GroupState, memberId: string): Uint8Array {
  const row = state.assignment.get(memberId)
  return row !== undefined && row.generation === state.group?.assignedGeneration ? row.assignment : noBytes
}

export function metadataOf(member: MemberRow, protocolName: string | null): Uint8Array {
  return member.protocols.find(({ name }) => name === protocolName)?.metadata ?? noBytes
}

function memberRow(request: JoinRequest): MemberRow {
  return {
    groupInstanceId: request.groupInstanceId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs: request.version === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
    // Copies, because the request's metadata are views of its frame, which must not live as long as the member.
    protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: new Uint8Array(metadata) })),
  }
}

function sameRow(a: MemberRow, b: MemberRow): boolean {
  return (
    a.groupInstanceId === b.groupInstanceId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.sessionTimeoutMs === b.sessionTimeoutMs &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    sameProtocols(a.protocols, b.protocols)
  )
}

/** The client gave up that request when it sent the next one. REBALANCE_IN_PROGRESS is a harmless answer. */
function answerSupersededJoin(turn: Turn, memberId: string): void {
  const parked = turn.state.join.get(memberId)
  if (parked !== undefined) turn.answer(parked, joinRejection('REBALANCE_IN_PROGRESS', memberId))
}

/** Removes every row of the member. */
function forget(turn: Turn, id: string): void {
  const { member, assignment, session, join, sync } = turn.state
  if (member.has(id)) turn.setMember(id, null)
  if (assignment.has(id)) turn.setAssignment(id, null)
  if (session.has(id)) turn.setSession(id, null)
  if (join.has(id)) turn.setJoin(id, null)
  if (sync.has(id)) turn.setSync(id, null)
}
