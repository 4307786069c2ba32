// Splits a stream of bytes into Kafka's size-prefixed frames, without I/O: it says how large the next frame claims to be before its body is gathered.
import { ProtocolError } from './protocol-error.ts'

export interface FrameLimits {
  /** A frame that claims more is refused. */
  readonly maxBytes: number
  /** Memory for a frame that came in several chunks; called once all of its bytes are there. */
  readonly allocate?: (sizeBytes: number) => Uint8Array
}

const prefixBytes = 4
/** Shorter chunks are joined: a client that sends single bytes would otherwise cost an object for each. */
const smallChunkBytes = 1024

/**
 * `push` what arrives, then ask `size`; when the caller has room for that many bytes, `take` until it answers a frame. Chunks are kept as they came until
 * their frame is whole, so memory follows the bytes that arrived and never a claimed size; small ones are joined. How much may be pushed is the caller's business.
 */
export class FrameSplitter {
  readonly #limits: FrameLimits
  readonly #chunks: Uint8Array[] = []
  /** Of the first chunk: bytes that were already taken. */
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

  /** In how many pieces they are kept. */
  get chunkCount(): number {
    return this.#chunks.length
  }

  /** Bytes of the next frame's body that are here; its size must be known. */
  get bodyBytes(): number {
    return this.#size === undefined ? 0 : Math.min(this.#size, this.#bufferedBytes)
  }

  /** The chunk is kept, or copied when it is small: nobody else may change it. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.length
    // Joined in pairs of like size, so each byte is copied a few times and not once per chunk. The first chunk may be partly taken and stays.
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

  /** The size of the next frame's body; undefined while its prefix is not whole. Throws a ProtocolError when it is negative or too large. */
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

  /** The body of the next frame, without its prefix, once it is whole. A slice of its chunk where it came in one. */
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

/** What people send to a Kafka port by mistake, by its first four bytes. */
function likeness(prefix: Uint8Array): ProtocolError['looksLike'] {
  // A TLS record of a handshake, in any version.
  if (prefix[0] === 0x16 && prefix[1] === 0x03) return 'TLS'
  return /^[A-Z]{3}[A-Z ]$/.test(String.fromCharCode(...prefix)) ? 'HTTP' : undefined
}
