// The last offset of each key of a part of a log, in bounded memory: what one pass of log compaction knows.
import { hasKeyAt, type KeyColumns } from '@local-kafka-service/protocol'
import { hash128 } from './hash.ts'

/** The memory of one key: 16 bytes of its hash, then its offset. They are side by side, because looking up a key costs little more than the memory that it touches. */
const slotBytes = 24
const slotWords = slotBytes / 4
const slotDoubles = slotBytes / 8
/** Where the offset is in a slot, in doubles. */
const offsetAt = 2
/** Kafka's log.cleaner.io.buffer.load.factor: a fuller table takes too many steps for a key. */
const maxLoad = 0.9

/** Most passes know few keys, so a table begins with this many slots, and grows by a quarter each time. */
const firstSlots = 1 << 14
const growth = 1.25
/** While a table grows, its keys begin so many slots behind their places: keys with neighbouring hashes need some of them. */
const spareSlots = 1 << 8

/**
 * An open hash table. Its memory is reserved at its largest size, and the system provides what is written to: the table grows at its place, and is never in memory twice. Like Kafka's SkimpyOffsetMap it keeps a hash of 128 bits instead of a key. Two keys with the same hash would be one key to it; with a
 * billion keys the chance of that is below 1 in 10^20.
 */
export class KeyOffsets {
  /** Two views of the same memory. An offset is stored plus one: 0 is a free slot. */
  readonly #words: Uint32Array<ArrayBuffer>
  readonly #doubles: Float64Array<ArrayBuffer>
  #slots: number
  /** A multiplication finds the slot of a hash in a tenth of the time that a division with a remainder takes. */
  #slotsPerHash: number
  readonly #maxSlots: number
  readonly #maxKeys: number
  #keys = 0
  /** A sum that means nothing: without it, the slots would not be touched. */
  touched = 0

