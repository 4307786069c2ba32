// The check of manual assignments of partitions to brokers, for CreateTopics and CreatePartitions, with Kafka's texts.
import type { Services } from '../services.ts'
import { brokersFor } from './brokers.ts'
import type { RequestScope } from './request-context.ts'

/** The problem with one partition's list of brokers, of which all partitions of a topic have as many; undefined when the list is valid. */
export function replicasError(
  brokerIds: readonly number[],
  replicationFactor: number,
  { context, services }: RequestScope<Pick<Services, 'owners'>>,
): string | undefined {
  if (brokerIds.length === 0) return 'The manual partition assignment includes an empty replica list.'
  const brokers = new Set(brokersFor(context, services).map(({ nodeId }) => nodeId))
  const sorted = brokerIds.toSorted((a, b) => a - b)
  for (const [at, broker] of sorted.entries()) {
    if (!brokers.has(broker)) return `The manual partition assignment includes broker ${broker}, but no such broker is registered.`
    if (broker === sorted[at - 1]) return `The manual partition assignment includes the broker ${broker} more than once.`
  }
  return brokerIds.length === replicationFactor
    ? undefined
    : `The manual partition assignment includes a partition with ${brokerIds.length} replica(s), but this is not consistent with previous partitions, which have ${replicationFactor} replica(s).`
}
