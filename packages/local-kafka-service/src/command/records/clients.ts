// The clients of the commands for records: a reader without a group, a member of a group, and what they ask first.
import { Consumer, FetchIsolationLevels, Producer } from '@platformatic/kafka'
import { hasApiError, noTopic } from '../../cluster/client-errors.ts'
import { clientOptions } from '../../cluster/client-options.ts'
import { UserError } from '../../user-error.ts'
import type { ConnectionOptions } from '../client-command.ts'

/** Reads without joining a group; what fails is tried again by who calls, who can say so. */
export async function openReader(connection: ConnectionOptions, topics: readonly string[]): Promise<Consumer> {
  const reader = new Consumer({
    ...(await clientOptions(connection)),
    retryDelay: retryMs,
    // It never joins: the client library wants a name.
    groupId: 'lks-reads-without-a-group',
    isolationLevel: FetchIsolationLevels.READ_COMMITTED,
    minBytes: 1,
    retries: 0,
  })
  // Whose ids a fetch may name.
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
    // What most clients offer, so that a group of theirs has one in common with us.
    protocols: [
      { name: 'range', version: 1 },
      { name: 'roundrobin', version: 1 },
    ],
    retries: 40,
    retryDelay: retryMs,
  })
}

/** Finds topics and leaders for what is written. */
export async function openWriter(connection: ConnectionOptions): Promise<Producer> {
  return new Producer({ ...(await clientOptions(connection)), autocreateTopics: true, retries: 0, retryDelay: retryMs })
}

const retryMs = 250

/** How many partitions a topic has that is written to: made by the cluster on this question, where it makes topics that are named. */
export async function partitionsToWrite(
  producer: Producer,
  { topic, wanted }: { readonly topic: string; readonly wanted: number | undefined },
): Promise<number> {
  const partitions = await partitionsOf(producer, { topic, wanted: wanted === undefined ? [] : [wanted], autocreate: true })
  return wanted === undefined ? partitions.length : (producer.currentMetadata?.topics.get(topic)?.partitionsCount ?? wanted + 1)
}

/** The numbers of a topic's partitions, or those of the wanted ones. Rejects with a UserError where there is no such topic or partition. */
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
      why: 'the client library leaves internal topics out',
      fix: ['use the tools of the cluster itself'],
    })
  }
  const missing = wanted.find((partition) => partition >= count)
  if (missing !== undefined) {
    throw new UserError('LKS-4008', {
      what: `topic ${topic} has no partition ${missing}`,
      why: count === 1 ? 'it has partition 0 only' : `it has partitions 0 to ${count - 1}`,
      fix: ['name one of these'],
    })
  }
  return wanted.length > 0 ? [...new Set(wanted)] : Array.from({ length: count }, (_, partition) => partition)
}

/** Ends connections also with an answer under way, which nobody waits for any more. */
export async function closeBy(client: Consumer): Promise<void> {
  await client.close(true)
}

export function isUnknownTopic(error: unknown): boolean {
  return (
    hasApiError(error, 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'INVALID_TOPIC_EXCEPTION') ||
    (error instanceof Error && error.message.startsWith('Unknown topic '))
  )
}
