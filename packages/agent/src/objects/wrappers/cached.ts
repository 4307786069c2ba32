// A store with a cache in front: written objects stay for tail reads, read objects stay in blocks, each kind within its own budget.

import { must } from '../../core/assert.ts'
import { OldestFirstMap } from '../../core/oldest-first.ts'
import { defaultLimits } from '../../limits.ts'
import { type Release, SlabPool } from '../../memory/slab-pool.ts'
import { joinChunks } from '../join-chunks.ts'
import { abortedError, type ByteRange, type ListedObject, type ObjectStore, ObjectStoreError, type RemoveResult } from '../object-store.ts'
import { neighboursJoined, sliceChunks, startsOf } from '../slice-chunks.ts'
import { StoredRange, type Verified } from '../stored-range.ts'
import { ReadBlocks } from './read-blocks.ts'

export interface CacheOptions {
  /** Memory for object bytes: half for written and half for read objects. 0: nothing is kept, but concurrent reads still share a request. */
  readonly maxBytes: number
  /** Reads are widened to multiples of this, so that neighbours in one object share a request. */
  readonly blockBytes?: number
  /** The memory of the objects that are put, whose slabs the cache holds, and of the blocks that are read. Default: a pool that keeps nothing. */
  readonly memory?: SlabPool
}

export interface CacheMeters {
  readonly bytes: number
  readonly hits: number
  readonly misses: number
}

interface Written {
  readonly chunks: readonly Uint8Array[]
  /** The starts of the chunks: an object may hold ten thousand batches, and each is read separately. */
  readonly starts: Float64Array
  readonly sizeBytes: number
  readonly release: Release
  readonly verified: Verified
}

export class CachedObjects implements ObjectStore {
  readonly #store: ObjectStore
  /** Oldest first. The tail of the log is what was written last; a reader of older records does not keep them here. */
  readonly #written = new OldestFirstMap<string, Written>()
  readonly #blocks: ReadBlocks
  readonly #writtenBudget: number
  readonly #readBudget: number
  readonly #memory: SlabPool
  readonly putIfAbsent?: NonNullable<ObjectStore['putIfAbsent']>
  #writtenBytes = 0
  #hits = 0
  #misses = 0

  constructor(
    store: ObjectStore,
    { maxBytes, blockBytes = defaultLimits.readBlockBytes, memory = new SlabPool({ maxFreeBytes: 0 }) }: CacheOptions,
  ) {
    this.#store = store
    this.#memory = memory
    this.#writtenBudget = Math.floor(maxBytes / 2)
    this.#readBudget = maxBytes - this.#writtenBudget
    this.#blocks = new ReadBlocks(store, { maxBytes: this.#readBudget, blockBytes, memory })
    if (store.putIfAbsent !== undefined) this.putIfAbsent = store.putIfAbsent.bind(store)
  }

  get meters(): CacheMeters {
    return { bytes: this.#writtenBytes + this.#blocks.bytes, hits: this.#hits, misses: this.#misses }
  }

  /** Keeps the chunks themselves without a copy. A failed put leaves nothing. */
  async put(key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    await this.#store.put(key, body, signal)
    this.#keep(key, body)
  }

  /** As in the store, in memory of its own: a copy of what is cached. */
  async read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    if (range === undefined && !this.#written.has(key)) {
      this.#misses += 1
      return await this.#store.read(key, undefined, signal)
    }
    const stored = await this.hold(key, range, signal)
    try {
      return joinChunks(stored.pieces)
    } finally {
      stored.release()
    }
  }

