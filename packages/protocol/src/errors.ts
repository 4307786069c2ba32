// Kafka's error codes: the one table of names, codes, whether a client may retry, and what they mean; and the two shapes of an expected failure.
// Codes and retriability are those of Kafka 4.3 (org.apache.kafka.common.protocol.Errors); the words are ours.

/** One row of the table of error codes. */
export interface KafkaErrorRow {
  readonly code: number
  /** Whether the client may send the same request again. */
  readonly retriable: boolean
  readonly message: string
}

/** A name as Kafka has it: `NOT_LEADER_OR_FOLLOWER`. */
export type KafkaErrorName = keyof typeof errors

/** An expected failure of a part: a value, never thrown. `code` is Kafka's. */
export type Outcome<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'error'; readonly code: number; readonly message?: string }

/** An expected failure of a whole request: thrown, caught once by dispatch, and turned into a response by the API that rejects the request. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError'
  readonly code: number
  readonly error: KafkaErrorName

  constructor(error: KafkaErrorName, message: string = errors[error].message, options?: ErrorOptions) {
    super(message, options)
    this.error = error
    this.code = errors[error].code
  }

  get retriable(): boolean {
    return errors[this.error].retriable
  }
}

/** The name of a code; undefined for one that Kafka 4.3 does not have. */
export function errorName(code: number): KafkaErrorName | undefined {
  return names.get(code)
}

