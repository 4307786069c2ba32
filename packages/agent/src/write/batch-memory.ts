// The memory that admitted batches are copied into: slabs, each filled from its beginning and never written to again.

/** Any batch that somebody holds pins its slab. The cache lets them go in the order in which they came: so hardly more than one slab is held in vain. */
const slabBytes = 256 * 1024
/** From here on a batch has memory of its own, of exactly its size. */
const largeBytes = slabBytes / 4

export class BatchMemory {
  #slab: Uint8Array = new Uint8Array(0)
  #used = 0

  /** The one copy of the write path: slices of the socket's chunks would pin them, and no budget would be true. */
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
