// Compression of record batches: Kafka's numbers and framings of the four codecs, with caps on what comes out. The codecs themselves are handed in.
import { ProtocolError } from '../wire/protocol-error.ts'
import { lz4FrameSize } from './lz4-frame.ts'

/** By their number in a batch's attributes. */
export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
/** As Kafka's `compression.type` names it. */
export type CodecName = (typeof codecNames)[number]

/** What an implementation gives. All are synchronous; `decompress` throws for bytes that it cannot read. */
export interface Codecs {
  /** RFC 1952, also several members one after another. Throws when more than `maxBytes` would come out. */
  readonly gzip: Codec
  /** One raw snappy block, without any framing. Its declared size was checked before. */
  readonly snappyBlock: Codec
  /** LZ4 frames (not blocks). What comes out was counted before. */
  readonly lz4Frame: Codec
  /** RFC 8878: one frame or several one after another. Throws when more than `maxBytes` would come out. */
  readonly zstd: Codec
}

/** One codec, in both directions. Synchronous. */
export interface Codec {
  compress(bytes: Uint8Array): Uint8Array
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array
}

/** Throws a ProtocolError for bytes that are not what the codec says, or that unpack to more than `maxBytes`; nothing larger is ever allocated. */
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
    throw new ProtocolError(`the ${name} bytes cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  if (unpacked.length > maxBytes) throw tooLarge(name, maxBytes)
  return unpacked
}

function tooLarge(codec: CodecName, maxBytes: number): ProtocolError {
  return new ProtocolError(`the ${codec} bytes unpack to more than ${maxBytes} bytes`)
}

// ---- snappy, as xerial's snappy-java frames it: a header of 16 bytes, then blocks with their length in front --------------------------

const xerialMagic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]
const xerialHeaderBytes = 16
/** What snappy-java packs into one block. */
const xerialBlockBytes = 32 * 1024

function isXerial(bytes: Uint8Array): boolean {
  return bytes.length >= xerialHeaderBytes && xerialMagic.every((byte, index) => bytes[index] === byte)
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
