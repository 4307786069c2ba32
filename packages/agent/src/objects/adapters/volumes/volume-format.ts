// The bytes of a volume, format 1: a header, one frame per object, and in a sealed volume an index at its end. docs/volume-format.md describes it.
import type { Checksum } from '../../../core/checksum.ts'

/** Where one object is in its volume. */
export interface FramePlace {
  readonly key: string
  /** The first byte of its frame. */
  readonly frameStart: number
  readonly bodyBytes: number
  /** CRC-32C of the body. */
  readonly checksum: number
}

/** The state of a frame, one byte that may change after the frame was written, and so no checksum covers it. */
export const frameState = { live: 0, removed: 0xff } as const

/** The format that this code writes, and the newest that it reads. */
export const volumeFormat = 1

export const volumeHeaderBytes = 32
/** Without the key. */
export const frameHeaderBytes = 32
export const indexTrailerBytes = 32
/** The longest key that the store accepts, so that a reader of frames knows how much to read at once. */
export const longestFrameKey = 900
export const nonceBytes = 8
/** Where the nonce is in a frame's header, and in the trailer. */
export const frameNonceAt = 16
export const trailerNonceAt = 16

// The marks of the file end with a carriage return and a line feed, so that a transfer that translates line ends is detected.
const fileMark = Buffer.from('LKSVOL\r\n', 'latin1')
const endMark = Buffer.from('LKSIDX\r\n', 'latin1')
const frameMark = Buffer.from('LKSF', 'latin1')
const stateAt = 4
const indexEntryBytes = 22

/** Where the state byte of a frame is in the volume. */
export function frameStateAt(frameStart: number): number {
  return frameStart + stateAt
}

export function bodyStart({ frameStart, key }: FramePlace): number {
  return frameStart + frameHeaderBytes + key.length
}

export function frameEnd(place: FramePlace): number {
  return bodyStart(place) + place.bodyBytes
}

export function encodeVolumeHeader(nonce: Uint8Array): Buffer {
  const header = Buffer.alloc(volumeHeaderBytes)
  fileMark.copy(header)
  header.writeUInt16BE(volumeFormat, 8)
  header.writeUInt16BE(volumeFormat, 10)
  header.writeUInt32BE(volumeHeaderBytes, 12)
  header.set(nonce, 16)
  return header
}

export type VolumeHeader =
  | { readonly kind: 'volume'; readonly nonce: Uint8Array }
  /** Not a volume, or its first bytes never reached the disk. */
  | { readonly kind: 'damaged' }
  | { readonly kind: 'newer'; readonly minimumReader: number }

export function decodeVolumeHeader(header: Buffer): VolumeHeader {
  if (header.length < volumeHeaderBytes || !header.subarray(0, fileMark.length).equals(fileMark)) return { kind: 'damaged' }
  const minimumReader = header.readUInt16BE(10)
  if (minimumReader > volumeFormat) return { kind: 'newer', minimumReader }
  if (header.readUInt32BE(12) !== volumeHeaderBytes) return { kind: 'damaged' }
  return { kind: 'volume', nonce: Uint8Array.from(header.subarray(16, 16 + nonceBytes)) }
}

/**
 * The header of a frame, with the key. The volume's nonce is in it: the bytes of a record that looks like a frame are never taken for one when a reader
 * searches for the next frame after a damaged one.
 */
export function encodeFrameHeader(
  { key, bodyBytes, checksum }: Omit<FramePlace, 'frameStart'>,
  nonce: Uint8Array,
  crc32c: Checksum,
): Buffer {
  const header = Buffer.alloc(frameHeaderBytes + key.length)
  frameMark.copy(header)
  header.writeUInt16BE(key.length, 6)
  header.writeBigUInt64BE(BigInt(bodyBytes), 8)
  header.set(nonce, frameNonceAt)
  header.writeUInt32BE(checksum, 24)
  header.write(key, frameHeaderBytes, 'latin1')
  header.writeUInt32BE(headerChecksum(header, crc32c), 28)
  return header
}

export interface DecodedFrame extends FramePlace {
  readonly removed: boolean
  /** Where its state is in the index. Absent: the frame was not read from an index. */
  readonly indexStateAt?: number
}

/** The frame whose header begins at `at` of `bytes`, which begin at `bytesStart` of the volume. Undefined if there is none, or not all of its header. */
export function decodeFrameHeader(
  bytes: Buffer,
  at: number,
  { bytesStart, nonce, crc32c }: { readonly bytesStart: number; readonly nonce: Uint8Array; readonly crc32c: Checksum },
): DecodedFrame | undefined {
  if (at + frameHeaderBytes > bytes.length || bytes.compare(frameMark, 0, 4, at, at + 4) !== 0) return undefined
  if (bytes.compare(nonce, 0, nonceBytes, at + frameNonceAt, at + frameNonceAt + nonceBytes) !== 0) return undefined
  const keyBytes = bytes.readUInt16BE(at + 6)
  const header = bytes.subarray(at, at + frameHeaderBytes + keyBytes)
  if (keyBytes > longestFrameKey || header.length < frameHeaderBytes + keyBytes) return undefined
  if (headerChecksum(header, crc32c) !== header.readUInt32BE(28)) return undefined
  return {
    key: header.toString('latin1', frameHeaderBytes),
    frameStart: bytesStart + at,
    bodyBytes: Number(header.readBigUInt64BE(8)),
    checksum: header.readUInt32BE(24),
    removed: bytes[at + stateAt] !== frameState.live,
  }
}

