// What one holder of many references holds until it is done: an answer, until the operating system has its bytes.
import type { Release } from './slab-pool.ts'

export class HeldMemory {
  readonly #releases: Release[] = []

  add(release: Release): void {
    this.#releases.push(release)
  }

  /** Ends all references. It can be used again afterwards. Idempotent. */
  release(): void {
    for (const release of this.#releases.splice(0)) release()
  }
}
