// The branded identifiers that travel through the agent, so that one is never passed for another.

declare const brand: unique symbol
type Branded<T, Name extends string> = T & { readonly [brand]?: Name }

/** A topic's id: 16 bytes in Kafka's own text form, 22 characters of base64url. Never reused, also when a name is created again. */
export type TopicId = Branded<string, 'TopicId'>
/** The name space of one cluster: a UUID (RFC 9562, lower case, with hyphens), made with the database. */
export type ClusterId = Branded<string, 'ClusterId'>
/** One life of one chain: a number from the database, never used again. */
export type IncarnationId = Branded<number, 'IncarnationId'>
/** 64 random bits as 16 lower-case hex digits; they tell two incarnations with the same number (of two databases) apart. */
export type Nonce = Branded<string, 'Nonce'>
/** The number of a flush in its chain: 1, 2, 3 … */
export type Sequence = Branded<number, 'Sequence'>
/** A key in the object store, relative to the cluster's prefix. */
export type ObjectKey = Branded<string, 'ObjectKey'>
/** What holds a partition's records. */
export type LogId = Branded<number, 'LogId'>

export interface Incarnation {
  readonly id: IncarnationId
  readonly nonce: Nonce
}

export interface TopicPartition {
  readonly topicId: TopicId
  readonly partition: number
}

/** The key under which maps hold a partition. */
export function partitionKey(topicId: TopicId, partition: number): string {
  return `${topicId}/${partition}`
}
