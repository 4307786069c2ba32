// The memory that admitted batches are copied into: slabs, each filled from its beginning and never overwritten.

/** A batch that is still referenced pins its slab. The cache evicts batches in the order of their arrival, so it rarely wastes more than one slab. */
const slabBytes = 256 * 1024
/** A batch of at least this size has its own memory, of exactly its size. */
const largeBytes = slabBytes / 4

export class BatchMemory {
  #slab: Uint8Array = new Uint8Array(0)
  #used = 0

  /** The only copy on the write path. Slices would pin the socket's chunks, and the memory budgets would be wrong. */
  copy(batch: Uint8Array): Uint8Array {
    const bytes = batch.length >= largeBytes ? Buffer.allocUnsafeSlow(batch.length) : this.#room(batch.length)
    bytes.set(batch)
    return bytes
  }

  #room(sizeBytes: number): Uint8Array {
    if (this.#used + sizeBytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(slabBytes)
      this.#used = 0
    }
    this.#used += sizeBytes
    return this.#slab.subarray(this.#used - sizeBytes, this.#used)
  }
}
