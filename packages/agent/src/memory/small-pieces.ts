// Copies of many small pieces of bytes, close together in few blocks of memory.

/** A block is twice as large as the one before it, so that it is mostly used. */
const firstBlockBytes = 128
const largestBlockBytes = 64 * 1024

export class SmallPieces {
  #block = new Uint8Array(0)
  #used = 0

  /** Appends a copy of the pieces to the chunks; if the last chunk ends where the copy begins, it becomes longer instead. */
  addCopy(chunks: Uint8Array[], pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.#add(chunks, piece)
  }

  #add(chunks: Uint8Array[], piece: Uint8Array): void {
    if (piece.length === 0) return
    if (this.#used + piece.length > this.#block.length) this.#next(piece.length)
    const start = this.#used
    this.#block.set(piece, start)
    this.#used = start + piece.length
    const last = chunks.at(-1)
    const continues = last?.buffer === this.#block.buffer && last.byteOffset + last.length === start
    if (continues) chunks[chunks.length - 1] = this.#block.subarray(last.byteOffset, this.#used)
    else chunks.push(this.#block.subarray(start, this.#used))
  }

  #next(leastBytes: number): void {
    const sizeBytes = Math.min(largestBlockBytes, Math.max(firstBlockBytes, 2 * this.#block.length))
    this.#block = new Uint8Array(Math.max(sizeBytes, leastBytes))
    this.#used = 0
  }
}
