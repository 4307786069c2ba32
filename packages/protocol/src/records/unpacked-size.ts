// The unpacked size that compressed bytes declare, read from their headers without unpacking them. The declaration comes from the producer, so it may be wrong.
import type { CodecName } from './codecs.ts'

/** Undefined if the bytes do not declare a size: the codec's format makes it optional, or they are not valid. */
export function declaredSize(codec: CodecName, bytes: Uint8Array): number | undefined {
  switch (codec) {
    case 'none':
      return bytes.length
    case 'gzip':
      return gzipSize(bytes)
    case 'snappy':
      return undefined // Kafka's framing has a size for each block, but none for all of them
    case 'lz4':
      return lz4Size(bytes)
    case 'zstd':
      return zstdSize(bytes)
  }
}

/** RFC 1952, 2.3.1: the last four bytes of a member are its size. */
function gzipSize(bytes: Uint8Array): number | undefined {
  return bytes.length < 18 ? undefined : viewOf(bytes).getUint32(bytes.length - 4, true)
}

/** The LZ4 frame format: the flags are at byte 4, and the optional size is at byte 6. */
function lz4Size(bytes: Uint8Array): number | undefined {
  const hasSize = ((bytes[4] ?? 0) & 0x08) !== 0
  return hasSize ? uint64(bytes, 6) : undefined
}

/** RFC 8878, 3.1.1.1: the descriptor tells which fields follow, and how many bytes the size of the content has. */
function zstdSize(bytes: Uint8Array): number | undefined {
  const descriptor = bytes[4]
  if (descriptor === undefined) return undefined
  const isSingleSegment = (descriptor & 0x20) !== 0
  const at = 5 + (isSingleSegment ? 0 : 1) + (zstdDictionaryBytes[descriptor & 3] ?? 0)
  if (at + 8 > bytes.length) return undefined
  const view = viewOf(bytes)
  switch (descriptor >> 6) {
    case 0:
      return isSingleSegment ? view.getUint8(at) : undefined
    case 1:
      return view.getUint16(at, true) + 256
    case 2:
      return view.getUint32(at, true)
    default:
      return uint64(bytes, at)
  }
}

const zstdDictionaryBytes: readonly number[] = [0, 1, 2, 4]

function uint64(bytes: Uint8Array, at: number): number | undefined {
  return at + 8 > bytes.length ? undefined : Number(viewOf(bytes).getBigUint64(at, true))
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
