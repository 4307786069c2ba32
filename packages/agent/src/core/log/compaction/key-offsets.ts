// The last offset of each key of a part of a log, in memory of a fixed size: what one pass of log compaction knows.
import { hash128 } from './hash.ts'

/** The memory of one key: 16 bytes of its hash, then its offset. They are side by side, because looking up a key costs little more than the memory that it touches. */
const slotBytes = 24
const slotWords = slotBytes / 4
const slotDoubles = slotBytes / 8
/** Where the offset is in a slot, in doubles. */
const offsetAt = 2
/** Kafka's log.cleaner.io.buffer.load.factor: a fuller table takes too many steps for a key. */
const maxLoad = 0.9

/**
 * An open hash table. Like Kafka's SkimpyOffsetMap it keeps a hash of 128 bits instead of a key. Two keys with the same hash would be one key to it; with a
 * billion keys the chance of that is below 1 in 10^20.
 */
export class KeyOffsets {
  /** Two views of the same memory. An offset is stored plus one: 0 is a free slot. */
  readonly #words: Uint32Array
  readonly #doubles: Float64Array
  readonly #slots: number
  /** A multiplication finds the slot of a hash in a tenth of the time that a division with a remainder takes. */
  readonly #slotsPerHash: number
  readonly #maxKeys: number
  #keys = 0

  /** `maxBytes` bounds its memory; `maxKeys` is the most keys that there can be. */
  constructor({ maxBytes, maxKeys }: { readonly maxBytes: number; readonly maxKeys: number }) {
    this.#slots = Math.max(2, Math.min(Math.floor(maxBytes / slotBytes), Math.ceil(maxKeys / maxLoad) + 1))
    this.#slotsPerHash = this.#slots / 2 ** 32
    // At least one slot stays free, or a key that is not there would be looked for indefinitely.
    this.#maxKeys = Math.min(this.#slots - 1, Math.ceil(this.#slots * maxLoad))
    const memory = new ArrayBuffer(this.#slots * slotBytes)
    this.#words = new Uint32Array(memory)
    this.#doubles = new Float64Array(memory)
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
    const at = slot * slotDoubles + offsetAt
    // Every slot is in the table.
    const known = this.#doubles[at] ?? 0
    if (known === 0) {
      this.#keys += 1
      this.#words.set(hash, slot * slotWords)
    }
    if (offset >= known) this.#doubles[at] = offset + 1
  }

  /** The last offset of the key, -1 if it is not known. */
  lastOffsetOf(key: Uint8Array): number {
    // Every slot is in the table.
    return (this.#doubles[this.#slotOf(key) * slotDoubles + offsetAt] ?? 0) - 1
  }

  /** The slot that has the key, or the free one where it belongs. */
  #slotOf(key: Uint8Array): number {
    hash128(key, hash)
    const [h0 = 0, h1 = 0, h2 = 0, h3 = 0] = hash
    const words = this.#words
    for (let slot = Math.floor(h0 * this.#slotsPerHash); ; slot = slot + 1 === this.#slots ? 0 : slot + 1) {
      if (this.#doubles[slot * slotDoubles + offsetAt] === 0) return slot
      const at = slot * slotWords
      if (words[at] === h0 && words[at + 1] === h1 && words[at + 2] === h2 && words[at + 3] === h3) return slot
    }
  }
}

/** The hash of the key that is looked up. */
const hash = new Uint32Array(4)
