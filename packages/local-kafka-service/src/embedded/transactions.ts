// The transactional ids of an embedded server.
import type { AgentOperations } from '@local-kafka-service/agent'
import { errors } from '@local-kafka-service/protocol'
import { valueOf, withRejections } from './rejections.ts'
import type { KafkaTransaction } from './transaction.ts'

/** All transactional ids, in order. */
export async function transactionsOf({ transactions }: Pick<AgentOperations, 'transactions'>): Promise<KafkaTransaction[]> {
  const seesAll = { maySee: () => true, maySeeTopic: () => true }
  const found: KafkaTransaction[] = []
  for (const { transactionalId } of await withRejections(transactions.list(seesAll))) {
    const described = await withRejections(transactions.describe(transactionalId, seesAll))
    // It has expired since it was listed.
    if (described.kind === 'error' && described.code === errors.TRANSACTIONAL_ID_NOT_FOUND.code) continue
    const { beganAtMs, topics, groups, ...same } = valueOf(described)
    const partitions = topics.flatMap(({ topic, partitions: numbers }) => numbers.map((partition) => ({ topic, partition })))
    found.push({ ...same, startedAt: beganAtMs === undefined ? undefined : new Date(beganAtMs), partitions, groups })
  }
  return found
}
