// Compression of record batches: Kafka's numbers and framings of the four codecs, with caps on what comes out. The codecs themselves are handed in.
import { ProtocolError } from '../wire/protocol-error.ts'
import { lz4FrameSize } from './lz4-frame.ts'

/** By their number in a batch's attributes. */
export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
/** As Kafka's `compression.type` names it. */
export type CodecName = (typeof codecNames)[number]

/** What an implementation gives. All are synchronous; `decompress` throws for bytes that it cannot read, a RangeError only where too many would come out. */
export interface Codecs {
  /** RFC 1952, also several members one after another. Throws a RangeError when more than `maxBytes` would come out. */
  readonly gzip: Codec
  /** One raw snappy block, without any framing. Its declared size was checked before. */
  readonly snappyBlock: Codec
  /** LZ4 frames (not blocks). What comes out was counted before. */
  readonly lz4Frame: Codec
  /** RFC 8878: one frame or several one after another. Throws a RangeError when more than `maxBytes` would come out. */
  readonly zstd: Codec
}

/** One codec, in both directions. Synchronous. */
export interface Codec {
  compress(bytes: Uint8Array): Uint8Array
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array
}

/** Bytes that unpack to more than the caller allows. They may be sound otherwise. */
export class UnpackedSizeError extends ProtocolError {}

/** Whether the bytes begin as the codec's do, without unpacking them: enough to notice bytes that were never packed. */
export function beginsAs(codec: CodecName, bytes: Uint8Array): boolean {
  switch (codec) {
    case 'none':
      return true
    case 'gzip':
      return startsWith(bytes, gzipMagic)
    case 'snappy':
      return isXerial(bytes) || hasSnappySize(bytes)
    case 'lz4':
      return startsWith(bytes, lz4Magic) || isSkippableFrame(bytes)
    case 'zstd':
      return startsWith(bytes, zstdMagic) || isSkippableFrame(bytes)
  }
}

/**
 * Throws a ProtocolError for bytes that are not what the codec says, an UnpackedSizeError for those that unpack to more than `maxBytes`; nothing larger is
 * ever allocated.
 */
export function decompress(codec: CodecName, bytes: Uint8Array, codecs: Codecs, maxBytes: number): Uint8Array {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return unpack(codec, codecs.gzip, bytes, maxBytes)
    case 'snappy':
      return isXerial(bytes) ? unframeXerial(bytes, codecs, maxBytes) : unpackSnappyBlock(bytes, codecs, maxBytes)
    case 'lz4': {
      const size = lz4FrameSize(bytes, maxBytes)
      if (size > maxBytes) throw tooLarge(codec, maxBytes)
      return unpack(codec, codecs.lz4Frame, bytes, maxBytes)
    }
    case 'zstd':
      return unpack(codec, codecs.zstd, bytes, maxBytes)
  }
}

/** The bytes as Kafka frames them for the codec. */
export function compress(codec: CodecName, bytes: Uint8Array, codecs: Codecs): Uint8Array {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return codecs.gzip.compress(bytes)
    case 'snappy':
      return frameXerial(bytes, codecs)
    case 'lz4':
      return codecs.lz4Frame.compress(bytes)
    case 'zstd':
      return codecs.zstd.compress(bytes)
  }
}

function unpack(name: CodecName, codec: Codec, bytes: Uint8Array, maxBytes: number): Uint8Array {
  let unpacked: Uint8Array
  try {
    unpacked = codec.decompress(bytes, maxBytes)
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(name, maxBytes)
    throw new ProtocolError(`the ${name} bytes cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  if (unpacked.length > maxBytes) throw tooLarge(name, maxBytes)
  return unpacked
}

function tooLarge(codec: CodecName, maxBytes: number): UnpackedSizeError {
  return new UnpackedSizeError(`the ${codec} bytes unpack to more than ${maxBytes} bytes`)
}

const gzipMagic = [0x1f, 0x8b, 0x08]
const lz4Magic = [0x04, 0x22, 0x4d, 0x18]
const zstdMagic = [0x28, 0xb5, 0x2f, 0xfd]

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, index) => bytes[index] === byte)
}

/** A frame of the user's own in front, as LZ4 and zstd allow. */
function isSkippableFrame(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && ((bytes[0] ?? 0) & 0xf0) === 0x50 && bytes[1] === 0x2a && bytes[2] === 0x4d && bytes[3] === 0x18
}

/** A block without framing says its size first, and begins with a literal, because there is nothing to copy yet. A block packs to no less than a hundredth. */
function hasSnappySize(bytes: Uint8Array): boolean {
  let size = 0
  for (let index = 0; index < 5; index++) {
    const byte = bytes[index]
    if (byte === undefined) return false
    size += (byte & 0x7f) * 2 ** (7 * index)
    if (byte >= 0x80) continue
    const first = bytes[index + 1]
    return first !== undefined && (first & 3) === 0 && size <= bytes.length * 100
  }
  return false
}

// ---- snappy, as xerial's snappy-java frames it: a header of 16 bytes, then blocks with their length in front --------------------------

const xerialMagic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]
const xerialHeaderBytes = 16
/** What snappy-java packs into one block. */
const xerialBlockBytes = 32 * 1024

function isXerial(bytes: Uint8Array): boolean {
  return bytes.length >= xerialHeaderBytes && startsWith(bytes, xerialMagic)
}

function unframeXerial(bytes: Uint8Array, codecs: Codecs, maxBytes: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blocks: Uint8Array[] = []
  let sizeBytes = 0
  for (let at = xerialHeaderBytes; at < bytes.length; ) {
    // Streams that were joined repeat the header.
    if (isXerial(bytes.subarray(at))) {
      at += xerialHeaderBytes
      continue
    }
    const length = at + 4 <= bytes.length ? view.getInt32(at) : -1
    if (length <= 0 || at + 4 + length > bytes.length)
      throw new ProtocolError(`a snappy block of ${length} bytes at byte ${at} of ${bytes.length}`)
    const block = unpackSnappyBlock(bytes.subarray(at + 4, at + 4 + length), codecs, maxBytes - sizeBytes)
    sizeBytes += block.length
    blocks.push(block)
    at += 4 + length
  }
  return joined(blocks, sizeBytes)
}

function frameXerial(bytes: Uint8Array, codecs: Codecs): Uint8Array {
  const header = new Uint8Array(xerialHeaderBytes)
  header.set(xerialMagic)
  const view = new DataView(header.buffer)
  view.setInt32(8, 1)
  view.setInt32(12, 1)
  const parts: Uint8Array[] = [header]
  let sizeBytes = header.length
  for (let at = 0; at < bytes.length; at += xerialBlockBytes) {
    const block = codecs.snappyBlock.compress(bytes.subarray(at, at + xerialBlockBytes))
    const length = new Uint8Array(4)
    new DataView(length.buffer).setInt32(0, block.length)
    parts.push(length, block)
    sizeBytes += length.length + block.length
  }
  return joined(parts, sizeBytes)
}

/** A block says its size in front, as a varint: believed only so far as the cap goes. */
function unpackSnappyBlock(block: Uint8Array, codecs: Codecs, maxBytes: number): Uint8Array {
  let declared = 0
  for (let index = 0; ; index++) {
    const byte = block[index]
    if (byte === undefined || index > 4) throw new ProtocolError('a snappy block without a size')
    declared += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) break
  }
  if (declared > maxBytes) throw tooLarge('snappy', maxBytes)
  return unpack('snappy', codecs.snappyBlock, block, maxBytes)
}

function joined(parts: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const whole = new Uint8Array(sizeBytes)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
