// The memory of one object that is being written: counted references to slabs, which end when it is stored.
import type { Slab, SlabPool } from './slab-pool.ts'

/** The slabs that hold the batches of one object, from their admission, or from the read of its sources, until the object is stored. */
export class ObjectMemory {
  readonly #slabs: Slab[] = []

  /** Memory for this object alone. Its content is arbitrary. */
  take(pool: SlabPool, sizeBytes: number): Uint8Array {
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
    for (const slab of this.#slabs.splice(0)) slab.release()
  }

  /** The object was given up. Its PUT was aborted and may not have settled, so the bytes are never overwritten. */
  abandon(): void {
    for (const slab of this.#slabs) slab.abandon()
    this.release()
  }
}
