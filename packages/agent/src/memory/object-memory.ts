// The memory of one object that is being written: counted references to slabs, which end when it is stored.
import { largestSlabBytes, type Slab, type SlabPool } from './slab-pool.ts'

/** The slabs that hold the batches of one object, from their admission, or from the read of its sources, until the object is stored. */
export class ObjectMemory {
  readonly #slabs: Slab[] = []
  #reserved = noBytes

  /**
   * One piece of memory, from which the next ones are taken while it suffices: for an object whose size is known. If it is large, the C library takes it from the system for itself alone and returns
   * it with the release. Many slabs of that size would come from its heap, which stays as large while anything else lies behind them.
   */
  reserve(pool: SlabPool, sizeBytes: number): void {
    const slab = pool.take(sizeBytes > largestSlabBytes ? Math.max(sizeBytes, mappedBytes) : sizeBytes)
    this.#slabs.push(slab)
    this.#reserved = slab.bytes
  }

  /** Memory for this object alone. Its content is arbitrary. */
  take(pool: SlabPool, sizeBytes: number): Uint8Array {
    if (sizeBytes <= this.#reserved.length) {
      const own = this.#reserved.subarray(0, sizeBytes)
      this.#reserved = this.#reserved.subarray(sizeBytes)
      return own
    }
    const slab = pool.take(sizeBytes)
    this.#slabs.push(slab)
    return slab.bytes.subarray(0, sizeBytes)
  }

  hold(slab: Slab): void {
    if (this.#slabs.at(-1) === slab) return
    slab.retain()
    this.#slabs.push(slab)
  }

  /** The object was stored, and its PUT has settled: only the cache may still hold the bytes, with references of its own. */
  release(): void {
    this.#reserved = noBytes
    for (const slab of this.#slabs.splice(0)) slab.release()
  }

  /** The object was given up. Its PUT was aborted and may not have settled, so the bytes are never overwritten. */
  abandon(): void {
    for (const slab of this.#slabs) slab.abandon()
    this.release()
  }
}

const noBytes = new Uint8Array()

/** glibc allocates from its heap what is smaller than a threshold, which grows to 32 MiB at most. Pages that are not used cost nothing. */
const mappedBytes = 33 * 1024 * 1024
