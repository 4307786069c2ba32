// The agent's branded identifiers, so that the compiler rejects one in the place of another.

declare const brand: unique symbol
type Branded<T, Name extends string> = T & { readonly [brand]?: Name }

/** A topic's id: 16 bytes in Kafka's own text form, 22 characters of base64url. Never reused, even if a topic of the same name is created again. */
export type TopicId = Branded<string, 'TopicId'>
/** The id of a cluster: a UUID (RFC 9562, lower case, with hyphens), created with the database. */
export type ClusterId = Branded<string, 'ClusterId'>
/** The number of one run of one agent's chain: allocated by the database, never reused. */
export type IncarnationId = Branded<number, 'IncarnationId'>
/** 64 random bits as 16 lower-case hex digits. They distinguish two incarnations with the same number, from two databases. */
export type Nonce = Branded<string, 'Nonce'>
/** The number of a flush in its chain: 1, 2, 3 … */
export type Sequence = Branded<number, 'Sequence'>
/** A key in the object store, relative to the cluster's prefix. */
export type ObjectKey = Branded<string, 'ObjectKey'>
/** The id of the log that holds a partition's records. */
export type LogId = Branded<number, 'LogId'>

export interface Incarnation {
  readonly id: IncarnationId
  readonly nonce: Nonce
}

export interface TopicPartition {
  readonly topicId: TopicId
  readonly partition: number
}

/**
 * The key of a partition in maps. A produced batch needs it a dozen times, and V8 looks up a key that was just computed in a table of all names, which takes longer than to
 * compute it. So the keys of a topic are kept, as they are in that table.
 */
export function partitionKey(topicId: TopicId, partition: number): string {
  return keysOfTopics.get(topicId)?.get(partition) ?? keptKey(topicId, partition)
}

const keysOfTopics = new Map<TopicId, Map<number, string>>()
let keptKeyCount = 0
/** About 150 bytes each. */
const mostKeptKeys = 20_000

function keptKey(topicId: TopicId, partition: number): string {
  const [key = ''] = Object.keys({ [`${topicId}/${partition}`]: true })
  keptKeyCount += 1
  if (keptKeyCount > mostKeptKeys) {
    keysOfTopics.clear()
    keptKeyCount = 1
  }
  const keys = keysOfTopics.get(topicId)
  if (keys === undefined) keysOfTopics.set(topicId, new Map([[partition, key]]))
  else keys.set(partition, key)
  return key
}
