// The cause of an error. Some errors belong to the normal flow of a client: it expects them, or continues as the protocol defines.
import type { ApiName, KafkaErrorName } from './kafka-names.ts'
import type { SeenApi } from './seen-request.ts'

/** By API. `docs/guides/faults.md` has the same table with the reasons. */
const expected: Readonly<Partial<Record<ApiName, readonly KafkaErrorName[]>>> = {
  // A client newer than the server retries with the versions in this answer (KIP-511).
  ApiVersions: ['UNSUPPORTED_VERSION'],
  // The client checks whether a topic exists, or waits while it is created.
  Metadata: ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'LEADER_NOT_AVAILABLE'],
  DescribeTopicPartitions: ['UNKNOWN_TOPIC_OR_PARTITION'],
  // The server replaced a session by another client's; the next fetch names all partitions again (KIP-227).
  Fetch: ['FETCH_SESSION_ID_NOT_FOUND', 'INVALID_FETCH_SESSION_EPOCH', 'FETCH_SESSION_TOPIC_ID_ERROR'],
  // The first answer to a new member (KIP-394), and the signal of a rebalance to members.
  JoinGroup: ['MEMBER_ID_REQUIRED', 'REBALANCE_IN_PROGRESS'],
  SyncGroup: ['REBALANCE_IN_PROGRESS'],
  Heartbeat: ['REBALANCE_IN_PROGRESS'],
  OffsetCommit: ['REBALANCE_IN_PROGRESS'],
}

export function isNobodys(api: SeenApi, error: KafkaErrorName): boolean {
  const byApi: Readonly<Partial<Record<SeenApi, readonly KafkaErrorName[]>>> = expected
  return byApi[api]?.includes(error) ?? false
}

/** The errors of a server whose object store or database is unavailable: a fault below the protocol caused them. */
const ofServices: ReadonlySet<KafkaErrorName> = new Set([
  'KAFKA_STORAGE_ERROR',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'REQUEST_TIMED_OUT',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'LEADER_NOT_AVAILABLE',
  'CORRUPT_MESSAGE',
  'UNKNOWN_SERVER_ERROR',
])

export function isOfServices(error: KafkaErrorName): boolean {
  return ofServices.has(error)
}
