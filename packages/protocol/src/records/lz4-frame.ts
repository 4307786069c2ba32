// What the headers of an LZ4 frame (lz4.org, frame format 1.6.4) say without unpacking it: its unpacked size, whose field is optional, and whether Kafka's clients read it.
import { ProtocolError } from '../wire/protocol-error.ts'

const magic = 0x184d_2204
const skippableMagic = 0x184d_2a50
const blockMaxBytes: readonly number[] = [0, 0, 0, 0, 64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024]
const flags = {
  independentBlocks: 0x20,
  blockChecksum: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  reserved: 0x02,
  dictionary: 0x01,
} as const
const plainBit = 0x8000_0000

/** The unpacked size of all frames together; counting stops above `maxBytes`. Throws a ProtocolError if a frame is truncated or not valid. */
export function lz4FrameSize(bytes: Uint8Array, maxBytes: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let size = 0
  let at = 0
  const need = (length: number): void => {
    if (at + length > bytes.length) throw new ProtocolError(`an LZ4 frame is truncated at byte ${bytes.length}`)
  }
  while (at < bytes.length && size <= maxBytes) {
    need(8)
    const word = view.getUint32(at, true)
    if ((word & 0xffff_fff0) >>> 0 === skippableMagic) {
      at += 8 + view.getUint32(at + 4, true)
      if (at > bytes.length) throw new ProtocolError('an LZ4 frame breaks off')
      continue
    }
    if (word !== magic) throw new ProtocolError('the bytes are not an LZ4 frame')
    const flag = view.getUint8(at + 4)
    if (flag >> 6 !== 1) throw new ProtocolError(`version ${flag >> 6} of the LZ4 frame format is not supported`)
    const maxBlock = blockMaxBytes[(view.getUint8(at + 5) >> 4) & 7] ?? 0
    if (maxBlock === 0) throw new ProtocolError('an LZ4 frame has an invalid block size')
    at += 7 + ((flag & flags.contentSize) === 0 ? 0 : 8) + ((flag & flags.dictionary) === 0 ? 0 : 4)
    for (;;) {
      need(4)
      const block = view.getUint32(at, true)
      at += 4
      if (block === 0) break
      const length = block >= plainBit ? block - plainBit : block
      need(length)
      if (length > maxBlock) throw new ProtocolError(`an LZ4 block of ${length} bytes is larger than the frame's maximum of ${maxBlock}`)
      size += block >= plainBit ? length : blockSize(bytes.subarray(at, at + length))
      if (size > maxBytes) return size
      at += length + ((flag & flags.blockChecksum) === 0 ? 0 : 4)
    }
    at += (flag & flags.contentChecksum) === 0 ? 0 : 4
    if (at > bytes.length) throw new ProtocolError('an LZ4 frame breaks off')
  }
  return size
}

/**
 * Why Kafka's clients cannot read a frame with this header; undefined if they can. The Java client, and with it every broker of Apache Kafka, rejects linked
 * blocks and dictionaries (KIP-57), which other readers accept: a batch with them would end each Java consumer that comes to it.
 */
export function lz4HeaderProblem(bytes: Uint8Array): string | undefined {
  const flag = bytes[4]
  if (flag === undefined) return 'The LZ4 frame is truncated.'
  if (flag >> 6 !== 1) return `Version ${flag >> 6} of the LZ4 frame format is not supported.`
  if ((flag & flags.independentBlocks) === 0)
    return 'The LZ4 frame has linked blocks, which Kafka does not support: set the block mode of the LZ4 library to independent.'
  if ((flag & (flags.dictionary | flags.reserved)) !== 0) return 'The LZ4 frame needs a dictionary, which Kafka does not support.'
  return undefined
}

/** Adds up the lengths of the literals and of the matches. */
function blockSize(block: Uint8Array): number {
  let size = 0
  let at = 0
  const more = (from: number): number => {
    let length = from
    if (from < 15) return length
    for (;;) {
      const byte = block[at++]
      if (byte === undefined) throw new ProtocolError('an LZ4 block is truncated')
      length += byte
      if (byte < 255) return length
    }
  }
  while (at < block.length) {
    const token = block[at++] ?? 0
    const literals = more(token >> 4)
    size += literals
    at += literals
    if (at >= block.length) break
    at += 2
    size += more(token & 15) + 4
  }
  return size
}
