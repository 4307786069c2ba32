// Splits a stream of bytes into Kafka's size-prefixed frames, without I/O. The size that the next frame claims is known before its body has arrived.
import { ProtocolError } from './protocol-error.ts'

/** The bounds of a FrameSplitter. */
export interface FrameLimits {
  /** A frame that claims more is rejected. */
  readonly maxBytes: number
  /** Default: memory that belongs to the garbage collector. */
  readonly memory?: FrameMemory
}

/** Memory for frames that is used again. */
export interface FrameMemory {
  /** At least `sizeBytes` bytes, of any content. */
  allocate(sizeBytes: number): Uint8Array
  /** Gets memory back that `allocate` returned and that no frame was returned in. The memory of a frame is released by the caller who took the frame. */
  release(memory: Uint8Array): void
}

const prefixBytes = 4
/** The minimum for a frame that has not arrived: with less, each byte of a client that sends single bytes would cost an allocation. */
const firstBytes = 1024

/**
 * Call `push` with the bytes that arrive, then `size`; when there is room for that many bytes, call `take` until it returns a frame. Every byte is copied into
 * the memory of its frame as it arrives. Until the frame is whole, its memory is at most twice what arrived, so it does not grow with a claimed size. The caller
 * bounds how much it pushes, and calls `clear` at the end.
 */
export class FrameSplitter {
  readonly #maxBytes: number
  readonly #prefix = new Uint8Array(prefixBytes)
  #prefixHave = 0
  /** The frame whose prefix has arrived. */
  #size: number | undefined
  #failure: ProtocolError | undefined
  readonly #frame: Gathered
  /** What arrived after the end of that frame. Its first `#aheadTaken` bytes are taken. */
  readonly #ahead: Gathered
  #aheadTaken = 0

  constructor({ maxBytes, memory = collectedMemory }: FrameLimits) {
    this.#maxBytes = maxBytes
    this.#frame = new Gathered(memory)
    this.#ahead = new Gathered(memory)
  }

  /** Bytes pushed and not yet taken. */
  get bufferedBytes(): number {
    return this.#prefixHave + this.#frame.length + this.#aheadBytes
  }

  /** The number of bytes of the next frame's body that have arrived; 0 until `size` has returned its size. */
  get bodyBytes(): number {
    return this.#frame.length
  }