/** Every error code of Kafka by its name, with its number and whether a client may try again. */
export const errors = {
  UNKNOWN_SERVER_ERROR: final(-1, 'The server failed in a way that it did not expect.'),
  NONE: final(0, 'No error.'),
  OFFSET_OUT_OF_RANGE: final(1, "The offset is before the start or after the end of the partition's log."),
  CORRUPT_MESSAGE: retriable(2, 'The record batch is damaged: its checksum, its size or its format is wrong.'),
  UNKNOWN_TOPIC_OR_PARTITION: retriable(3, 'There is no such topic or partition here.'),
  INVALID_FETCH_SIZE: final(4, 'The fetch size is not valid.'),
  LEADER_NOT_AVAILABLE: retriable(5, 'The partition has no leader at the moment.'),
  NOT_LEADER_OR_FOLLOWER: retriable(6, 'This broker does not lead the partition.'),
  REQUEST_TIMED_OUT: retriable(7, 'The request took longer than it was allowed to.'),
  BROKER_NOT_AVAILABLE: final(8, 'The broker is not available.'),
  REPLICA_NOT_AVAILABLE: retriable(9, "The partition's replica is not available."),
  MESSAGE_TOO_LARGE: final(10, 'The record batch is larger than the server accepts.'),
  STALE_CONTROLLER_EPOCH: final(11, "The controller's epoch is an old one."),
  OFFSET_METADATA_TOO_LARGE: final(12, 'The metadata beside the committed offset is too large.'),
  NETWORK_EXCEPTION: retriable(13, 'The connection ended before the response came.'),
  COORDINATOR_LOAD_IN_PROGRESS: retriable(14, 'The coordinator is still loading.'),
  COORDINATOR_NOT_AVAILABLE: retriable(15, 'The coordinator is not available.'),
  NOT_COORDINATOR: retriable(16, 'This broker is not the coordinator of that id.'),
  INVALID_TOPIC_EXCEPTION: final(17, "The topic's name is not valid, or the operation is not allowed on this topic."),
  RECORD_LIST_TOO_LARGE: final(18, 'The record batch is larger than a segment may be.'),
  NOT_ENOUGH_REPLICAS: retriable(19, 'Fewer replicas are in sync than the topic requires.'),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: retriable(20, 'The records were written, but to fewer replicas than the topic requires.'),
  INVALID_REQUIRED_ACKS: final(21, 'acks must be -1, 0 or 1.'),
  ILLEGAL_GENERATION: final(22, "The generation is not the group's current one."),
  INCONSISTENT_GROUP_PROTOCOL: final(23, 'The member shares no protocol with the other members of the group.'),
  INVALID_GROUP_ID: final(24, 'The group id is not valid.'),
  UNKNOWN_MEMBER_ID: final(25, 'The group has no such member.'),
  INVALID_SESSION_TIMEOUT: final(26, 'The session timeout is outside the range that the server allows.'),
  REBALANCE_IN_PROGRESS: final(27, 'The group is rebalancing; the member must join again.'),
  INVALID_COMMIT_OFFSET_SIZE: final(28, 'The size of the offset commit is not valid.'),
  TOPIC_AUTHORIZATION_FAILED: final(29, 'Not authorized for this topic.'),
  GROUP_AUTHORIZATION_FAILED: final(30, 'Not authorized for this group.'),
  CLUSTER_AUTHORIZATION_FAILED: final(31, 'Not authorized for this operation on the cluster.'),
  INVALID_TIMESTAMP: final(32, "A record's timestamp is outside the range that the topic allows."),
  UNSUPPORTED_SASL_MECHANISM: final(33, 'The server does not offer this SASL mechanism.'),
  ILLEGAL_SASL_STATE: final(34, 'The request does not fit the state of the authentication.'),
  UNSUPPORTED_VERSION: final(35, 'The server does not support this version of the API.'),
  TOPIC_ALREADY_EXISTS: final(36, 'There is a topic of this name already.'),
  INVALID_PARTITIONS: final(37, 'The number of partitions is not valid.'),
  INVALID_REPLICATION_FACTOR: final(38, 'The replication factor is not valid, or larger than the number of brokers.'),
  INVALID_REPLICA_ASSIGNMENT: final(39, 'The assignment of replicas is not valid.'),
  INVALID_CONFIG: final(40, 'The configuration is not valid.'),
  NOT_CONTROLLER: retriable(41, 'This broker is not the controller.'),
  INVALID_REQUEST: final(42, 'The request is malformed or contradicts itself.'),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: final(43, 'The record format does not support the request.'),
  POLICY_VIOLATION: final(44, 'The request violates a policy of the server.'),
  OUT_OF_ORDER_SEQUENCE_NUMBER: final(45, "The sequence number does not follow the producer's last one."),
  DUPLICATE_SEQUENCE_NUMBER: final(46, 'The sequence number was used before.'),
  INVALID_PRODUCER_EPOCH: final(47, "The producer's epoch is an old one."),
  INVALID_TXN_STATE: final(48, "The transaction's state does not allow the operation."),
  INVALID_PRODUCER_ID_MAPPING: final(49, 'The producer id does not belong to this transactional id.'),
  INVALID_TRANSACTION_TIMEOUT: final(50, 'The transaction timeout is larger than the server allows.'),
  CONCURRENT_TRANSACTIONS: retriable(51, 'Another operation on the same transaction is under way.'),
  TRANSACTION_COORDINATOR_FENCED: final(52, "The transaction's coordinator has changed."),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: final(53, 'Not authorized for this transactional id.'),
  SECURITY_DISABLED: final(54, 'The server runs without the security feature that this needs.'),
  OPERATION_NOT_ATTEMPTED: final(55, 'Not tried, because another operation of the same request failed.'),
  KAFKA_STORAGE_ERROR: retriable(56, 'The storage failed or could not be reached.'),
  LOG_DIR_NOT_FOUND: final(57, "The log directory is not one of the server's."),
  SASL_AUTHENTICATION_FAILED: final(58, 'The authentication failed.'),
  UNKNOWN_PRODUCER_ID: final(59, 'The server has no state of this producer id.'),
  REASSIGNMENT_IN_PROGRESS: final(60, 'The partition is being reassigned.'),
  DELEGATION_TOKEN_AUTH_DISABLED: final(61, 'Delegation tokens are not enabled.'),
  DELEGATION_TOKEN_NOT_FOUND: final(62, 'There is no such delegation token.'),
  DELEGATION_TOKEN_OWNER_MISMATCH: final(63, 'The principal neither owns nor may renew the token.'),
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: final(64, 'Delegation tokens cannot be requested over this connection.'),
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: final(65, 'Not authorized for this delegation token.'),
  DELEGATION_TOKEN_EXPIRED: final(66, 'The delegation token has expired.'),
  INVALID_PRINCIPAL_TYPE: final(67, 'The type of the principal is not supported.'),
  NON_EMPTY_GROUP: final(68, 'The group still has members.'),
  GROUP_ID_NOT_FOUND: final(69, 'There is no such group.'),
  FETCH_SESSION_ID_NOT_FOUND: retriable(70, 'There is no such fetch session.'),
  INVALID_FETCH_SESSION_EPOCH: retriable(71, 'The epoch of the fetch session is not the expected one.'),
  LISTENER_NOT_FOUND: retriable(72, 'The leader has no listener with the name of the listener that received the request.'),
  TOPIC_DELETION_DISABLED: final(73, 'Deleting topics is disabled.'),
  FENCED_LEADER_EPOCH: retriable(74, "The leader epoch of the request is older than the server's."),
  UNKNOWN_LEADER_EPOCH: retriable(75, "The leader epoch of the request is newer than the server's."),
  UNSUPPORTED_COMPRESSION_TYPE: final(76, 'The compression type is not supported, or not in this version of the API.'),
  STALE_BROKER_EPOCH: final(77, "The broker's epoch is an old one."),
  OFFSET_NOT_AVAILABLE: retriable(78, 'The high watermark is not certain yet after a change of leader.'),
  MEMBER_ID_REQUIRED: final(79, 'The member must join again with the id that it was given.'),
  PREFERRED_LEADER_NOT_AVAILABLE: retriable(80, 'The preferred leader is not available.'),
  GROUP_MAX_SIZE_REACHED: final(81, 'The group is full.'),
  FENCED_INSTANCE_ID: final(82, 'Another member took over the group instance id.'),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: retriable(83, 'No eligible leader is available.'),
  ELECTION_NOT_NEEDED: retriable(84, 'The partition has the leader that it should have.'),
  NO_REASSIGNMENT_IN_PROGRESS: final(85, 'The partition is not being reassigned.'),
  GROUP_SUBSCRIBED_TO_TOPIC: final(86, 'The group is subscribed to the topic, so its offsets stay.'),
  INVALID_RECORD: final(87, 'A record breaks a rule of the topic or of the format.'),
  UNSTABLE_OFFSET_COMMIT: retriable(88, 'A transaction that commits offsets is still open.'),
  THROTTLING_QUOTA_EXCEEDED: retriable(89, 'The quota is used up.'),
  PRODUCER_FENCED: final(90, 'A newer producer uses the same transactional id.'),
  RESOURCE_NOT_FOUND: final(91, 'There is no such resource.'),
  DUPLICATE_RESOURCE: final(92, 'The request names the same resource twice.'),
  UNACCEPTABLE_CREDENTIAL: final(93, 'The credential does not meet the requirements.'),
  INCONSISTENT_VOTER_SET: final(94, 'The sender or the receiver is not one of the expected voters.'),
  INVALID_UPDATE_VERSION: final(95, 'The version of the update is not valid.'),
  FEATURE_UPDATE_FAILED: final(96, 'The features could not be updated.'),
  PRINCIPAL_DESERIALIZATION_FAILURE: final(97, 'The forwarded principal could not be read.'),
  SNAPSHOT_NOT_FOUND: final(98, 'There is no such snapshot.'),
  POSITION_OUT_OF_RANGE: final(99, 'The position is outside the snapshot.'),
  UNKNOWN_TOPIC_ID: retriable(100, 'There is no topic of this id here.'),
  DUPLICATE_BROKER_REGISTRATION: final(101, 'The broker id is in use.'),
  BROKER_ID_NOT_REGISTERED: final(102, 'The broker id is not registered.'),
  INCONSISTENT_TOPIC_ID: retriable(103, 'The topic id is not the one that the server has for the topic.'),
  INCONSISTENT_CLUSTER_ID: final(104, "The cluster id is not this cluster's."),
  TRANSACTIONAL_ID_NOT_FOUND: final(105, 'There is no such transactional id.'),
  FETCH_SESSION_TOPIC_ID_ERROR: retriable(106, 'The fetch session mixes topic ids and names.'),
  INELIGIBLE_REPLICA: final(107, 'A replica is not eligible to be in sync.'),
  NEW_LEADER_ELECTED: final(108, 'The partition has a new leader.'),
  OFFSET_MOVED_TO_TIERED_STORAGE: final(109, 'The offset is in tiered storage only.'),
  FENCED_MEMBER_EPOCH: final(110, "The member's epoch is fenced; it must give up its partitions and join again."),
  UNRELEASED_INSTANCE_ID: final(111, 'The instance id is still held by another member.'),
  UNSUPPORTED_ASSIGNOR: final(112, 'The group does not support the assignor.'),
  STALE_MEMBER_EPOCH: final(113, "The member's epoch is an old one; its next heartbeat returns the current one."),
  MISMATCHED_ENDPOINT_TYPE: final(114, 'The request went to the wrong type of endpoint.'),
  UNSUPPORTED_ENDPOINT_TYPE: final(115, 'This type of endpoint is not supported.'),
  UNKNOWN_CONTROLLER_ID: final(116, 'There is no controller of this id.'),
  UNKNOWN_SUBSCRIPTION_ID: final(117, 'The telemetry subscription is not valid any more.'),
  TELEMETRY_TOO_LARGE: final(118, 'The telemetry is larger than the server accepts.'),
  INVALID_REGISTRATION: final(119, 'The registration of the broker is not valid.'),
  TRANSACTION_ABORTABLE: final(120, 'The transaction cannot go on; after an abort the transactional id can be used again.'),
  INVALID_RECORD_STATE: final(121, 'The state of the record does not allow the acknowledgement.'),
  SHARE_SESSION_NOT_FOUND: retriable(122, 'There is no such share session.'),
  INVALID_SHARE_SESSION_EPOCH: retriable(123, 'The epoch of the share session is not the expected one.'),
  FENCED_STATE_EPOCH: final(124, 'The state epoch of the share group is an old one.'),
  INVALID_VOTER_KEY: final(125, "The voter's key is not this replica's."),
  DUPLICATE_VOTER: final(126, 'The replica is a voter already.'),
  VOTER_NOT_FOUND: final(127, 'The voter is not among the voters.'),
  INVALID_REGULAR_EXPRESSION: final(128, 'The regular expression is not valid.'),
  REBOOTSTRAP_REQUIRED: final(129, "The client's metadata is stale; it must start again from its bootstrap servers."),
  STREAMS_INVALID_TOPOLOGY: final(130, 'The topology is not valid.'),
  STREAMS_INVALID_TOPOLOGY_EPOCH: final(131, 'The epoch of the topology is not valid.'),
  STREAMS_TOPOLOGY_FENCED: final(132, 'The epoch of the topology is an old one.'),
  SHARE_SESSION_LIMIT_REACHED: retriable(133, 'There are as many share sessions as the server allows.'),
} as const

const names: ReadonlyMap<number, KafkaErrorName> = new Map(Object.entries(errors).map(([name, { code }]) => [code, name as KafkaErrorName]))

function retriable<const C extends number>(code: C, message: string): KafkaErrorRow & { readonly code: C } {
  return { code, retriable: true, message }
}

function final<const C extends number>(code: C, message: string): KafkaErrorRow & { readonly code: C } {
  return { code, retriable: false, message }
}
