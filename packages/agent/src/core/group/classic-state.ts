// The state of a classic group, its changes, and the only function that applies them.
import type { ClassicGroupState, ConnectionId, MemberProtocol } from './classic-messages.ts'
import type { Change, RequestId } from './machine.ts'
import { Overlay, type Table } from './overlay.ts'

/** The journal's key 'group'. Without this row the group is Dead. */
export interface GroupRow {
  readonly state: Exclude<ClassicGroupState, 'Dead'>
  /** Null: no member has joined yet, and the group only keeps offsets. Kept when all members leave. */
  readonly protocolType: string | null
  /** Null: no generation has members. */
  readonly protocolName: string | null
  /** 0 at first; each join phase that ends adds one. */
  readonly generation: number
  readonly leader: string | null
  /** The generation whose assignments are valid; rows of other generations count as empty. */
  readonly assignedGeneration: number | null
}

/** The journal's key 'member/<id>'. */
export interface MemberRow {
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** In the member's order of preference. At least one of them is supported by all members. */
  readonly protocols: readonly MemberProtocol[]
}

/** The journal's key 'assignment/<id>'. A separate row, because a rebalance changes it without the member's metadata. */
export interface AssignmentRow {
  readonly generation: number
  readonly assignment: Uint8Array
}

/** A member's session. Kept in memory: a reload starts it again at its full length. */
export interface MemberSession {
  /** Null: the session was due to end while a request of the member was parked; the answer to the request starts it again. */
  readonly expiresAtMs: number | null
  /** The member's first JoinGroup is parked. It does not know its id and can't send heartbeats, so the parked request does not extend its session. */
  readonly fresh: boolean
  /** The member has sent its SyncGroup in this generation. Used only in the phase 'syncing'. */
  readonly synced: boolean
  /** The connection of the member's last request. */
  readonly connection: ConnectionId | undefined
  /** That connection has ended, so the session was shortened. The member's next request over another connection starts a full one. */
  readonly disconnected: boolean
}

/** An id that was sent with MEMBER_ID_REQUIRED and has not joined yet. */
export interface PendingId {
  readonly expiresAtMs: number
  readonly connection: ConnectionId | undefined
}

export type Phase =
  /** The group waits for nothing, or it was reloaded and has not resumed its phase yet. */
  | { readonly kind: 'resting' }
  /** PreparingRebalance. `initial` is set if the group was Empty before; then only time ends the phase. */
  | { readonly kind: 'joining'; readonly deadlineMs: number; readonly initial: InitialDelay | null }
  /** CompletingRebalance or Stable, while `missing` members have not sent their SyncGroup. */
  | { readonly kind: 'syncing'; readonly deadlineMs: number; readonly missing: number }

export interface InitialDelay {
  readonly delayMs: number
  /** The time by which the delay may still be extended. */
  readonly remainingMs: number
  /** A member has joined since the delay began, so it will be extended. */
  readonly joined: boolean
}

/** The row types of the keyed tables. */
export interface Rows {
  readonly member: MemberRow
  readonly assignment: AssignmentRow
  readonly session: MemberSession
  readonly pending: PendingId
  /** The request ids of the parked JoinGroup and SyncGroup. */
  readonly join: RequestId
  readonly sync: RequestId
}

export type RowChange = {
  [T in keyof Rows]: Change & { readonly kind: T; readonly id: string; readonly value: Rows[T] | null }
}[keyof Rows]

export type ClassicChange =
  | RowChange
  | (Change & { readonly kind: 'group'; readonly value: GroupRow | null })
  | (Change & { readonly kind: 'phase'; readonly value: Phase })
  /** No session ends before this time. It is a lower bound, because finding the exact time means reading all sessions. */
  | (Change & { readonly kind: 'alarm'; readonly value: number | null })

/** The changes that the journal returns on reload. */
export type SavedChange = Extract<ClassicChange, { readonly kind: 'group' | 'member' | 'assignment' }>

export type GroupTables = { readonly [T in keyof Rows]: Table<Rows[T]> }

