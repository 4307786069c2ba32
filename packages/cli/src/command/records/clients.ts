// The clients of the record commands: a reader without a group, a member of a group, and the first requests of each.
import { Consumer, Producer } from '@platformatic/kafka'
import { UserError } from 'local-kafka-service/internal/user-error'
import { hasApiError, noTopic } from '../../cluster/client-errors.ts'
import { clientOptions } from '../../cluster/client-options.ts'
import type { ConnectionOptions } from '../../cluster/connection-options.ts'

/** Reads without joining a group; the caller retries failures, so that it can report them. */
export async function openReader(connection: ConnectionOptions, topics: readonly string[]): Promise<Consumer> {
  const reader = new Consumer({
    ...(await clientOptions(connection)),
    retryDelay: retryMs,
    // Never used to join a group; the client library requires a name.
    groupId: 'lks-reads-without-a-group',
    minBytes: 1,
    retries: 0,
  })
  // A fetch names these topics by id.
  reader.topics.trackAll(...topics)
  return reader
}

export async function openMember(connection: ConnectionOptions, group: string): Promise<Consumer> {
  return new Consumer({
    ...(await clientOptions(connection)),
    groupId: group,
    autocommit: false,
    sessionTimeout: 45_000,
    rebalanceTimeout: 60_000,
    heartbeatInterval: 3_000,
    // The protocols that most clients offer, so that a group with such clients has one in common with this member.
    protocols: [
      { name: 'range', version: 1 },
      { name: 'roundrobin', version: 1 },
    ],
    retries: 40,
    retryDelay: retryMs,
  })
}

/** Finds the topics and leaders for producing. */
export async function openWriter(connection: ConnectionOptions): Promise<Producer> {
  return new Producer({ ...(await clientOptions(connection)), autocreateTopics: true, retries: 0, retryDelay: retryMs })
}

const retryMs = 250

/** The number of partitions of a topic to write to, and whether this request made it: a cluster with automatic creation creates a missing topic. */
export async function partitionsToWrite(
  producer: Producer,
  { topic, wanted }: { readonly topic: string; readonly wanted: number | undefined },
): Promise<{ readonly count: number; readonly created: boolean }> {
  const created = await isMissing(producer, topic)
  const partitions = await partitionsOf(producer, { topic, wanted: wanted === undefined ? [] : [wanted], autocreate: true })
  const count = wanted === undefined ? partitions.length : (producer.currentMetadata?.topics.get(topic)?.partitionsCount ?? wanted + 1)
  return { count, created }
}

async function isMissing(producer: Producer, topic: string): Promise<boolean> {
  try {
    await producer.metadata({ topics: [topic], autocreateTopics: false, retries: 0 })
    return false
  } catch (error) {
    // Any other error comes again with the request that may create the topic, which repeats it.
    return isUnknownTopic(error)
  }
}

/** The numbers of a topic's partitions, or only the wanted ones. Rejects with a UserError when the topic or a partition does not exist. */
export async function partitionsOf(
  client: Pick<Consumer, 'metadata'>,
  { topic, wanted, autocreate = false }: { readonly topic: string; readonly wanted: readonly number[]; readonly autocreate?: boolean },
): Promise<readonly number[]> {
  let count: number | undefined
  try {
    const metadata = await client.metadata({ topics: [topic], autocreateTopics: autocreate, retries: autocreate ? 8 : 4 })
    count = metadata.topics.get(topic)?.partitionsCount
  } catch (error) {
    if (!isUnknownTopic(error)) throw error
    throw noTopic(topic, error)
  }
  if (count === undefined) {
    throw new UserError('LKS-4006', {
      what: `${topic} is an internal topic of the cluster, which this command cannot read`,
      why: 'the client library does not list internal topics',
      fix: ['use the tools of the cluster'],
    })
  }
  const missing = wanted.find((partition) => partition >= count)
  if (missing !== undefined) {
    throw new UserError('LKS-4008', {
      what: `topic ${topic} has no partition ${missing}`,
      why: count === 1 ? 'it has only partition 0' : `it has partitions 0 to ${count - 1}`,
      fix: ['use one of these'],
    })
  }
  return wanted.length > 0 ? [...new Set(wanted)] : Array.from({ length: count }, (_, partition) => partition)
}

/** Closes connections even while a request is pending, because no caller waits for its answer. */
export async function closeBy(client: Consumer): Promise<void> {
  await client.close(true)
}

export function isUnknownTopic(error: unknown): boolean {
  return (
    hasApiError(error, 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'INVALID_TOPIC_EXCEPTION') ||
    (error instanceof Error && error.message.startsWith('Unknown topic '))
  )
}
