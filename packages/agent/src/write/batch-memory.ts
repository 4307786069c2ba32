// The memory that admitted batches are copied into: slabs, each filled from its beginning and shared by the objects of its time.
import type { Limits } from '../limits.ts'
import type { Slab, SlabPool } from '../memory/slab-pool.ts'

/** An object pins its slabs. The cache evicts objects in the order of their arrival, so it rarely wastes more than one slab. */
export class BatchMemory {
  readonly #pool: SlabPool
  readonly #slabBytes: number
  #slab: Slab | undefined
  #usedBytes = 0

  constructor(pool: SlabPool, { batchSlabBytes }: Pick<Limits, 'batchSlabBytes'>) {
    this.#pool = pool
    this.#slabBytes = batchSlabBytes
  }

  /** The only copy on the write path after the frame's. Slices would pin whole frames, and the memory budgets would be wrong. */
  copy(batch: Uint8Array, into: ObjectMemory): Uint8Array {
    const sizeBytes = batch.length
    const bytes = sizeBytes >= this.#slabBytes / 4 ? this.#own(sizeBytes, into) : this.#shared(sizeBytes, into)
    bytes.set(batch)
    return bytes
  }

  #own(sizeBytes: number, into: ObjectMemory): Uint8Array {
    const slab = this.#pool.take(sizeBytes)
    into.hold(slab)
    slab.release()
    return slab.bytes.subarray(0, sizeBytes)
  }

  #shared(sizeBytes: number, into: ObjectMemory): Uint8Array {
    if (this.#slab === undefined || this.#usedBytes + sizeBytes > this.#slab.bytes.length) {
      this.#slab?.release()
      this.#slab = this.#pool.take(this.#slabBytes)
      this.#usedBytes = 0
    }
    into.hold(this.#slab)
    this.#usedBytes += sizeBytes
    return this.#slab.bytes.subarray(this.#usedBytes - sizeBytes, this.#usedBytes)
  }
}

/** The slabs that hold the batches of one object, from their admission until the flush has settled. */
export class ObjectMemory {
  readonly #slabs: Slab[] = []

  hold(slab: Slab): void {
    if (this.#slabs.at(-1) === slab) return
    slab.retain()
    this.#slabs.push(slab)
  }

  /** The flush was stored and has settled: only the cache may still hold the bytes, with references of its own. */
  release(): void {
    for (const slab of this.#slabs.splice(0)) slab.release()
  }

  /** The flush was given up. Its PUT was aborted and may not have settled, so the bytes are never overwritten. */
  abandon(): void {
    for (const slab of this.#slabs) slab.abandon()
    this.release()
  }
}