export interface GroupState extends GroupTables {
  group: GroupRow | undefined
  phase: Phase
  alarmMs: number | null
  /** Derived from the members: instance id → member id; protocol → how many members support it. */
  readonly statics: Table<string>
  readonly support: Table<number>
  /** Derived from the sessions: connection → the members whose last request came over it. Many connections may end at once, so none may read all members. */
  readonly speakers: Table<ReadonlySet<string>>
}

const resting: Phase = { kind: 'resting' }

export function emptyState(): GroupState {
  return {
    group: undefined,
    phase: resting,
    alarmMs: null,
    member: new Map(),
    assignment: new Map(),
    session: new Map(),
    pending: new Map(),
    join: new Map(),
    sync: new Map(),
    statics: new Map(),
    support: new Map(),
    speakers: new Map(),
  }
}

/** A draft of the state: changes to it leave the state as it is. */
export function draftOf(state: GroupState): GroupState {
  return {
    group: state.group,
    phase: state.phase,
    alarmMs: state.alarmMs,
    member: new Overlay(state.member),
    assignment: new Overlay(state.assignment),
    session: new Overlay(state.session),
    pending: new Overlay(state.pending),
    join: new Overlay(state.join),
    sync: new Overlay(state.sync),
    statics: new Overlay(state.statics),
    support: new Overlay(state.support),
    speakers: new Overlay(state.speakers),
  }
}

/** The order of changes with different keys does not matter; a reload applies them in any order. */
export function applyChange(state: GroupState, change: ClassicChange): void {
  switch (change.kind) {
    case 'group':
      state.group = change.value ?? undefined
      return
    case 'phase':
      state.phase = change.value
      return
    case 'alarm':
      state.alarmMs = change.value
      return
    case 'member':
      replaceMember(state, change.id, change.value)
      return
    case 'assignment':
      put(state.assignment, change.id, change.value)
      return
    case 'session':
      moveSpeaker(state, change.id, change.value?.connection)
      put(state.session, change.id, change.value)
      lowerAlarm(state, change.value?.expiresAtMs)
      return
    case 'pending':
      put(state.pending, change.id, change.value)
      lowerAlarm(state, change.value?.expiresAtMs)
      return
    case 'join':
      put(state.join, change.id, change.value)
      return
    case 'sync':
      put(state.sync, change.id, change.value)
  }
}

export function saved(change: ClassicChange): change is SavedChange {
  return change.kept === 'journal'
}

function replaceMember(state: GroupState, id: string, member: MemberRow | null): void {
  const old = state.member.get(id)
  put(state.member, id, member)
  for (const name of protocolNames(old)) count(state.support, name, -1)
  for (const name of protocolNames(member)) count(state.support, name, 1)
  const instance = old?.groupInstanceId ?? null
  if (instance !== null && state.statics.get(instance) === id) state.statics.delete(instance)
  if (member !== null && member.groupInstanceId !== null) state.statics.set(member.groupInstanceId, id)
}

function moveSpeaker({ session, speakers }: GroupState, id: string, to: ConnectionId | undefined): void {
  const from = session.get(id)?.connection
  if (from === to) return
  if (from !== undefined) {
    const rest = new Set(speakers.get(String(from)))
    rest.delete(id)
    put(speakers, String(from), rest.size === 0 ? null : rest)
  }
  if (to !== undefined) put(speakers, String(to), new Set(speakers.get(String(to))).add(id))
}

/** Each name once, so that a member that names a protocol twice does not count twice. */
function protocolNames(member: MemberRow | null | undefined): ReadonlySet<string> {
  return new Set(member?.protocols.map(({ name }) => name))
}

function count(counts: Table<number>, key: string, step: number): void {
  const next = (counts.get(key) ?? 0) + step
  if (next === 0) counts.delete(key)
  else counts.set(key, next)
}

function put<V>(table: Table<V>, key: string, value: V | null): void {
  if (value === null) table.delete(key)
  else table.set(key, value)
}

function lowerAlarm(state: GroupState, expiresAtMs: number | null | undefined): void {
  if (expiresAtMs === null || expiresAtMs === undefined) return
  state.alarmMs = Math.min(state.alarmMs ?? Infinity, expiresAtMs)
}
