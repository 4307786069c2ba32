// Compression of record batches: Kafka's numbers and framings of the four codecs, with a limit on the unpacked size. The caller provides the codecs themselves.
import { ProtocolError } from '../wire/protocol-error.ts'
import { lz4FrameSize, lz4HeaderProblem } from './lz4-frame.ts'

/** The index of a name is the codec's number in a batch's attributes. */
export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
/** The codec's name in Kafka's `compression.type`. */
export type CodecName = (typeof codecNames)[number]

/** The codecs that an implementation provides. All are synchronous. `decompress` throws for bytes that it cannot read, and a RangeError only if the result would be too large. */
export interface Codecs {
  /** RFC 1952, also several members one after another. Throws a RangeError if the result would be larger than `maxBytes`. */
  readonly gzip: Codec
  /** One raw snappy block, without any framing. The caller has checked its declared size. */
  readonly snappyBlock: Codec
  /** LZ4 frames (not blocks). The caller has computed their unpacked size. */
  readonly lz4Frame: Codec
  /** RFC 8878: one frame or several one after another. Throws a RangeError if the result would be larger than `maxBytes`. */
  readonly zstd: Codec
}

/** One codec, in both directions. Synchronous. */
export interface Codec {
  compress(bytes: Uint8Array): Uint8Array
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array
}

/** The bytes unpack to more than the caller allows. They may be valid otherwise. */
export class UnpackedSizeError extends ProtocolError {}

/**
 * Why Kafka's clients cannot read the bytes as the codec's output, as far as their beginning shows it; undefined if it shows nothing. Does not unpack them: this
 * is enough to detect bytes that were never compressed, and LZ4 frames that only some clients read.
 */
export function packedProblem(codec: CodecName, bytes: Uint8Array): string | undefined {
  if (!beginsAs(codec, bytes)) return `The records are not compressed with ${codec}.`
  return codec === 'lz4' ? lz4HeaderProblem(bytes) : undefined
}

function beginsAs(codec: CodecName, bytes: Uint8Array): boolean {
  switch (codec) {
    case 'none':
      return true
    case 'gzip':
      return startsWith(bytes, gzipMagic)
    case 'snappy':
      return isXerial(bytes) || hasSnappySize(bytes)
    case 'lz4':
      return startsWith(bytes, lz4Magic)
    case 'zstd':
      return startsWith(bytes, zstdMagic) || isSkippableFrame(bytes)
  }
}

/**
 * Throws a ProtocolError for bytes that the codec cannot unpack, and an UnpackedSizeError for bytes that unpack to more than `maxBytes`. Never allocates more
 * than that.
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

/** Compresses the bytes, with Kafka's framing for the codec. */
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
    throw decompressionError(name, error, maxBytes)
  }
  if (unpacked.length > maxBytes) throw tooLarge(name, maxBytes)
  return unpacked
}

/** The error of `decompress` for an error of `Codec.decompress`, for callers that run a codec elsewhere. */
export function decompressionError(name: CodecName, error: unknown, maxBytes: number): ProtocolError {
  if (error instanceof RangeError) return tooLarge(name, maxBytes)
  const message = error instanceof Error ? error.message : String(error)
  return new ProtocolError(`the ${name} bytes cannot be unpacked: ${message}`, { cause: error })
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

/** zstd allows skippable frames with the user's own data before a frame. So does LZ4, but Kafka's clients do not read them. */
function isSkippableFrame(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && ((bytes[0] ?? 0) & 0xf0) === 0x50 && bytes[1] === 0x2a && bytes[2] === 0x4d && bytes[3] === 0x18
}

/** A block without framing begins with its unpacked size, then a literal, because there is nothing to copy yet. Snappy compresses at most to a hundredth. */
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

// ---- snappy in the framing of xerial's snappy-java: a header of 16 bytes, then blocks, each after its length --------------------------

const xerialMagic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]
const xerialHeaderBytes = 16
/** The size of the blocks that snappy-java compresses. */
const xerialBlockBytes = 32 * 1024

function isXerial(bytes: Uint8Array): boolean {
  return bytes.length >= xerialHeaderBytes && startsWith(bytes, xerialMagic)
}

function unframeXerial(bytes: Uint8Array, codecs: Codecs, maxBytes: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blocks: Uint8Array[] = []
  let sizeBytes = 0
  for (let at = xerialHeaderBytes; at < bytes.length; ) {
    // Concatenated streams repeat the header.
    if (isXerial(bytes.subarray(at))) {
      at += xerialHeaderBytes
      continue
    }
    const length = at + 4 <= bytes.length ? view.getInt32(at) : -1
    if (length <= 0 || at + 4 + length > bytes.length)
      throw new ProtocolError(`a snappy block at byte ${at} of ${bytes.length} claims ${length} bytes`)
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

/** A block begins with its unpacked size, a varint, which is checked against `maxBytes` before anything is allocated. */
function unpackSnappyBlock(block: Uint8Array, codecs: Codecs, maxBytes: number): Uint8Array {
  let declared = 0
  for (let index = 0; ; index++) {
    const byte = block[index]
    if (byte === undefined || index > 4) throw new ProtocolError('a snappy block has no valid size at its beginning')
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
