// The stored object, format 1: header, batches grouped by partition, index, trailer. docs/object-format.md describes it; a golden file pins it.
import type { Checksum } from '../core/checksum.ts'
import type { ClusterId, Incarnation, Sequence, TopicId } from '../core/ids.ts'
import type { ObjectBody } from './object-store.ts'

export interface ObjectIdentity {
  readonly clusterId: ClusterId
  readonly incarnation: Incarnation
  readonly sequence: Sequence
}

/** The batches of one partition under one slot epoch, in order. Their bytes are opaque here. */
export interface ObjectGroup {
  readonly topicId: TopicId
  readonly partition: number
  readonly epoch: number
  readonly chunks: readonly Uint8Array[]
  /** The number of record batches in `chunks`. */
  readonly batches: number
}

export interface EncodedObject {
  /** The object's bytes, in order: the groups' own chunks, by reference, between a header and a footer. */
  readonly chunks: ObjectBody
  readonly sizeBytes: number
  /** CRC-32C, as in the trailer: over every byte before that field. */
  readonly checksum: number
  /** The first byte of each group in the object, in the order of the groups. */
  readonly starts: readonly number[]
}

export interface DecodedGroup extends Omit<ObjectGroup, 'chunks'> {
  readonly byteStart: number
  /** A view into the object. */
  readonly bytes: Uint8Array
}

export interface DecodedObject extends ObjectIdentity {
  readonly formatVersion: number
  readonly minimumReader: number
  readonly checksum: number
  readonly groups: readonly DecodedGroup[]
}

/** `foreign`: not an object of ours. `newer`: written for newer readers than this one. `damaged`: ours, but cut off or changed. */
export class ObjectFormatError extends Error {
  override readonly name = 'ObjectFormatError'
  readonly reason: 'foreign' | 'newer' | 'damaged'

  constructor(reason: 'foreign' | 'newer' | 'damaged', message: string) {
    super(message)
    this.reason = reason
  }
}

/** The format that this code writes, and the newest that it reads. */
export const objectFormat = 1

// Both marks end with a carriage return and a line feed, so that a transfer that translates line ends is detected.
const headMark = Buffer.from('LKSOBJ\r\n', 'latin1')
const endMark = Buffer.from('LKSEND\r\n', 'latin1')
const headerBytes = 56
const entryBytes = 44
const trailerBytes = 28
const topicIdBytes = 16

/**
 * Lays out one object. Batch bytes are referenced, never copied, so they must not change any more. `checksumAfter` continues a checksum with a chunk of a
 * group, for a caller who knows a part of it. Throws RangeError for numbers that do not fit.
 */
export function encodeObject(
  object: ObjectIdentity & { readonly groups: readonly ObjectGroup[] },
  crc32c: Checksum,
  checksumAfter: Checksum = crc32c,
): EncodedObject {
  const { groups } = object
  const own = Buffer.alloc(headerBytes + groups.length * entryBytes + trailerBytes)
  const header = own.subarray(0, headerBytes)
  const footer = own.subarray(headerBytes)
  writeHeader(header, object)

  const chunks: Uint8Array[] = [header]
  const starts: number[] = []
  let checksum = crc32c(header)
  let end = headerBytes
  for (const [index, group] of groups.entries()) {
    const byteStart = end
    for (const chunk of group.chunks) {
      chunks.push(chunk)
      checksum = checksumAfter(chunk, checksum)
      end += chunk.length
    }
    starts.push(byteStart)
    writeEntry(footer.subarray(index * entryBytes), group, { byteStart, sizeBytes: end - byteStart })
  }

  const trailer = footer.subarray(groups.length * entryBytes)
  trailer.writeBigUInt64BE(BigInt(end), 0)
  trailer.writeUInt32BE(groups.length, 8)
  trailer.writeUInt32BE(indexChecksum(header, footer, crc32c), 12)
  checksum = crc32c(footer.subarray(0, footer.length - 12), checksum)
  trailer.writeUInt32BE(checksum, 16)
  endMark.copy(trailer, 20)
  chunks.push(footer)
  const body: ObjectBody = Object.assign(chunks, { checksum: crc32c(footer.subarray(footer.length - 12), checksum) })
  return { chunks: body, sizeBytes: end + footer.length, checksum, starts }
}

