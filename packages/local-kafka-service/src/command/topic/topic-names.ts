// The topics that were named, as the cluster has them.
import { noTopic, refusal } from '../../cluster/client-errors.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClusterState, TopicState } from '../../cluster/cluster-metadata.ts'

/** In the order of the names. Throws a UserError for the first that is not there, or may not be seen. */
export function existing(cluster: Cluster, { topics, missing }: ClusterState, names: readonly string[]): readonly TopicState[] {
  return [...new Set(names)].map((name) => {
    const topic = topics.find((candidate) => candidate.name === name)
    if (topic !== undefined) return topic
    const { id, message } = cluster.errorOf(missing.get(name) ?? 0)
    throw id === 'UNKNOWN_TOPIC_OR_PARTITION' || !missing.has(name) ? noTopic(name) : refusal(id, `topic '${name}': ${message}`)
  })
}
