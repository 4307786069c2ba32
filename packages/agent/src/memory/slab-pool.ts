// Memory that is used again: slabs that are taken from a pool and released explicitly, so that a byte path leaves nothing to the collector.
import { assert } from '../core/assert.ts'

export interface SlabPoolOptions {
  /** Released slabs are kept up to this many bytes in all. The collector gets the others. */
  readonly maxFreeBytes: number
  /** Released memory is overwritten with `releasedByte`, so that a reader of it sees a wrong checksum. For tests and the simulator. */
  readonly fillsReleased?: boolean
}

/** The values that a scrape shows for a pool. */
export interface SlabGauge {
  /** The whole size of the slabs that were taken and not released. */
  readonly usedBytes: number
  /** Slabs that were released and wait to be taken again. */
  readonly freeBytes: number
  readonly maxFreeBytes: number
}

/** Releases what was held. Must be called at most once. */
export type Release = () => void

/**
 * Slabs come in sizes that are powers of two, so that a released slab fits the next request. Nothing is reserved here: those who take slabs have
 * budgets of their own, and the pool only bounds what it keeps for later.
 *
 * Every holder of bytes has a reference: the taker has the first one, `hold` and `Slab.retain` add more, and the last release gives the memory to the next
 * taker. A holder that cannot say when it is done (a test's interceptor, an upload that was aborted) calls `abandon` instead.
 */
export class SlabPool {
  readonly #maxFreeBytes: number
  readonly #fillsReleased: boolean
  /** By size. The slab that was released last is the first to be taken: the processor's cache may still have it. */
  readonly #free = new Map<number, ArrayBuffer[]>()
  /** The last user of each piece of memory: after its release, a hold on the bytes is an error. Weak, so that memory that is never released is left to the collector. */
  readonly #slabs = new WeakMap<ArrayBufferLike, Slab>()
  #usedBytes = 0
  #freeBytes = 0

  constructor({ maxFreeBytes, fillsReleased = false }: SlabPoolOptions) {
    this.#maxFreeBytes = maxFreeBytes
    this.#fillsReleased = fillsReleased
  }

  get gauge(): SlabGauge {
    return { usedBytes: this.#usedBytes, freeBytes: this.#freeBytes, maxFreeBytes: this.#maxFreeBytes }
  }

  /** A slab of at least this size, with the reference of the caller. Its content is arbitrary. A size above `largestSlabBytes` gets memory of its own, which is not kept. */
  take(sizeBytes: number): Slab {
    const slabBytes = slabSize(sizeBytes)
    const memory = this.#takeFree(slabBytes) ?? Buffer.allocUnsafeSlow(slabBytes).buffer
    const slab = new Slab(memory, this.#onFree)
    this.#slabs.set(memory, slab)
    this.#usedBytes += slabBytes
    return slab
  }

  /** Adds a reference to each slab of this pool that the chunks lie in, which must be in use. Chunks with other memory are left out. */
  hold(chunks: Iterable<Uint8Array>): Release {
    const held: Slab[] = []
    let last: ArrayBufferLike | undefined
    for (const { buffer } of chunks) {
      // Neighbours mostly lie in one slab.
      if (buffer === last) continue
      last = buffer
      const slab = this.#slabs.get(buffer)
      if (slab === undefined) continue
      slab.retain()
      held.push(slab)
    }
    if (held.length === 0) return nothingHeld
    return () => {
      for (const slab of held) slab.release()
    }
  }

  /** The slab of this pool that the bytes lie in. */
  slabOf({ buffer }: Uint8Array): Slab | undefined {
    return this.#slabs.get(buffer)
  }

  #takeFree(slabBytes: number): ArrayBuffer | undefined {
    const memory = this.#free.get(slabBytes)?.pop()
    if (memory !== undefined) this.#freeBytes -= slabBytes
    return memory
  }

  readonly #onFree = (memory: ArrayBuffer, isAbandoned: boolean): void => {
    const slabBytes = memory.byteLength
    this.#usedBytes -= slabBytes
    if (isAbandoned) {
      this.#slabs.delete(memory)
      return
    }
    if (this.#fillsReleased) new Uint8Array(memory).fill(releasedByte)
    if (slabBytes > largestSlabBytes || this.#freeBytes + slabBytes > this.#maxFreeBytes) return
    const free = this.#free.get(slabBytes)
    if (free === undefined) this.#free.set(slabBytes, [memory])
    else free.push(memory)
    this.#freeBytes += slabBytes
  }
}

/** One use of a piece of memory. The next taker of the same memory gets another Slab, so a late release of this one is an AssertionError and does no harm. */
export class Slab {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly #onFree: (memory: ArrayBuffer, isAbandoned: boolean) => void
  #referenceCount = 1
  #isAbandoned = false

  /** Only a pool makes slabs. */
  constructor(memory: ArrayBuffer, onFree: (memory: ArrayBuffer, isAbandoned: boolean) => void) {
    this.bytes = new Uint8Array(memory)
    this.#onFree = onFree
  }

  /** One more holder of the bytes. */
  retain(): void {
    assert(this.#referenceCount > 0, 'only a slab that is held gets another reference')
    this.#referenceCount += 1
  }

  /** The caller does not use the bytes any more. The last release gives the memory back, and the bytes may change at any time. */
  release(): void {
    assert(this.#referenceCount > 0, 'each reference to a slab is released once')
    this.#referenceCount -= 1
    if (this.#referenceCount === 0) this.#onFree(this.bytes.buffer, this.#isAbandoned)
  }

  /** The memory is never used again, because something may refer to it without a counted reference. References are still released. */
  abandon(): void {
    this.#isAbandoned = true
  }
}

/** The pattern of tests and of the simulator. */
export const releasedByte = 0xdb

export const largestSlabBytes = 8 * 1024 * 1024
const smallestSlabBytes = 4 * 1024

function slabSize(sizeBytes: number): number {
  if (sizeBytes > largestSlabBytes) return sizeBytes
  return Math.max(smallestSlabBytes, 2 ** Math.ceil(Math.log2(sizeBytes)))
}

const nothingHeld: Release = () => {}
