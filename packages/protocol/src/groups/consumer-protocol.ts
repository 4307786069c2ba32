// The two blobs of the classic consumer protocol, versions 0–3: a member's subscription (in JoinGroup), and its assignment from the leader (in SyncGroup).
import { ProtocolError } from '../wire/protocol-error.ts'
import { MessageReader } from '../wire/reader.ts'
import { MessageWriter } from '../wire/writer.ts'

/** The protocol type of a group whose members speak this protocol. */
export const consumerProtocolType = 'consumer'

/** A consumer sends its subscription when it joins its group. */
export interface ConsumerSubscription {
  readonly topics: readonly string[]
  /** Data of the assignor; null if it has none. */
  readonly userData: Uint8Array | null
  /** From version 1 on; empty before. */
  readonly ownedPartitions: readonly TopicPartitions[]
  /** The generation of `ownedPartitions`. From version 2 on; -1 before, and for a member that was never in a generation. */
  readonly generationId: number
  /** From version 3 on; null before. */
  readonly rackId: string | null
}

/** All versions have the same fields. */
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
 * The sender chooses the version. A newer version is read as the newest known one, because later versions only append fields; bytes after the known fields
 * are skipped. If a field after the topics is missing or truncated, it and all later fields have their defaults: some clients claim version 1 and end after
 * their user data, and Kafka's coordinator reads only the topics. `userData` is a view of `bytes`. Throws a ProtocolError if the topics cannot be read.
 */
export function decodeSubscription(bytes: Uint8Array): Versioned<ConsumerSubscription> {
  const reader = new MessageReader(bytes)
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

/** Fields that the version lacks are dropped, as in Kafka. */
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
 * Like `decodeSubscription`: the partitions must be readable, the user data may be missing. A member without partitions gets an assignment of zero bytes,
 * which has no version: the caller must check for it.
 */
export function decodeAssignment(bytes: Uint8Array): Versioned<ConsumerAssignment> {
  const reader = new MessageReader(bytes)
  const version = versionOf(reader, 'assignment')
  const assignedPartitions = readTopics(reader)
  return { version, assignedPartitions, userData: new Rest(reader).read(() => reader.nullableOctets(), null) }
}

/** The bytes that a leader sends for one member, in the given version. */
export function encodeAssignment(assignment: ConsumerAssignment, version: number): Uint8Array {
  const writer = begin(version)
  writeTopics(writer, assignment.assignedPartitions)
  writer.nullableOctets(assignment.userData)
  return whole(writer)
}

/** With the version that the sender wrote, even if it is newer than the newest known one. */
export type Versioned<T> = T & { readonly version: number }

const newestVersion = 3

const stringBytes = 2
const partitionBytes = 4
const topicBytes = stringBytes + 4

/** Reads the fields that a sender may leave out at the end. After the first one that cannot be read, it reads none. */
class Rest {
  readonly #reader: MessageReader
  #ended = false

  constructor(reader: MessageReader) {
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

function versionOf(reader: MessageReader, what: string): number {
  const version = reader.int16()
  if (version < 0) throw new ProtocolError(`${version} is not a valid version of a consumer ${what}`)
  return version
}

function readTopics(reader: MessageReader): readonly TopicPartitions[] {
  return array(reader, topicBytes, () => ({ topic: reader.string(), partitions: array(reader, partitionBytes, () => reader.int32()) }))
}

/** `elementBytes` is the smallest size of an element; it bounds the number of elements. */
function array<T>(reader: MessageReader, elementBytes: number, one: () => T): readonly T[] {
  const count = reader.count(elementBytes)
  if (count < 0) throw new ProtocolError('an array of the consumer protocol must not be null')
  return Array.from({ length: count }, one)
}

function begin(version: number): MessageWriter {
  if (version < 0 || version > newestVersion) throw new ProtocolError(`version ${version} of the consumer protocol is not supported`)
  const writer = new MessageWriter()
  writer.int16(version)
  return writer
}

function writeTopics(writer: MessageWriter, topics: readonly TopicPartitions[]): void {
  writer.count(topics.length)
  for (const { topic, partitions } of topics) {
    writer.string(topic)
    writer.count(partitions.length)
    for (const partition of partitions) writer.int32(partition)
  }
}

/** All bytes in one piece: a blob is a field of a message, and small. */
function whole(writer: MessageWriter): Uint8Array {
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
