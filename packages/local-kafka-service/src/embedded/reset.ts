// Returns to the state after the start: no groups, no open transactions, no configs of brokers that were set at run time, and only the requested topics.
import type { AgentOperations } from '@local-kafka-service/agent'
import { errors } from '@local-kafka-service/protocol'
import { RefusedError } from './rejection-error.ts'
import { rejectionOf, withRejections } from './rejections.ts'
import type { TopicSpec } from './topic-spec.ts'
import { provideTopics } from './topics.ts'
import type { TransactionsOfTests } from './transactions.ts'

export async function reset(
  operations: AgentOperations,
  transactions: Pick<TransactionsOfTests, 'reset'>,
  topics: Readonly<Record<string, number | TopicSpec>>,
): Promise<void> {
  const groups = await withRejections(operations.groups.list())
  const withMembers = groups.filter(({ state }) => state !== 'Empty' && state !== 'Dead').map(({ groupId }) => groupId)
  if (withMembers.length > 0) {
    throw new RefusedError(
      'NON_EMPTY_GROUP',
      `reset(): consumers are still members of ${withMembers.join(', ')}; disconnect them first, or expel() them if their clients have ended`,
    )
  }
  await transactions.reset()
  for (const { groupId } of groups) {
    const deleted = await withRejections(operations.groups.delete(groupId))
    if (deleted.kind === 'error' && deleted.code !== errors.GROUP_ID_NOT_FOUND.code) throw rejectionOf(deleted)
  }
  for (const { topicId } of await withRejections(operations.topics.list())) {
    const deleted = await withRejections(operations.topics.delete({ topicId }))
    if (deleted.kind === 'error' && deleted.code !== errors.UNKNOWN_TOPIC_ID.code) throw rejectionOf(deleted)
  }
  await withRejections(operations.brokerConfigs.clear())
  await withRejections(provideTopics(operations, topics))
}
