// The two blobs of the classic consumer protocol, versions 0–3: what a member subscribes to (in JoinGroup), and what the leader assigns (in SyncGroup).
import { ProtocolError } from '../wire/protocol-error.ts'
import { Reader } from '../wire/reader.ts'
import { Writer } from '../wire/writer.ts'

/** The protocol type of a group whose members speak this. */
export const consumerProtocolType = 'consumer'

/** What a consumer tells its group when it joins. */
export interface ConsumerSubscription {
  readonly topics: readonly string[]
  /** The assignor's own; null when it has none. */
  readonly userData: Uint8Array | null
  /** From version 1 on; empty before. */
  readonly ownedPartitions: readonly TopicPartitions[]
  /** Of which generation `ownedPartitions` are. From version 2 on; -1 before, and for a member that never was in one. */
  readonly generationId: number
  /** From version 3 on; null before. */
  readonly rackId: string | null
}

/** The same in every version. */
export interface ConsumerAssignment {
  readonly assignedPartitions: readonly TopicPartitions[]
  readonly userData: Uint8Array | null
}

/** One topic; Kafka lets a sender name it twice. */
export interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

/**
 * The version comes from the sender. A newer one is read as the newest known, since later versions only append; bytes after the known fields are skipped.
 * A field after the topics that is missing or cut off has its default, and so has all that follows it: some clients claim version 1 and end after their user
 * data, and Kafka's coordinator reads the topics only. `userData` is a view of `bytes`. Throws a ProtocolError when the topics cannot be read.
 */
export function decodeSubscription(bytes: Uint8Array): Versioned<ConsumerSubscription> {
  const reader = new Reader(bytes)
  const version = versionOf(reader, 'subscription')
  const topics = array(reader, stringBytes, () => reader.string())
  const rest = new Rest(reader)
  return {
    version,
    topics,
    userData: rest.read(() => reader.nullableOctets(), null),
    ownedPartitions: version >= 1 ? rest.read(() => readTopics(reader), []) : [],
    generationId: version >= 2 ? rest.read(() => reader.int32(), -1) : -1,
    rackId: version >= 3 ? rest.read(() => reader.nullableString(), null) : null,
  }
}

/** What the version lacks is dropped, as Kafka does. */
export function encodeSubscription(subscription: ConsumerSubscription, version: number): Uint8Array {
  const writer = begin(version)
  writer.count(subscription.topics.length)
  for (const topic of subscription.topics) writer.string(topic)
  writer.nullableOctets(subscription.userData)
  if (version >= 1) writeTopics(writer, subscription.ownedPartitions)
  if (version >= 2) writer.int32(subscription.generationId)
  if (version >= 3) writer.nullableString(subscription.rackId)
  return whole(writer)
}

/**
 * As `decodeSubscription`: the partitions must be readable, the user data may be missing. An assignment of no bytes at all, which a member without
 * partitions gets, has no version: the caller must look for it.
 */
export function decodeAssignment(bytes: Uint8Array): Versioned<ConsumerAssignment> {
  const reader = new Reader(bytes)
  const version = versionOf(reader, 'assignment')
  const assignedPartitions = readTopics(reader)
  return { version, assignedPartitions, userData: new Rest(reader).read(() => reader.nullableOctets(), null) }
}

/** The bytes that a leader hands in for one member, in the version that is given. */
export function encodeAssignment(assignment: ConsumerAssignment, version: number): Uint8Array {
  const writer = begin(version)
  writeTopics(writer, assignment.assignedPartitions)
  writer.nullableOctets(assignment.userData)
  return whole(writer)
}

/** With the version that the sender wrote, also where it is newer than what is known here. */
export type Versioned<T> = T & { readonly version: number }

const newestVersion = 3

const stringBytes = 2
const partitionBytes = 4
const topicBytes = stringBytes + 4

/** The fields that a sender may leave out at the end: after the first one that cannot be read, none is. */
class Rest {
  readonly #reader: Reader
  #ended = false

  constructor(reader: Reader) {
    this.#reader = reader
  }

  read<T>(field: () => T, missing: T): T {
    if (this.#ended || this.#reader.remaining === 0) return missing
    try {
      return field()
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#ended = true
      return missing
    }
  }
}

function versionOf(reader: Reader, what: string): number {
  const version = reader.int16()
  if (version < 0) throw new ProtocolError(`a consumer ${what} of version ${version}`)
  return version
}

function readTopics(reader: Reader): readonly TopicPartitions[] {
  return array(reader, topicBytes, () => ({ topic: reader.string(), partitions: array(reader, partitionBytes, () => reader.int32()) }))
}

/** `elementBytes` is the least that one takes: what bounds how many are believed. */
function array<T>(reader: Reader, elementBytes: number, one: () => T): readonly T[] {
  const count = reader.count(elementBytes)
  if (count < 0) throw new ProtocolError('an array of the consumer protocol must not be null')
  return Array.from({ length: count }, one)
}

function begin(version: number): Writer {
  if (version < 0 || version > newestVersion) throw new ProtocolError(`version ${version} of the consumer protocol is not supported`)
  const writer = new Writer()
  writer.int16(version)
  return writer
}

function writeTopics(writer: Writer, topics: readonly TopicPartitions[]): void {
  writer.count(topics.length)
  for (const { topic, partitions } of topics) {
    writer.string(topic)
    writer.count(partitions.length)
    for (const partition of partitions) writer.int32(partition)
  }
}

/** One run of bytes: a blob is a field of a message, and small. */
function whole(writer: Writer): Uint8Array {
  const sizeBytes = writer.sizeBytes
  const chunks = writer.finish()
  const [first] = chunks
  if (first !== undefined && chunks.length === 1) return first
  const bytes = new Uint8Array(sizeBytes)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