/** The first position from `from` on where a frame may begin, or -1. */
export function nextFrameMark(bytes: Buffer, from: number): number {
  return bytes.indexOf(frameMark, from)
}

export interface EncodedIndex {
  readonly bytes: Buffer
  /** The position in the volume of the first frame's state; the others follow. */
  readonly statesStart: number
}

/** The index of a volume: an entry per frame, the state of each frame (live), and the trailer that ends the file. */
export function encodeIndex(
  frames: readonly FramePlace[],
  { indexStart, nonce, crc32c }: { readonly indexStart: number; readonly nonce: Uint8Array; readonly crc32c: Checksum },
): EncodedIndex {
  const entriesBytes = frames.reduce((sum, { key }) => sum + indexEntryBytes + key.length, 0)
  const index = Buffer.alloc(entriesBytes + frames.length + indexTrailerBytes)
  let at = 0
  for (const { key, frameStart, bodyBytes, checksum } of frames) {
    index.writeBigUInt64BE(BigInt(frameStart), at)
    index.writeBigUInt64BE(BigInt(bodyBytes), at + 8)
    index.writeUInt32BE(checksum, at + 16)
    index.writeUInt16BE(key.length, at + 20)
    index.write(key, at + indexEntryBytes, 'latin1')
    at += indexEntryBytes + key.length
  }
  at += frames.length
  index.writeBigUInt64BE(BigInt(indexStart), at)
  index.writeUInt32BE(frames.length, at + 8)
  index.writeUInt32BE(indexChecksum(index.subarray(0, entriesBytes), index.subarray(at, at + 12), crc32c), at + 12)
  index.set(nonce, at + trailerNonceAt)
  endMark.copy(index, at + 24)
  return { bytes: index, statesStart: indexStart + entriesBytes }
}

export interface IndexTrailer {
  readonly indexStart: number
  readonly frameCount: number
  readonly checksum: number
}

/** Undefined: the last bytes of the volume are not those of an index of this volume. */
export function decodeIndexTrailer(
  trailer: Buffer,
  { nonce, fileBytes }: { readonly nonce: Uint8Array; readonly fileBytes: number },
): IndexTrailer | undefined {
  if (trailer.length !== indexTrailerBytes || !trailer.subarray(24).equals(endMark)) return undefined
  if (trailer.compare(nonce, 0, nonceBytes, trailerNonceAt, trailerNonceAt + nonceBytes) !== 0) return undefined
  const indexStart = Number(trailer.readBigUInt64BE(0))
  const frameCount = trailer.readUInt32BE(8)
  if (indexStart < volumeHeaderBytes || indexStart + frameCount * (indexEntryBytes + 1) + indexTrailerBytes > fileBytes) return undefined
  return { indexStart, frameCount, checksum: trailer.readUInt32BE(12) }
}

/** `index` holds the volume's bytes from `indexStart` to its end. Undefined: it is damaged. */
export function decodeIndex(
  index: Buffer,
  { indexStart, frameCount, checksum }: IndexTrailer,
  crc32c: Checksum,
): readonly DecodedFrame[] | undefined {
  const trailerAt = index.length - indexTrailerBytes
  const statesAt = trailerAt - frameCount
  if (statesAt < 0) return undefined
  if (indexChecksum(index.subarray(0, statesAt), index.subarray(trailerAt, trailerAt + 12), crc32c) !== checksum) return undefined
  const frames: DecodedFrame[] = []
  let at = 0
  for (let frame = 0; frame < frameCount; frame += 1) {
    const keyStart = at + indexEntryBytes
    const keyEnd = keyStart + index.readUInt16BE(at + 20)
    frames.push({
      key: index.toString('latin1', keyStart, keyEnd),
      frameStart: Number(index.readBigUInt64BE(at)),
      bodyBytes: Number(index.readBigUInt64BE(at + 8)),
      checksum: index.readUInt32BE(at + 16),
      removed: index[statesAt + frame] !== frameState.live,
      indexStateAt: indexStart + statesAt + frame,
    })
    at = keyEnd
  }
  return at === statesAt ? frames : undefined
}

function headerChecksum(header: Buffer, crc32c: Checksum): number {
  return crc32c(header.subarray(frameHeaderBytes), crc32c(header.subarray(6, 28), crc32c(header.subarray(0, stateAt))))
}

function indexChecksum(entries: Buffer, trailerFields: Buffer, crc32c: Checksum): number {
  return crc32c(trailerFields, crc32c(entries))
}
