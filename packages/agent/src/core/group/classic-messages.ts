// What a classic group is asked and what it answers: the requests of JoinGroup to DeleteGroups without their wire, and the settings of its rules.
import type { KafkaErrorName } from '@local-kafka-service/protocol'

/** Kafka's own names of the settings stand beside each. */
export interface ClassicSettings {
  /** group.initial.rebalance.delay.ms: how long a rebalance of an empty group waits for more members; 0 completes it in the turn of the first. */
  readonly initialRebalanceDelayMs: number
  /** group.min.session.timeout.ms, group.max.session.timeout.ms; both ends are legal. */
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  /** group.max.size: members, and beside them as many ids that have not joined yet. */
  readonly maxSize: number
  /** Kafka's group coordinator has 5 minutes: a new member can't send heartbeats while its first JoinGroup is parked. */
  readonly newMemberJoinTimeoutMs: number
  /** group.leave.on.disconnect: the session of a dynamic member whose connection has ended ends after `reconnectMs`, unless it speaks over another one. */
  readonly leaveOnDisconnect: boolean
  readonly reconnectMs: number
}

/** A connection of the agent, as the runner names it; undefined where there is none (HTTP). */
export type ConnectionId = number

export type ClassicRequest =
  | JoinRequest
  | SyncRequest
  | HeartbeatRequest
  | LeaveRequest
  | CommitRequest
  | OffsetDeleteRequest
  | OffsetExpiryRequest
  | DeleteRequest
  | DescribeRequest
  | DisconnectRequest

export interface JoinRequest {
  readonly kind: 'join'
  /** Of the API: from 4 on an id is handed out before a member joins, from 9 on a static leader can skip the assignment. */
  readonly version: number
  /** Empty: the member has none yet. */
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** Random, never used before: the end of the member's id, if one has to be made. */
  readonly unique: string
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  /** Version 0 has none: the session's counts. */
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  /** In the member's order of preference. */
  readonly protocols: readonly MemberProtocol[]
  readonly connection?: ConnectionId | undefined
}

export interface MemberProtocol {
  readonly name: string
  /** Opaque. */
  readonly metadata: Uint8Array
}

export interface SyncRequest extends MemberClaim {
  readonly kind: 'sync'
  /** Null below version 5: not checked. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  /** Of the leader; others send none. */
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[]
}

export interface HeartbeatRequest extends MemberClaim {
  readonly kind: 'heartbeat'
}

/** Who a member says that it is. */
export interface MemberClaim {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generation: number
  readonly connection?: ConnectionId | undefined
}

export interface LeaveRequest {
  readonly kind: 'leave'
  /** Below version 3 one, by its id. An empty id with an instance id is how an administrator removes a static member. */
  readonly members: readonly { readonly memberId: string; readonly groupInstanceId: string | null }[]
}

/** May these offsets be committed? Asked by OffsetCommit and TxnOffsetCommit. */
export interface CommitRequest extends MemberClaim {
  readonly kind: 'commit'
  readonly version: number
  readonly transactional: boolean
}

/** Which topics' offsets may not be deleted? */
export interface OffsetDeleteRequest {
  readonly kind: 'offset delete'
}

/** Which topics' offsets may not expire by their age? */
export interface OffsetExpiryRequest {
  readonly kind: 'offset expiry'
}

export interface DeleteRequest {
  readonly kind: 'delete'
}

export interface DescribeRequest {
  readonly kind: 'describe'
}

/** The connection has ended. Of interest to the groups that were asked over it only. */
export interface DisconnectRequest {
  readonly kind: 'disconnect'
  readonly connection: ConnectionId
}

export type ClassicReply =
  | JoinReply
  | SyncReply
  | HeartbeatReply
  | LeaveReply
  | CommitReply
  | OffsetDeleteReply
  | OffsetExpiryReply
  | DeleteReply
  | Described
  | Disconnected

export interface JoinReply {
  readonly kind: 'join'
  readonly error: KafkaErrorName
  /** -1 with an error. */
  readonly generation: number
  readonly memberId: string
  /** Empty with an error. */
  readonly leader: string
  readonly protocolType: string | null
  /** Before version 7 the wire has no null: the API sends ''. */
  readonly protocolName: string | null
  readonly skipAssignment: boolean
  /** For the leader only. */
  readonly members: readonly { readonly memberId: string; readonly groupInstanceId: string | null; readonly metadata: Uint8Array }[]
}

export interface SyncReply {
  readonly kind: 'sync'
  readonly error: KafkaErrorName
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Uint8Array
}

export interface HeartbeatReply {
  readonly kind: 'heartbeat'
  readonly error: KafkaErrorName
}

export interface LeaveReply {
  readonly kind: 'leave'
  /** In the order of the request. Below version 3 the API puts the one member's error on top. */
  readonly members: readonly { readonly memberId: string; readonly groupInstanceId: string | null; readonly error: KafkaErrorName }[]
}

export interface CommitReply {
  readonly kind: 'commit'
  readonly error: KafkaErrorName
}

export interface OffsetDeleteReply {
  readonly kind: 'offset delete'
  readonly error: KafkaErrorName
  /** Topics of which a member may read: GROUP_SUBSCRIBED_TO_TOPIC for these. 'all' when it can't be known. */
  readonly subscribed: ReadonlySet<string> | 'all'
}

export interface OffsetExpiryReply {
  readonly kind: 'offset expiry'
  /** Topics that members read; offsets of others expire. 'all': none may, for what is read is not settled, or can't be known. */
  readonly subscribed: ReadonlySet<string> | 'all'
}

export interface DeleteReply {
  readonly kind: 'delete'
  readonly error: KafkaErrorName
}

export interface Described {
  readonly kind: 'described'
  /** Dead: there is no such group. DescribeGroups answers GROUP_ID_NOT_FOUND from version 6 on, before that no error. */
  readonly state: ClassicGroupState
  readonly protocolType: string
  /** Empty unless Stable. */
  readonly protocolName: string
  readonly generation: number
  readonly leader: string
  readonly members: readonly DescribedMember[]
}

export interface DescribedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Empty unless the group is Stable. */
  readonly metadata: Uint8Array
  readonly assignment: Uint8Array
  /** It has asked for its assignment of this generation, and got it. */
  readonly synced: boolean
}

export interface Disconnected {
  readonly kind: 'disconnected'
  readonly left: readonly string[]
}

/** Kafka's names, as ListGroups and DescribeGroups send them. */
export type ClassicGroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export const noBytes: Uint8Array = new Uint8Array(0)

export function joinRefused(error: KafkaErrorName, memberId: string): JoinReply {
  return {
    kind: 'join',
    error,
    generation: -1,
    memberId,
    leader: '',
    protocolType: null,
    protocolName: null,
    skipAssignment: false,
    members: [],
  }
}

export function syncRefused(error: KafkaErrorName): SyncReply {
  return { kind: 'sync', error, protocolType: null, protocolName: null, assignment: noBytes }
}
