// A cluster's metadata: its brokers, its controller, and its topics with their partitions, each with its own error.
import type { Broker } from '@platformatic/kafka'
import type { ClusterClient } from './cluster-client.ts'

export interface ClusterBroker extends Broker {
  readonly id: number
  readonly rack: string | null
}

export interface TopicPartitionState {
  readonly partition: number
  /** -1: no leader. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface TopicState {
  readonly name: string
  /** Undefined if the cluster has no topic ids. */
  readonly id: string | undefined
  readonly internal: boolean
  readonly partitions: readonly TopicPartitionState[]
}

export interface ClusterState {
  readonly clusterId: string | null
  readonly controllerId: number
  /** By id. */
  readonly brokers: readonly ClusterBroker[]
  /** Existing topics, sorted by name. */
  readonly topics: readonly TopicState[]
  /** Error codes of the requested topics, by name. */
  readonly missing: ReadonlyMap<string, number>
}

/** `names`: null for all topics. Never creates a topic. */
export async function clusterState(cluster: ClusterClient, names: readonly string[] | null): Promise<ClusterState> {
  const connection = await cluster.anyConnection()
  const { async: metadata } = cluster.version('Metadata', cluster.library.metadataV12.api)
  const asked = names === null ? null : [...new Set(names)]
  const answer = await cluster.withRetries(() => cluster.partial(metadata(connection, asked, false, false)))
  const topics: TopicState[] = []
  const missing = new Map<string, number>()
  for (const { name, topicId, isInternal, errorCode, partitions } of answer.topics) {
    if (name === null || name === undefined) continue
    if (errorCode !== 0) {
      missing.set(name, errorCode)
      continue
    }
    const states = partitions.map(({ partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes }) => ({
      partition: partitionIndex,
      leader: leaderId,
      leaderEpoch,
      replicas: replicaNodes,
      isr: isrNodes,
    }))
    // Versions before 10 have no topic ids.
    topics.push({
      name,
      id: topicId && kafkaUuid(topicId),
      internal: isInternal,
      partitions: states.toSorted((a, b) => a.partition - b.partition),
    })
  }
  return {
    clusterId: answer.clusterId ?? null,
    controllerId: answer.controllerId,
    brokers: answer.brokers
      .map(({ nodeId, host, port, rack }) => ({ id: nodeId, host, port, rack: rack ?? null }))
      .toSorted((a, b) => a.id - b.id),
    topics: topics.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    missing,
  }
}

/** An id as Kafka's own tools and our HTTP print it: 22 characters of base64url. The client library returns hexadecimal digits. */
function kafkaUuid(hexadecimal: string): string {
  return Buffer.from(hexadecimal.replaceAll('-', ''), 'hex').toString('base64url')
}
