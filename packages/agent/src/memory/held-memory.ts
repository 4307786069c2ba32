// What one holder of many references holds until it is done: an answer, until the operating system has its bytes.
import type { Release } from './slab-pool.ts'
import { SmallPieces } from './small-pieces.ts'

export class HeldMemory {
  readonly #releases: Release[] = []
  #copies = new SmallPieces()

  add(release: Release): void {
    this.#releases.push(release)
  }

  /** Adds a copy of the pieces to the chunks: a view and a reference would take more memory than small pieces themselves. */
  addCopy(chunks: Uint8Array[], pieces: readonly Uint8Array[]): void {
    this.#copies.addCopy(chunks, pieces)
  }

  /** Ends all references. It can be used again afterwards. Idempotent. */
  release(): void {
    for (const release of this.#releases.splice(0)) release()
    this.#copies = new SmallPieces()
  }
}
