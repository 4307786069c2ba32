// Who belongs to a classic group: whether a claim is true, and how members come, change and go.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import { type ConnectionId, type JoinRequest, joinRefused, noBytes, syncRefused } from './classic-messages.ts'
import type { GroupState, MemberRow, Session } from './classic-state.ts'
import type { Turn } from './classic-turn.ts'
import type { RequestId } from './machine.ts'
import { sameProtocols } from './votes.ts'

/** Is there such a member, and is it the one that holds the instance id? Undefined: yes. */
export function claimError(state: GroupState, memberId: string, groupInstanceId: string | null): KafkaErrorName | undefined {
  if (groupInstanceId !== null) {
    const holder = state.statics.get(groupInstanceId)
    if (holder === undefined) return 'UNKNOWN_MEMBER_ID'
    if (holder !== memberId) return 'FENCED_INSTANCE_ID'
  }
  return state.member.has(memberId) ? undefined : 'UNKNOWN_MEMBER_ID'
}

/** A member of its own, whose JoinGroup is parked. */
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

/** A member joins again; its JoinGroup is parked. What it says now counts, and is saved only if it says something new. */
export function updateMember(turn: Turn, request: JoinRequest, memberId: string, from: RequestId): void {
  const known = turn.state.member.get(memberId)
  const next = memberRow(request)
  if (known === undefined || !sameRow(known, next)) turn.setMember(memberId, next)
  answerSupersededJoin(turn, memberId)
  turn.setJoin(memberId, from)
}

/** A static member that has come back without its id gets a new one; who still uses the old one is fenced. Its JoinGroup is not yet parked. */
export function replaceStaticMember(turn: Turn, request: JoinRequest, oldId: string, newId: string): void {
  const { state } = turn
  const [join, sync] = [state.join.get(oldId), state.sync.get(oldId)]
  if (join !== undefined) turn.answer(join, joinRefused('FENCED_INSTANCE_ID', oldId))
  if (sync !== undefined) turn.answer(sync, syncRefused('FENCED_INSTANCE_ID'))
  const assignment = state.assignment.get(oldId)
  const synced = state.session.get(oldId)?.synced ?? false
  forget(turn, oldId)
  turn.setMember(newId, memberRow(request))
  if (assignment !== undefined) turn.setAssignment(newId, assignment)
  startSession(turn, newId, { synced, connection: request.connection })
  if (state.group?.leader === oldId) turn.setGroup({ ...state.group, leader: newId })
}

/** Gone, whatever the reason: parked requests are answered, and if the leader is among them the first that stays leads. */
export function removeMembers(turn: Turn, ids: readonly string[]): void {
  const { state } = turn
  for (const id of ids) {
    const [join, sync] = [state.join.get(id), state.sync.get(id)]
    if (join !== undefined) turn.answer(join, joinRefused('UNKNOWN_MEMBER_ID', ''))
    if (sync !== undefined) turn.answer(sync, syncRefused('UNKNOWN_MEMBER_ID'))
    forget(turn, id)
  }
  const { group } = state
  if (group === undefined || group.leader === null || state.member.has(group.leader)) return
  const [first] = state.member
  turn.setGroup({ ...group, leader: first?.[0] ?? null })
}

/** A full session from now on. */
export function startSession(turn: Turn, memberId: string, change: Partial<Session> = {}): void {
  const { member, session } = turn.state
  const row = member.get(memberId)
  if (row === undefined) return
  const before = session.get(memberId) ?? { synced: false, connection: undefined }
  turn.setSession(memberId, { ...before, fresh: false, disconnected: false, ...change, expiresAtMs: turn.nowMs + row.sessionTimeoutMs })
}

/** The member has spoken over this connection, in a request that is no sign of life. One whose last connection had ended is back: its session was cut short, and is a full one again. */
export function spokeOver(turn: Turn, memberId: string, connection: ConnectionId | undefined): void {
  const life = turn.state.session.get(memberId)
  if (life === undefined) return
  if (life.disconnected) startSession(turn, memberId, { connection })
  else if (life.connection !== connection) turn.setSession(memberId, { ...life, connection })
}

/** Its connection has ended: what it waited for can't reach it any more, and it has so long to come back over another one. */
export function disconnectMember(turn: Turn, memberId: string): void {
  const { state, settings, nowMs } = turn
  const [join, sync, life] = [state.join.get(memberId), state.sync.get(memberId), state.session.get(memberId)]
  if (life === undefined) return
  if (join !== undefined) {
    turn.setJoin(memberId, null)
    turn.answer(join, joinRefused('REBALANCE_IN_PROGRESS', memberId))
  }
  if (sync !== undefined) {
    turn.setSync(memberId, null)
    turn.answer(sync, syncRefused('REBALANCE_IN_PROGRESS'))
  }
  const expiresAtMs = Math.min(life.expiresAtMs ?? Infinity, nowMs + settings.reconnectMs)
  turn.setSession(memberId, { ...life, expiresAtMs, connection: undefined, disconnected: true })
}

/** What the group's generation gives the member; rows of another generation count as empty. */
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
    // Copies: what a request carries are views of its frame, which must not live as long as the member.
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

/** The client gave that request up when it sent the next; its answer says so harmlessly. */
function answerSupersededJoin(turn: Turn, memberId: string): void {
  const parked = turn.state.join.get(memberId)
  if (parked !== undefined) turn.answer(parked, joinRefused('REBALANCE_IN_PROGRESS', memberId))
}

/** Every row of the member. */
function forget(turn: Turn, id: string): void {
  const { member, assignment, session, join, sync } = turn.state
  if (member.has(id)) turn.setMember(id, null)
  if (assignment.has(id)) turn.setAssignment(id, null)
  if (session.has(id)) turn.setSession(id, null)
  if (join.has(id)) turn.setJoin(id, null)
  if (sync.has(id)) turn.setSync(id, null)
}
