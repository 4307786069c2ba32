// A range of an object in the memory of a cache: views with a reference, and what readers have found out about the bytes.
import { assert } from '../core/assert.ts'
import type { Release } from '../memory/slab-pool.ts'

/** What was verified of the bytes of one cache entry. It ends with the entry, so what is read again is verified again. */
export type Verified = Set<string>

export interface StoredRangeParts {
  readonly pieces: readonly Uint8Array[]
  readonly release: Release
  /** Shared by all ranges of the same entries. Absent: nothing is remembered, because the bytes are not kept. */
  readonly verified?: Verified
  /** Names the range, and the entries that it lies in. */
  readonly name?: string
  /** See `StoredRange.isAsPut`. */
  readonly isAsPut?: boolean
}

/** Called by readers of stored bytes. They may write what follows from the metadata into the bytes (base offsets), because it is the same for every reader. */
export class StoredRange {
  /** In order. Valid until `release`. */
  readonly pieces: readonly Uint8Array[]
  /** The store has verified that the bytes are those that were put: a reader needs no checksum of its own. */
  readonly isAsPut: boolean
  readonly #parts: StoredRangeParts
  #isReleased = false

  constructor(parts: StoredRangeParts) {
    this.pieces = parts.pieces
    this.isAsPut = parts.isAsPut ?? false
    this.#parts = parts
  }

  /** Whether `verify` was called with this rule for the same bytes in memory. */
  isVerified(rule: string): boolean {
    return this.#parts.verified?.has(`${this.#parts.name} ${rule}`) === true
  }

  verify(rule: string): void {
    this.#parts.verified?.add(`${this.#parts.name} ${rule}`)
  }

  /** Ends the reference: the pieces may change at any time. Must be called once. */
  release(): void {
    assert(!this.#isReleased, 'a range is released once')
    this.#isReleased = true
    this.#parts.release()
  }
}
