// A transactional id as the commands print it.
import type { DescribedTransaction } from '../../cluster/transactions.ts'

/** For JSON and YAML. */
export function transactionValue(of: DescribedTransaction): unknown {
  const { id, state, producerId, producerEpoch, timeoutMs, coordinator, topics } = of
  const { id: broker, host, port } = coordinator
  const startedAt = of.startedAtMs === undefined ? null : new Date(of.startedAtMs).toISOString()
  return { transactionalId: id, state, producerId, producerEpoch, timeoutMs, startedAt, coordinator: { id: broker, host, port }, topics }
}

/** `-` when it has begun no transaction. */
export function startOf({ startedAtMs }: DescribedTransaction): string {
  return startedAtMs === undefined ? '-' : new Date(startedAtMs).toISOString()
}
