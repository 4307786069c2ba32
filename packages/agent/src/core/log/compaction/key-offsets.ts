// The last offset of each key of a part of a log, in memory of a fixed size: what one pass of log compaction knows.
import { hash128 } from './hash.ts'

/** The memory of one key: 16 bytes of its hash and its offset. */
const slotBytes = 24
/** Kafka's log.cleaner.io.buffer.load.factor: a fuller table takes too many steps for a key. */
const maxLoad = 0.9

/**
 * An open hash table. Like Kafka's SkimpyOffsetMap it keeps a hash of 128 bits instead of a key. Two keys with the same hash would be one key to it; with a
 * billion keys the chance of that is below 1 in 10^20.
 */
export class KeyOffsets {
  readonly #hashes: Uint32Array
  readonly #offsets: Float64Array
  readonly #slots: number
  readonly #maxKeys: number
  #keys = 0

  /** `maxBytes` bounds its memory; `maxKeys` is the most keys that there can be. */
  constructor({ maxBytes, maxKeys }: { readonly maxBytes: number; readonly maxKeys: number }) {
    this.#slots = Math.max(2, Math.min(Math.floor(maxBytes / slotBytes), Math.ceil(maxKeys / maxLoad) + 1))
    // At least one slot stays free, or a key that is not there would be looked for indefinitely.
    this.#maxKeys = Math.min(this.#slots - 1, Math.ceil(this.#slots * maxLoad))
    this.#hashes = new Uint32Array(this.#slots * hash.length)
    this.#offsets = new Float64Array(this.#slots).fill(absent)
  }

  get keys(): number {
    return this.#keys
  }

  /** The memory that it takes. */
  get sizeBytes(): number {
    return this.#slots * slotBytes
  }

  /** How many more keys fit for certain. */
  get room(): number {
    return this.#maxKeys - this.#keys
  }

  /** Remembers the offset of a key; a later offset replaces an earlier one. There must be room for another key. */
  put(key: Uint8Array, offset: number): void {
    const slot = this.#slotOf(key)
    const known = this.#offsets[slot] ?? absent
    if (known === absent) {
      this.#keys += 1
      this.#hashes.set(hash, slot * hash.length)
    }
    if (offset > known) this.#offsets[slot] = offset
  }

  /** The last offset of the key, -1 if it is not known. */
  lastOffsetOf(key: Uint8Array): number {
    return this.#offsets[this.#slotOf(key)] ?? absent
  }

  /** The slot that has the key, or the free one where it belongs. */
  #slotOf(key: Uint8Array): number {
    hash128(key, hash)
    const [h0 = 0, h1 = 0, h2 = 0, h3 = 0] = hash
    const hashes = this.#hashes
    for (let slot = h0 % this.#slots; ; slot = slot + 1 === this.#slots ? 0 : slot + 1) {
      if (this.#offsets[slot] === absent) return slot
      const at = slot * hash.length
      if (hashes[at] === h0 && hashes[at + 1] === h1 && hashes[at + 2] === h2 && hashes[at + 3] === h3) return slot
    }
  }
}

const absent = -1
/** The hash of the key that is looked up. */
const hash = new Uint32Array(4)
