// ElectLeaders elects no one: the owner of a partition is its only replica, and so the preferred one.
// - Versions: 0–2.
// - KIPs: 183, 460 (unclean elections, 1+).
import { ElectLeaders, errors } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Services } from '../services.ts'
import { topicsByName } from './access.ts'
import { handler } from './handler.ts'

type Uses = Pick<Services, 'turns' | 'topics' | 'gate'>

export const electLeaders = handler({
  api: ElectLeaders,
  access: { operation: 'ALTER', resource: 'cluster' },
  async handle({ electionType, topicPartitions }, context, services: Uses) {
    const wrongType = electionType === 0 || electionType === 1 ? undefined : `Unknown election type ${electionType}`
    // Null asks for the partitions that have another leader than the preferred one: there are none.
    if (topicPartitions === null) {
      const all = wrongType === undefined ? await services.topics.list() : []
      const errorCode = wrongType === undefined ? 0 : errors.INVALID_REQUEST.code
      return {
        kind: 'now',
        response: { throttleTimeMs: 0, errorCode, replicaElectionResults: all.map(({ name }) => ({ topic: name, partitionResult: [] })) },
      }
    }
    const names = topicPartitions.map(({ topic }) => topic)
    const found = await topicsByName(names, { operation: 'ALTER', context, services })
    const replicaElectionResults = topicPartitions.map(({ topic: name, partitions }) => {
      const topic = must(found.get(name), 'each topic that the request names')
      const count = topic.kind === 'ok' ? topic.value.partitions : undefined
      return {
        topic: name,
        partitionResult: partitions.map((partitionId) => ({ partitionId, ...elected({ name, partitionId, count, wrongType }) })),
      }
    })
    const errorCode = wrongType === undefined ? 0 : errors.INVALID_REQUEST.code
    return { kind: 'now', response: { throttleTimeMs: 0, errorCode, replicaElectionResults } }
  },
  reject: ({ topicPartitions }, { code, message }, apiVersion) => {
    if (apiVersion >= 1) return { throttleTimeMs: 0, errorCode: code, replicaElectionResults: [] }
    // Version 0 has errors of partitions only. Without topics there is no place for one.
    const replicaElectionResults = (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode: code, errorMessage: message })),
    }))
    return { throttleTimeMs: 0, errorCode: 0, replicaElectionResults }
  },
})

/** `count`: the partitions of the topic, if it exists. */
function elected(of: {
  readonly name: string
  readonly partitionId: number
  readonly count: number | undefined
  readonly wrongType: string | undefined
}): { readonly errorCode: number; readonly errorMessage: string } {
  const { name, partitionId, count, wrongType } = of
  if (wrongType !== undefined) return { errorCode: errors.INVALID_REQUEST.code, errorMessage: wrongType }
  const unknown = errors.UNKNOWN_TOPIC_OR_PARTITION.code
  if (count === undefined) return { errorCode: unknown, errorMessage: `No such topic as ${name}` }
  if (partitionId < 0 || partitionId >= count) return { errorCode: unknown, errorMessage: `No such partition as ${name}-${partitionId}` }
  return { errorCode: errors.ELECTION_NOT_NEEDED.code, errorMessage: 'Leader election not needed for topic partition.' }
}
