// Looks up the named topics in the cluster.
import { noTopic, noTopics, rejection } from '../../cluster/client-errors.ts'
import type { ClusterClient } from '../../cluster/cluster-client.ts'
import type { ClusterState, TopicState } from '../../cluster/cluster-metadata.ts'

/** Throws a UserError for a topic that does not exist or may not be described. */
export function existing(cluster: ClusterClient, { topics, missing }: ClusterState, name: string): TopicState {
  const topic = topics.find((candidate) => candidate.name === name)
  if (topic !== undefined) return topic
  const { id, message } = cluster.errorOf(missing.get(name) ?? 0)
  throw id === 'UNKNOWN_TOPIC_OR_PARTITION' || !missing.has(name) ? noTopic(name) : rejection(id, `topic '${name}': ${message}`)
}

/** In the order of the names. Throws a UserError that names all missing topics; it does not advise to create them, because the caller deletes them. */
export function allExisting(cluster: ClusterClient, state: ClusterState, names: readonly string[]): readonly TopicState[] {
  const wanted = [...new Set(names)]
  const absent = wanted.filter(
    (name) =>
      !state.topics.some((topic) => topic.name === name) && cluster.errorOf(state.missing.get(name) ?? unknownTopic).id === unknownTopicId,
  )
  if (absent.length > 0) throw noTopics(absent, wanted.length)
  return wanted.map((name) => existing(cluster, state, name))
}

const unknownTopicId = 'UNKNOWN_TOPIC_OR_PARTITION'
const unknownTopic = 3
