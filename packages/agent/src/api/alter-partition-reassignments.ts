// AlterPartitionReassignments moves nothing: the cluster itself decides which agent owns a partition, and no records move with it.
// - Versions: 0–1.
// - KIPs: 455, 860 (1).
// - The present replica is accepted, as in Kafka, and so is any other live agent: a partition is readable and writable through every one of them.
import { AlterPartitionReassignments, type AlterPartitionReassignmentsRequest, errors } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { topicsByName } from './access.ts'
import { handler } from './handler.ts'
import { replicasError } from './replica-assignments.ts'
import type { RequestContext } from './request-context.ts'

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'owners'>
type Partition = AlterPartitionReassignmentsRequest['topics'][number]['partitions'][number]

export const alterPartitionReassignments = handler({
  api: AlterPartitionReassignments,
  access: { operation: 'ALTER', resource: 'cluster' },
  async handle({ topics, allowReplicationFactorChange }, context, services: Uses) {
    const found = await topicsByName(
      topics.map(({ name }) => name),
      { operation: 'ALTER', context, services },
    )
    const responses = topics.map(({ name, partitions }) => {
      const topic = must(found.get(name), 'each topic that the request names')
      return {
        name,
        partitions: partitions.map((partition) => ({
          partitionIndex: partition.partitionIndex,
          ...reassigned(partition, { name, topic: topic.kind === 'ok' ? topic.value : undefined, context, services }),
        })),
      }
    })
    return {
      kind: 'now',
      // Kafka sends an empty text when the request names no topic.
      response: { throttleTimeMs: 0, allowReplicationFactorChange, errorCode: 0, errorMessage: topics.length === 0 ? '' : null, responses },
    }
  },
  reject: (_request, { code, message }) => ({ throttleTimeMs: 0, errorCode: code, errorMessage: message, responses: [] }),
})

function reassigned(
  { partitionIndex, replicas }: Partition,
  of: { readonly name: string; readonly topic: Topic | undefined; readonly context: RequestContext; readonly services: Uses },
): { readonly errorCode: number; readonly errorMessage: string | null } {
  const unknown = errors.UNKNOWN_TOPIC_OR_PARTITION.code
  const { topic } = of
  if (topic === undefined) return { errorCode: unknown, errorMessage: `Unable to find a topic named ${of.name}.` }
  if (partitionIndex < 0 || partitionIndex >= topic.partitions)
    return { errorCode: unknown, errorMessage: `Unable to find partition ${of.name}:${partitionIndex}.` }
  // Null cancels a reassignment.
  if (replicas === null) return { errorCode: errors.NO_REASSIGNMENT_IN_PROGRESS.code, errorMessage: null }
  const wrong = replicasError(replicas, topic.replicationFactor, of)
  return wrong === undefined
    ? { errorCode: 0, errorMessage: null }
    : { errorCode: errors.INVALID_REPLICA_ASSIGNMENT.code, errorMessage: wrong }
}
