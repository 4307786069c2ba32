// The memory that admitted batches are copied into: slabs, each filled from its beginning and shared by the objects of its time.
import type { Limits } from '../limits.ts'
import type { ObjectMemory } from '../memory/object-memory.ts'
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
    const bytes = sizeBytes >= this.#slabBytes / 4 ? into.take(this.#pool, sizeBytes) : this.#shared(sizeBytes, into)
    bytes.set(batch)
    return bytes
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
