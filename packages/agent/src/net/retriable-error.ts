// The error of a request that failed through no fault of its client: the code after which clients of its API send it again.
import { type KafkaErrorName, Produce } from '@local-kafka-service/protocol'
import type { AnyHandler } from '../api/handler.ts'

/**
 * - `not done`: a store was away before the request changed anything.
 * - `unknown`: a defect interrupted the request. A part of it may be done.
 */
export type FailedWork = 'not done' | 'unknown'

/**
 * UNKNOWN_SERVER_ERROR is final for clients: a producer gives the records up, kafkajs ends its consumer.
 * - Groups and transactional ids: COORDINATOR_NOT_AVAILABLE. After a storage error a member leaves its group; after this code it finds its coordinator again and repeats the request.
 * - Produce, `unknown`: REQUEST_TIMED_OUT. Java's producer, librdkafka, kafkajs, sarama and franz-go send the same batch with the same sequence again, so the
 *   records of an idempotent producer are stored exactly once. librdkafka takes NOT_LEADER_OR_FOLLOWER and KAFKA_STORAGE_ERROR as proof that the batch is not
 *   stored, and may give its sequence to other records then; after REQUEST_TIMED_OUT it treats the batch as possibly stored.
 * - All others: KAFKA_STORAGE_ERROR. Consumers and producers refresh their metadata and ask again. An admin client reports it as retriable.
 */
export function retriableError({ api, access }: Pick<AnyHandler, 'api' | 'access'>, work: FailedWork): KafkaErrorName {
  if (access.resource === 'group' || access.resource === 'transactional id') return 'COORDINATOR_NOT_AVAILABLE'
  return api.key === Produce.key && work === 'unknown' ? 'REQUEST_TIMED_OUT' : 'KAFKA_STORAGE_ERROR'
}
