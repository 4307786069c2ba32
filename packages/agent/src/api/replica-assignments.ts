// Manual assignments of partitions to brokers, as CreateTopics and CreatePartitions check them, with Kafka's words.
import type { Services } from '../services.ts'
import { brokersFor } from './brokers.ts'
import type { RequestContext } from './handler.ts'

/** What is wrong with one partition's list of brokers; undefined when this server can do what it asks. */
export function replicasTrouble(
  brokerIds: readonly number[],
  { context, services }: { readonly context: RequestContext; readonly services: Services },
): string | undefined {
  if (brokerIds.length === 0) return 'The manual partition assignment includes an empty replica list.'
  const brokers = new Set(brokersFor(context, services).map(({ nodeId }) => nodeId))
  const sorted = brokerIds.toSorted((a, b) => a - b)
  for (const [at, broker] of sorted.entries()) {
    if (!brokers.has(broker)) return `The manual partition assignment includes broker ${broker}, but no such broker is registered.`
    if (broker === sorted[at - 1]) return `The manual partition assignment includes the broker ${broker} more than once.`
  }
  // Not Kafka's: there a partition has as many replicas as its list has brokers.
  return brokerIds.length === 1 ? undefined : 'A partition is assigned to one broker: the object store replicates.'
}