  /** Like `read`, but never copies: the range as it is in the cache. The caller releases it. */
  async hold(key: string, range?: ByteRange, signal?: AbortSignal): Promise<StoredRange> {
    if (signal?.aborted === true) throw abortedError('no', `read ${key}`)
    const kept = this.holdKept(key, range)
    if (kept !== undefined) return kept
    this.#misses += 1
    if (range !== undefined && range.untilEnd !== true) return await this.#blocks.read(key, range, signal)
    return new StoredRange({ pieces: [await this.#store.read(key, range, signal)], release: () => {} })
  }

  /** Like `hold`, within the turn. Undefined: not all of the range is in memory. */
  holdKept(key: string, range?: ByteRange): StoredRange | undefined {
    const written = this.#written.get(key)
    const kept =
      written === undefined
        ? range !== undefined && range.untilEnd !== true
          ? this.#blocks.kept(key, range)
          : undefined
        : this.#ofWritten(key, written, range)
    if (kept !== undefined) this.#hits += 1
    return kept
  }

  /** Begins to bring the range into memory, for a later `hold`. Resolves when it is there, or the request has failed. Never rejects. */
  async readAhead(key: string, range: ByteRange): Promise<void> {
    if (!this.#written.has(key)) await this.#blocks.readAhead(key, range)
  }

  /** How many bytes may still be read ahead: what was, and no reader has asked for, has at most half of the memory for read objects. */
  get aheadBytes(): number {
    return this.#readBudget / 2 - this.#blocks.unreadBytes
  }

  /** Whether the range is in memory. */
  has(key: string, range: ByteRange): boolean {
    return this.#written.has(key) || this.#blocks.has(key, range)
  }

  /** Whether a read of the range would begin no request to the store. */
  isComing(key: string, range: ByteRange): boolean {
    return this.#written.has(key) || this.#blocks.isComing(key, range)
  }

  /** Drops the cached bytes of an object and does not keep reads in flight. Called for bytes that turned out corrupt. */
  forget(key: string): void {
    const written = this.#written.get(key)
    if (written !== undefined) this.#drop(key, written)
    this.#blocks.forget(key)
  }

  async remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    for (const key of keys) this.forget(key)
    return await this.#store.remove(keys, signal)
  }

  list(prefix: string, options?: { readonly after?: string; readonly signal?: AbortSignal }): AsyncIterable<ListedObject> {
    return this.#store.list(prefix, options)
  }

  async close(): Promise<void> {
    for (const [key, written] of this.#written) this.#drop(key, written)
    this.#blocks.clear()
    await this.#store.close()
  }

  #keep(key: string, body: readonly Uint8Array[]): void {
    const chunks = neighboursJoined(body)
    const sizeBytes = chunks.reduce((sum, { length }) => sum + length, 0)
    if (sizeBytes > this.#writtenBudget || this.#written.has(key)) return
    const release = this.#memory.hold(chunks)
    this.#written.set(key, { chunks, starts: startsOf(chunks), sizeBytes, release, verified: new Set() })
    this.#writtenBytes += sizeBytes
    while (this.#writtenBytes > this.#writtenBudget) {
      const oldest = must(this.#written.oldestKey(), 'an object that is kept')
      this.#drop(oldest, must(this.#written.get(oldest), 'the oldest object'))
    }
  }

  #drop(key: string, { sizeBytes, release }: Written): void {
    this.#written.delete(key)
    this.#writtenBytes -= sizeBytes
    release()
  }

  #ofWritten(key: string, { chunks, starts, sizeBytes, verified }: Written, range: ByteRange | undefined): StoredRange {
    const { start, length: asked } = range ?? { start: 0, length: sizeBytes }
    const length = range?.untilEnd === true ? Math.min(asked, sizeBytes - start) : asked
    if (range !== undefined && (length <= 0 || start + length > sizeBytes))
      throw new ObjectStoreError(
        'corrupt',
        'no',
        `read ${key}: the object has ${sizeBytes} bytes, requested were ${start} to ${start + asked}`,
      )
    const pieces = sliceChunks(chunks, { start, length }, starts)
    return new StoredRange({ pieces, release: this.#memory.hold(pieces), verified, name: `${start}+${length}` })
  }
}