  /** `maxBytes` bounds its memory, beside 6 KB for growing. `maxKeys` is the most keys that there can be. */
  constructor({ maxBytes, maxKeys }: KeyRoom) {
    this.#maxSlots = Math.max(2, Math.min(Math.floor(maxBytes / slotBytes), Math.ceil(maxKeys / maxLoad) + 1))
    // At least one slot stays free, or a key that is not there would be looked for indefinitely.
    this.#maxKeys = Math.min(this.#maxSlots - 1, Math.ceil(this.#maxSlots * maxLoad))
    this.#slots = Math.min(firstSlots, this.#maxSlots)
    this.#slotsPerHash = this.#slots / 2 ** 32
    const spare = this.#slots < this.#maxSlots ? spareSlots : 0
    const memory = new ArrayBuffer((this.#maxSlots + spare) * slotBytes)
    this.#words = new Uint32Array(memory)
    this.#doubles = new Float64Array(memory)
  }

  get keys(): number {
    return this.#keys
  }

  /** The memory that it has written to. */
  get sizeBytes(): number {
    return this.#slots * slotBytes
  }

  /** How many more keys fit for certain. */
  get room(): number {
    return this.#maxKeys - this.#keys
  }

  /**
   * Remembers the offset of each key: `baseOffset` plus its delta. A later offset replaces an earlier one. There must be room for as many further keys. The memory
   * of a large table is far away: looking at the slots of many keys before using them lets the processor wait for several at once, which takes half of the time.
   */
  putAll(keys: KeyColumns, { baseOffset, offsetDelta }: { readonly baseOffset: number; readonly offsetDelta: Int32Array }): void {
    for (let first = 0; first < keys.count; first += keysAtOnce) {
      const end = Math.min(first + keysAtOnce, keys.count)
      this.#hashAll(keys, first, end)
      for (let index = first; index < end; index++)
        if (hasKeyAt(keys, index)) this.#put((index - first) * hashWords, baseOffset + intAt(offsetDelta, index))
    }
  }

  /** Writes the last offset of each key into `offsets`, -1 if it is not known. A record without a key has none. */
  lastOffsetsOf(keys: KeyColumns, offsets: Float64Array): void {
    for (let first = 0; first < keys.count; first += keysAtOnce) {
      const end = Math.min(first + keysAtOnce, keys.count)
      this.#hashAll(keys, first, end)
      for (let index = first; index < end; index++)
        offsets[index] = hasKeyAt(keys, index) ? this.#offsetAt((index - first) * hashWords) : -1
    }
  }

  /** Gives the memory back at once: the map must not be used again. */
  free(): void {
    freed(this.#words)
  }

  /** Writes the hashes of the keys into `hashes`, and touches their slots. */
  #hashAll(keys: KeyColumns, first: number, end: number): void {
    const { bytes, keyStart, keyEnd } = keys
    const place = { start: 0, end: 0 }
    for (let index = first; index < end; index++) {
      if (!hasKeyAt(keys, index)) continue
      place.start = intAt(keyStart, index)
      place.end = intAt(keyEnd, index)
      hash128(bytes, place, hashes, (index - first) * hashWords)
    }
    const [doubles, slotsPerHash] = [this.#doubles, this.#slotsPerHash]
    let touched = 0
    for (let at = 0; at < (end - first) * hashWords; at += hashWords)
      touched += doubleAt(doubles, Math.floor(wordAt(hashes, at) * slotsPerHash) * slotDoubles + offsetAt)
    this.touched = touched
  }

  /** The hash is in `hashes` at `hashAt`. */
  #put(hashAt: number, offset: number): void {
    let slot = this.#slotOf(hashAt)
    let known = doubleAt(this.#doubles, slot * slotDoubles + offsetAt)
    if (known === 0) {
      if (this.#keys >= this.#slots * maxLoad && this.#slots < this.#maxSlots) {
        this.#grow()
        slot = this.#slotOf(hashAt)
        known = 0
      }
      this.#keys += 1
      for (let word = 0; word < hashWords; word++) this.#words[slot * slotWords + word] = wordAt(hashes, hashAt + word)
    }
    if (offset >= known) this.#doubles[slot * slotDoubles + offsetAt] = offset + 1
  }

  #offsetAt(hashAt: number): number {
    return doubleAt(this.#doubles, this.#slotOf(hashAt) * slotDoubles + offsetAt) - 1
  }

  /** The slot that has the hash at `hashAt`, or the free one where it belongs. */
  #slotOf(hashAt: number): number {
    const [words, doubles, slots] = [this.#words, this.#doubles, this.#slots]
    // Destructuring would call the array's iterator.
    const h0 = wordAt(hashes, hashAt)
    const h1 = wordAt(hashes, hashAt + 1)
    const h2 = wordAt(hashes, hashAt + 2)
    const h3 = wordAt(hashes, hashAt + 3)
    for (let slot = Math.floor(h0 * this.#slotsPerHash); ; slot = slot + 1 === slots ? 0 : slot + 1) {
      if (doubles[slot * slotDoubles + offsetAt] === 0) return slot
      const at = slot * slotWords
      if (words[at] === h0 && words[at + 1] === h1 && words[at + 2] === h2 && words[at + 3] === h3) return slot
    }
  }

  /**
   * The slots of a table are about in the order of their hashes, so the keys move to the end of the larger one, and from there, one after another, to their slots:
   * each is read before its place is needed for others. A key for which that is not so comes last, and so do those at the beginning, which may have come around
   * from the end of the table.
   */
  #grow(): void {
    const [words, doubles, before] = [this.#words, this.#doubles, this.#slots]
    const after = Math.min(Math.ceil(growth * before), this.#maxSlots)
    const last: Uint32Array[] = []
    for (let slot = 0; doubleAt(doubles, slot * slotDoubles + offsetAt) !== 0; slot++) {
      last.push(words.slice(slot * slotWords, (slot + 1) * slotWords))
      doubles[slot * slotDoubles + offsetAt] = 0
    }
    const from = after + spareSlots - before
    words.copyWithin(from * slotWords, 0, before * slotWords)
    words.fill(0, 0, from * slotWords)
    this.#slots = after
    this.#slotsPerHash = after / 2 ** 32
    for (let slot = from; slot < from + before; slot++) {
      if (doubleAt(doubles, slot * slotDoubles + offsetAt) === 0) continue
      moved.set(words.subarray(slot * slotWords, (slot + 1) * slotWords))
      doubles[slot * slotDoubles + offsetAt] = 0
      if (!this.#place(moved, slot)) last.push(moved.slice())
    }
    for (const one of last) this.#place(one, after + spareSlots)
  }

  /** Puts the content of a slot into the first free one from its own on. False: that is not before `end`. */
  #place(content: Uint32Array, end: number): boolean {
    for (let slot = Math.floor(wordAt(content, 0) * this.#slotsPerHash); slot < end; slot = slot + 1 === this.#slots ? 0 : slot + 1) {
      if (doubleAt(this.#doubles, slot * slotDoubles + offsetAt) !== 0) continue
      this.#words.set(content, slot * slotWords)
      return true
    }
    return false
  }
}

/** How much a map may hold. */
export interface KeyRoom {
  readonly maxBytes: number
  readonly maxKeys: number
}

/** The collector would free it some time later. */
function freed({ buffer }: Uint32Array<ArrayBuffer>): void {
  buffer.transfer(0)
}

/** One function for each kind of array: V8 compiles access to several kinds to slower code. The index is always in the array. */
function wordAt(words: Uint32Array, index: number): number {
  // Never absent.
  return words[index] ?? 0
}

function intAt(ints: Int32Array, index: number): number {
  // Never absent.
  return ints[index] ?? 0
}

function doubleAt(doubles: Float64Array, index: number): number {
  // Never absent.
  return doubles[index] ?? 0
}

/** The content of a slot that moves. */
const moved = new Uint32Array(slotWords)

const hashWords = 4
const keysAtOnce = 64
/** The hashes of the keys that are looked up or put. */
const hashes = new Uint32Array(keysAtOnce * hashWords)
