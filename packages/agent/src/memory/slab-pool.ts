// Memory that is used again: slabs that are taken from a pool and released explicitly, so that a byte path leaves nothing to the collector.
import { assert, must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'

export interface SlabPoolOptions {
  /** Released slabs are kept up to this many bytes in all. The memory of others goes back to the system. */
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
 * Slabs come in few sizes, four between two powers of two, so that a released slab fits the next request and wastes at most a fifth of itself. Nothing is reserved
 * here: those who take slabs have budgets of their own, and the pool only bounds what it keeps for later.
 *
 * Every holder of bytes has a reference: the taker has the first one, `hold` and `Slab.retain` add more, and the last release gives the memory to the next
 * taker. A holder that cannot say when it is done (a test's interceptor, an upload that was aborted) calls `abandon` instead.
 */
export class SlabPool {
  readonly #maxFreeBytes: number
  readonly #fillsReleased: boolean
  /**
   * By size, the one that was used longest ago first. The slab that was released last is the first to be taken: the processor's cache may still have it.
   */
  readonly #free = new Map<number, ArrayBuffer[]>()
  /** The last user of each piece of memory: after its release, a hold on the bytes is an error. Weak, so that memory that is never released is left to the collector. */
  readonly #slabs = new WeakMap<ArrayBufferLike, Slab>()
  #usedBytes = 0
  #freeBytes = 0
  /** The least that was free since the last `trim`: no taker has needed it. */
  #leastFreeBytes = 0

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

  /** Gives back what was free since the last call all the time, beyond a reserve for the next work. Called now and then. */
  trim(): void {
    const idleBytes = this.#leastFreeBytes - fixedLimits.slabReserveBytes
    if (idleBytes > 0) this.#shrink(this.#freeBytes - idleBytes)
    this.#leastFreeBytes = this.#freeBytes
  }

  #takeFree(slabBytes: number): ArrayBuffer | undefined {
    const free = this.#free.get(slabBytes)
    const memory = free?.pop()
    if (free === undefined || memory === undefined) return undefined
    this.#freeBytes -= slabBytes
    this.#leastFreeBytes = Math.min(this.#leastFreeBytes, this.#freeBytes)
    this.#used(slabBytes, free)
    return memory
  }

  /** The size is the last to be given up. */
  #used(slabBytes: number, free: ArrayBuffer[]): void {
    this.#free.delete(slabBytes)
    if (free.length > 0) this.#free.set(slabBytes, free)
  }

  #shrink(maxBytes: number): void {
    for (const [slabBytes, free] of this.#free) {
      while (this.#freeBytes > maxBytes && free.length > 0) {
        giveBack(must(free.shift(), 'a free slab'))
        this.#freeBytes -= slabBytes
      }
      if (free.length > 0) break
      this.#free.delete(slabBytes)
    }
    this.#leastFreeBytes = Math.min(this.#leastFreeBytes, this.#freeBytes)
  }

  readonly #onFree = (memory: ArrayBuffer, isAbandoned: boolean): void => {
    const slabBytes = memory.byteLength
    this.#usedBytes -= slabBytes
    if (isAbandoned) {
      this.#slabs.delete(memory)
      return
    }
    if (this.#fillsReleased) new Uint8Array(memory).fill(releasedByte)
    if (slabBytes > largestSlabBytes || slabBytes > this.#maxFreeBytes) {
      giveBack(memory)
      return
    }
    const free = this.#free.get(slabBytes) ?? []
    free.push(memory)
    this.#used(slabBytes, free)
    this.#freeBytes += slabBytes
    this.#shrink(this.#maxFreeBytes)
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

/** The size of the slab for a request of so many bytes. */
export function slabSize(sizeBytes: number): number {
  if (sizeBytes > largestSlabBytes) return sizeBytes
  if (sizeBytes <= smallestSlabBytes) return smallestSlabBytes
  // The largest power of two below the size, in quarters: the next one is at most a quarter of it away.
  const step = 2 ** (29 - Math.clz32(sizeBytes - 1))
  return Math.ceil(sizeBytes / step) * step
}

/** Without it the memory would stay until a collection of the whole heap. A view of it that somebody still has is empty from now on. */
function giveBack(memory: ArrayBuffer): void {
  memory.transfer(0)
}

const nothingHeld: Release = () => {}