  /** Copies the chunk, so the caller may change it afterwards. */
  push(chunk: Uint8Array): void {
    const consumed = this.#aheadBytes > 0 ? 0 : this.#feed(chunk, 0)
    // Nothing is read after a frame that is rejected.
    if (consumed < chunk.length && this.#failure === undefined) this.#keepAhead(chunk.subarray(consumed))
  }

  /** The size of the next frame's body; undefined until its prefix has arrived. Throws a ProtocolError if the size is negative or too large. */
  size(): number | undefined {
    if (this.#failure !== undefined) throw this.#failure
    return this.#size
  }

  /** The body of the next frame, without its prefix; undefined until it is whole. It begins where its memory begins, and the caller releases that. */
  take(): Uint8Array | undefined {
    const size = this.size()
    if (size === undefined || this.#frame.length < size) return undefined
    const frame = this.#frame.give()
    this.#size = undefined
    this.#prefixHave = 0
    if (this.#aheadBytes > 0) {
      this.#aheadTaken += this.#feed(this.#ahead.bytes, this.#aheadTaken)
      if (this.#aheadBytes === 0) this.#dropAhead()
    }
    return frame
  }

  /** Releases the memory of all bytes that were not taken. Nothing may be pushed afterwards. */
  clear(): void {
    this.#frame.drop()
    this.#dropAhead()
    this.#size = undefined
    this.#prefixHave = 0
  }

  get #aheadBytes(): number {
    return this.#ahead.length - this.#aheadTaken
  }

  #dropAhead(): void {
    this.#ahead.drop()
    this.#aheadTaken = 0
  }

  /** Copies bytes from `from` on into the prefix and the frame, until the frame is whole. Returns how many. */
  #feed(bytes: Uint8Array, from: number): number {
    let at = from
    if (this.#size === undefined && this.#failure === undefined) {
      while (this.#prefixHave < prefixBytes && at < bytes.length) this.#prefix[this.#prefixHave++] = bytes[at++] ?? 0
      if (this.#prefixHave < prefixBytes) return at - from
      this.#begin()
    }
    const size = this.#size
    if (size === undefined) return at - from
    const missing = size - this.#frame.length
    const part = Math.min(missing, bytes.length - at)
    if (part === 0) return at - from
    const have = this.#frame.length + part
    this.#frame.add(bytes.subarray(at, at + part), have === size ? size : Math.min(size, Math.max(firstBytes, 2 * have)))
    return at + part - from
  }

  #begin(): void {
    const size = new DataView(this.#prefix.buffer).getInt32(0)
    if (size >= 0 && size <= this.#maxBytes) {
      this.#size = size
      return
    }
    const claim = `a frame claims ${size} bytes`
    if (size < 0) this.#failure = new ProtocolError(claim)
    else {
      const looksLike = likeness(this.#prefix)
      const words = looksLike === undefined ? '' : `; it begins as ${looksLike} does`
      this.#failure = new ProtocolError(`${claim}, more than ${this.#maxBytes}${words}`, { looksLike })
    }
  }

  #keepAhead(bytes: Uint8Array): void {
    // Moves what is left to the front, so that the memory does not grow with what was taken.
    if (this.#aheadTaken > 0) {
      this.#ahead.removeFirst(this.#aheadTaken)
      this.#aheadTaken = 0
    }
    const have = this.#ahead.length + bytes.length
    this.#ahead.add(bytes, this.#ahead.length === 0 ? have : 2 * have)
  }
}

/** Bytes that arrive in parts, in one piece of memory that grows. */
class Gathered {
  readonly #memory: FrameMemory
  #bytes: Uint8Array | undefined
  #length = 0

  constructor(memory: FrameMemory) {
    this.#memory = memory
  }

  get length(): number {
    return this.#length
  }

  /** Valid until the next call. */
  get bytes(): Uint8Array {
    return this.#bytes?.subarray(0, this.#length) ?? empty
  }

  /** `capacity` is the size of the memory to take if the current one is too small. */
  add(part: Uint8Array, capacity: number): void {
    const have = this.#length + part.length
    const before = this.#bytes
    if (before === undefined || before.length < have) {
      const grown = this.#memory.allocate(Math.max(capacity, have))
      if (before !== undefined) {
        grown.set(before.subarray(0, this.#length))
        this.#memory.release(before)
      }
      this.#bytes = grown
    }
    this.#bytes?.set(part, this.#length)
    this.#length = have
  }

  removeFirst(count: number): void {
    this.#bytes?.copyWithin(0, count, this.#length)
    this.#length -= count
  }

  /** The bytes, whose memory then belongs to the caller. */
  give(): Uint8Array {
    const { bytes } = this
    this.#bytes = undefined
    this.#length = 0
    return bytes
  }

  drop(): void {
    if (this.#bytes !== undefined) this.#memory.release(this.#bytes)
    this.#bytes = undefined
    this.#length = 0
  }
}

const empty = new Uint8Array(0)
const collectedMemory: FrameMemory = { allocate: (sizeBytes) => new Uint8Array(sizeBytes), release() {} }

/** Recognizes, by its first four bytes, a protocol that people send to a Kafka port by mistake. */
function likeness(prefix: Uint8Array): ProtocolError['looksLike'] {
  // A TLS record of a handshake, in any version.
  if (prefix[0] === 0x16 && prefix[1] === 0x03) return 'TLS'
  return /^[A-Z]{3}[A-Z ]$/.test(String.fromCharCode(...prefix)) ? 'HTTP' : undefined
}
