// The check of manual assignments of partitions to brokers, for CreateTopics and CreatePartitions, with Kafka's texts.
import type { Services } from '../services.ts'
import { brokersFor } from './brokers.ts'
import type { RequestScope } from './request-context.ts'

/** The problem with one partition's list of brokers; undefined when the list is valid. */
export function replicasError(
  brokerIds: readonly number[],
  { context, services }: RequestScope<Pick<Services, 'owners'>>,
): string | undefined {
  if (brokerIds.length === 0) return 'The manual partition assignment includes an empty replica list.'
  const brokers = new Set(brokersFor(context, services).map(({ nodeId }) => nodeId))
  const sorted = brokerIds.toSorted((a, b) => a - b)
  for (const [at, broker] of sorted.entries()) {
    if (!brokers.has(broker)) return `The manual partition assignment includes broker ${broker}, but no such broker is registered.`
    if (broker === sorted[at - 1]) return `The manual partition assignment includes the broker ${broker} more than once.`
  }
  // This rule is not Kafka's, which makes one replica for each broker in the list.
  return brokerIds.length === 1 ? undefined : 'Assign each partition to exactly one broker: the object store replicates the data.'
}
