// Splits a stream of bytes into Kafka's size-prefixed frames, without I/O. The size that the next frame claims is known before its body has arrived.
import { ProtocolError } from './protocol-error.ts'

export interface FrameLimits {
  /** A frame that claims more is rejected. */
  readonly maxBytes: number
  /** Allocates memory for a frame that arrived in several chunks; called once all of its bytes are there. */
  readonly allocate?: (sizeBytes: number) => Uint8Array
}

const prefixBytes = 4
/** Shorter chunks are joined, because otherwise each byte of a client that sends single bytes would cost an object. */
const smallChunkBytes = 1024

/**
 * Call `push` with the bytes that arrive, then `size`; when there is room for that many bytes, call `take` until it returns a frame. Chunks are kept as
 * they arrived until their frame is whole, so memory grows with the bytes that arrived and not with a claimed size; small chunks are joined. The caller bounds
 * how much it pushes.
 */
export class FrameSplitter {
  readonly #limits: FrameLimits
  readonly #chunks: Uint8Array[] = []
  /** The number of bytes of the first chunk that were already taken. */
  #start = 0
  #bufferedBytes = 0
  #size: number | undefined

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  /** Bytes pushed and not yet taken. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** The number of pieces that hold the buffered bytes. */
  get chunkCount(): number {
    return this.#chunks.length
  }

  /** The number of bytes of the next frame's body that have arrived; 0 until `size` has returned its size. */
  get bodyBytes(): number {
    return this.#size === undefined ? 0 : Math.min(this.#size, this.#bufferedBytes)
  }

  /** The splitter may keep the chunk without copying it, so the caller must not change it afterwards. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.length
    // Join pairs of similar size, so that each byte is copied a few times and not once per chunk. Keep the first chunk: it may be partly taken.
    for (;;) {
      const last = this.#chunks.at(-1)
      const before = this.#chunks.length > 2 ? this.#chunks.at(-2) : undefined
      if (last === undefined || before === undefined || last.length >= smallChunkBytes || before.length > last.length) return
      const joined = new Uint8Array(before.length + last.length)
      joined.set(before)
      joined.set(last, before.length)
      this.#chunks.splice(-2, 2, joined)
    }
  }

  /** The size of the next frame's body; undefined until its prefix has arrived. Throws a ProtocolError if the size is negative or too large. */
  size(): number | undefined {
    if (this.#size !== undefined) return this.#size
    if (this.#bufferedBytes < prefixBytes) return undefined
    const prefix = this.#gather(prefixBytes)
    const size = new DataView(prefix.buffer, prefix.byteOffset, prefixBytes).getInt32(0)
    if (size < 0) throw new ProtocolError(`a frame claims ${size} bytes`)
    if (size > this.#limits.maxBytes) {
      const looksLike = likeness(prefix)
      const words = looksLike === undefined ? '' : `; it begins as ${looksLike} does`
      throw new ProtocolError(`a frame claims ${size} bytes, more than ${this.#limits.maxBytes}${words}`, { looksLike })
    }
    this.#size = size
    return size
  }

  /** The body of the next frame, without its prefix; undefined until it is whole. If it arrived in one chunk, it is a slice of that chunk. */
  take(): Uint8Array | undefined {
    const size = this.size()
    if (size === undefined || this.#bufferedBytes < size) return undefined
    this.#size = undefined
    return this.#gather(size)
  }

  #gather(sizeBytes: number): Uint8Array {
    this.#bufferedBytes -= sizeBytes
    const first = this.#chunks[0]
    if (first !== undefined && first.length - this.#start >= sizeBytes) {
      const slice = first.subarray(this.#start, this.#start + sizeBytes)
      this.#advance(first, sizeBytes)
      return slice
    }
    const whole = this.#limits.allocate?.(sizeBytes) ?? new Uint8Array(sizeBytes)
    let consumed = 0
    for (let at = 0; at < sizeBytes; ) {
      const chunk = this.#chunks[consumed]
      if (chunk === undefined) throw new RangeError('fewer bytes are buffered than were counted')
      const part = chunk.subarray(this.#start, this.#start + sizeBytes - at)
      whole.set(part, at)
      at += part.length
      this.#start += part.length
      if (this.#start === chunk.length) {
        consumed += 1
        this.#start = 0
      }
    }
    this.#chunks.splice(0, consumed)
    return whole
  }

  #advance(first: Uint8Array, byBytes: number): void {
    this.#start += byBytes
    if (this.#start < first.length) return
    this.#chunks.shift()
    this.#start = 0
  }
}

/** Recognizes, by its first four bytes, a protocol that people send to a Kafka port by mistake. */
function likeness(prefix: Uint8Array): ProtocolError['looksLike'] {
  // A TLS record of a handshake, in any version.
  if (prefix[0] === 0x16 && prefix[1] === 0x03) return 'TLS'
  return /^[A-Z]{3}[A-Z ]$/.test(String.fromCharCode(...prefix)) ? 'HTTP' : undefined
}
