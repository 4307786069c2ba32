// The requests and replies of a classic group, JoinGroup to DeleteGroups, without their wire format, and the settings of its rules.
import type { KafkaErrorName } from '@local-kafka-service/protocol'

/** Each comment begins with Kafka's name of the setting. */
export interface ClassicSettings {
  /** group.initial.rebalance.delay.ms: how long a rebalance of an empty group waits for more members; 0 completes it in the turn of the first. */
  readonly initialRebalanceDelayMs: number
  /** group.min.session.timeout.ms, group.max.session.timeout.ms; both ends are legal. */
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  /** group.max.size: the most members, and also the most pending ids that have not joined yet. */
  readonly maxSize: number
  /** Kafka's group coordinator has 5 minutes: a new member can't send heartbeats while its first JoinGroup is parked. */
  readonly newMemberJoinTimeoutMs: number
  /** group.leave.on.disconnect: after its connection has ended, a dynamic member's session ends after `reconnectMs`, unless it sends a request over another. */
  readonly leaveOnDisconnect: boolean
  readonly reconnectMs: number
}

/** The runner's name of a connection of the agent; undefined if there is none (HTTP). */
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
  /** The API version: from 4 on a member gets an id before it joins, from 9 on a static leader can skip the assignment. */
  readonly version: number
  /** Empty: the member has none yet. */
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** Random, never used before: the end of the member's id, if the group creates one. */
  readonly unique: string
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  /** Version 0 has none: the session time-out applies. */
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
  /** The leader's assignments; followers send none. */
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[]
}

export interface HeartbeatRequest extends MemberClaim {
  readonly kind: 'heartbeat'
}

/** The identity that a member claims. */
export interface MemberClaim {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generation: number
  readonly connection?: ConnectionId | undefined
}

export interface LeaveRequest {
  readonly kind: 'leave'
  /** Below version 3 one, by its id. An administrator removes a static member with an empty id and an instance id. */
  readonly members: readonly { readonly memberId: string; readonly groupInstanceId: string | null }[]
}

/** Asks whether these offsets may be committed, for OffsetCommit and TxnOffsetCommit. */
export interface CommitRequest extends MemberClaim {
  readonly kind: 'commit'
  readonly version: number
  readonly transactional: boolean
}

/** Asks for the topics whose offsets may not be deleted. */
export interface OffsetDeleteRequest {
  readonly kind: 'offset delete'
}

/** Asks for the topics whose offsets may not expire. */
export interface OffsetExpiryRequest {
  readonly kind: 'offset expiry'
}

export interface DeleteRequest {
  readonly kind: 'delete'
}

export interface DescribeRequest {
  readonly kind: 'describe'
}

/** The connection has ended. Only the groups that received requests over it need this. */
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
  /** In the order of the request. Below version 3 the API sends the member's error as the error of the answer. */
  readonly members: readonly { readonly memberId: string; readonly groupInstanceId: string | null; readonly error: KafkaErrorName }[]
}

export interface CommitReply {
  readonly kind: 'commit'
  readonly error: KafkaErrorName
}

export interface OffsetDeleteReply {
  readonly kind: 'offset delete'
  readonly error: KafkaErrorName
  /** Topics that a member may read: their partitions get GROUP_SUBSCRIBED_TO_TOPIC. 'all' if the group cannot know them. */
  readonly subscribed: ReadonlySet<string> | 'all'
}

export interface OffsetExpiryReply {
  readonly kind: 'offset expiry'
  /** Topics that members read; offsets of others expire. 'all': no offset may expire, because the group is not stable or cannot know the topics. */
  readonly subscribed: ReadonlySet<string> | 'all'
}

export interface DeleteReply {
  readonly kind: 'delete'
  readonly error: KafkaErrorName
}

export interface Described {
  readonly kind: 'described'
  /** Dead: the group does not exist. DescribeGroups answers GROUP_ID_NOT_FOUND from version 6 on, before that no error. */
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
  /** The member has received its assignment of this generation. */
  readonly synced: boolean
}

export interface Disconnected {
  readonly kind: 'disconnected'
  readonly left: readonly string[]
}

/** Kafka's names, as ListGroups and DescribeGroups send them. */
export type ClassicGroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export const noBytes: Uint8Array = new Uint8Array(0)

export function joinRejection(error: KafkaErrorName, memberId: string): JoinReply {
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

export function syncRejection(error: KafkaErrorName): SyncReply {
  return { kind: 'sync', error, protocolType: null, protocolName: null, assignment: noBytes }
}