/** Reads a whole object and checks all of it: marks, versions, both checksums, and that the index covers the data without gaps. Throws ObjectFormatError. */
export function decodeObject(object: Uint8Array, crc32c: Checksum): DecodedObject {
  const bytes = Buffer.from(object.buffer, object.byteOffset, object.byteLength)
  if (!bytes.subarray(0, headMark.length).equals(headMark))
    throw new ObjectFormatError('foreign', 'it does not begin with the mark of an object')
  if (bytes.length < headerBytes + trailerBytes) throw new ObjectFormatError('damaged', `it is cut off after ${bytes.length} bytes`)
  const formatVersion = bytes.readUInt16BE(8)
  const minimumReader = bytes.readUInt16BE(10)
  if (minimumReader > objectFormat)
    throw new ObjectFormatError(
      'newer',
      `format ${formatVersion} needs a reader of format ${minimumReader}, this one reads ${objectFormat}`,
    )
  if (bytes.readUInt32BE(12) !== headerBytes) throw new ObjectFormatError('damaged', 'the header does not have the length of its format')

  const trailer = bytes.subarray(bytes.length - trailerBytes)
  if (!trailer.subarray(20).equals(endMark))
    throw new ObjectFormatError('damaged', 'it does not end with the mark of an object: it was cut off, or bytes were added')
  const checksum = trailer.readUInt32BE(16)
  if (crc32c(bytes.subarray(0, bytes.length - 12)) !== checksum)
    throw new ObjectFormatError('damaged', 'its checksum does not match its bytes')
  const header = bytes.subarray(0, headerBytes)
  const indexStart = bytes.length - trailerBytes - trailer.readUInt32BE(8) * entryBytes
  if (indexStart < headerBytes || trailer.readBigUInt64BE(0) !== BigInt(indexStart))
    throw new ObjectFormatError('damaged', 'the trailer has no valid position of the index')
  const footer = bytes.subarray(indexStart)
  if (indexChecksum(header, footer, crc32c) !== trailer.readUInt32BE(12))
    throw new ObjectFormatError('damaged', 'the checksum of its index does not match')
  return { formatVersion, minimumReader, checksum, ...readIdentity(header), groups: readIndex(bytes, indexStart) }
}

function writeHeader(header: Buffer, { clusterId, incarnation, sequence }: ObjectIdentity): void {
  headMark.copy(header)
  header.writeUInt16BE(objectFormat, 8)
  header.writeUInt16BE(objectFormat, 10)
  header.writeUInt32BE(headerBytes, 12)
  exactly(Buffer.from(clusterId.replaceAll('-', ''), 'hex'), 16, 'cluster id').copy(header, 16)
  header.writeBigUInt64BE(BigInt(incarnation.id), 32)
  exactly(Buffer.from(incarnation.nonce, 'hex'), 8, 'nonce').copy(header, 40)
  header.writeBigUInt64BE(BigInt(sequence), 48)
}

function readIdentity(header: Buffer): ObjectIdentity {
  const cluster = header.toString('hex', 16, 32)
  const parts = [cluster.slice(0, 8), cluster.slice(8, 12), cluster.slice(12, 16), cluster.slice(16, 20), cluster.slice(20)]
  return {
    clusterId: parts.join('-'),
    incarnation: { id: safe(header.readBigUInt64BE(32)), nonce: header.toString('hex', 40, 48) },
    sequence: safe(header.readBigUInt64BE(48)),
  }
}

function writeEntry(entry: Buffer, group: ObjectGroup, place: { readonly byteStart: number; readonly sizeBytes: number }): void {
  exactly(Buffer.from(group.topicId, 'base64url'), topicIdBytes, 'topic id').copy(entry)
  entry.writeInt32BE(group.partition, 16)
  entry.writeInt32BE(group.epoch, 20)
  entry.writeBigUInt64BE(BigInt(place.byteStart), 24)
  entry.writeBigUInt64BE(BigInt(place.sizeBytes), 32)
  entry.writeUInt32BE(group.batches, 40)
}

function readIndex(bytes: Buffer, indexStart: number): readonly DecodedGroup[] {
  const groups: DecodedGroup[] = []
  let end = headerBytes
  for (let at = indexStart; at < bytes.length - trailerBytes; at += entryBytes) {
    const byteStart = safe(bytes.readBigUInt64BE(at + 24))
    const sizeBytes = safe(bytes.readBigUInt64BE(at + 32))
    if (byteStart !== end || sizeBytes > indexStart - byteStart)
      throw new ObjectFormatError('damaged', `its index leaves a gap or overlaps at byte ${end}`)
    end = byteStart + sizeBytes
    groups.push({
      topicId: bytes.toString('base64url', at, at + topicIdBytes),
      partition: bytes.readInt32BE(at + 16),
      epoch: bytes.readInt32BE(at + 20),
      batches: bytes.readUInt32BE(at + 40),
      byteStart,
      bytes: bytes.subarray(byteStart, end),
    })
  }
  if (end !== indexStart) throw new ObjectFormatError('damaged', `its index does not cover the bytes from ${end} on`)
  return groups
}

/** Covers the header, the entries and the trailer's first two fields, so a reader can trust these alone, without the data. */
function indexChecksum(header: Buffer, footer: Buffer, crc32c: Checksum): number {
  return crc32c(footer.subarray(0, footer.length - 16), crc32c(header))
}

function exactly(bytes: Buffer, length: number, name: string): Buffer {
  if (bytes.length !== length) throw new RangeError(`a ${name} has ${length} bytes, not ${bytes.length}`)
  return bytes
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ObjectFormatError('damaged', `${value} is out of range`)
  return Number(value)
}
