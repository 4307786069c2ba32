// Blocks of objects in memory: fetched in runs of whole blocks, each run once for all concurrent readers, and evicted by last use within a byte budget.
import { must } from '../../core/assert.ts'
import { OldestFirstSet } from '../../core/oldest-first.ts'
import { type Slab, type SlabPool, slabSize } from '../../memory/slab-pool.ts'
import { orAborted } from '../../time/abort.ts'
import { abortedError, type ByteRange, type ObjectStore, ObjectStoreError } from '../object-store.ts'
import { sliceChunks } from '../slice-chunks.ts'
import { StoredRange, type Verified } from '../stored-range.ts'

/** The blocks of one request. They are one piece of memory, so they are kept and dropped together. */
interface BlockRun {
  readonly id: number
  readonly key: string
  readonly firstBlock: number
  readonly blocks: number
  /** Shorter than its blocks at the end of the object. In memory of this cache alone. */
  readonly bytes: Uint8Array
  /** The cache has a reference while it keeps the run, the request until its last waiter has one, and every range that was returned. */
  readonly slab: Slab
  readonly verified: Verified
  readonly isAsPut: boolean
  /** Read ahead, and held by no reader so far. */
  isUnread: boolean
}

/** A request in flight, shared by its waiters. It is aborted when the last of them has gone. */
interface Flight {
  readonly run: Promise<BlockRun>
  readonly abort: AbortController
  waiters: number
  ended: boolean
  landed: BlockRun | undefined
  /** A reader waits or has waited for it: it is not only read ahead. */
  isWanted: boolean
}

export interface ReadBlocksOptions {
  readonly maxBytes: number
  readonly blockBytes: number
  readonly memory: SlabPool
}

export class ReadBlocks {
  readonly #store: Pick<ObjectStore, 'read'>
  readonly #maxBytes: number
  readonly #blockBytes: number
  readonly #memory: SlabPool
  /** By object, then by block: its run, or the request that will bring it. */
  readonly #places = new Map<string, Map<number, BlockRun | Flight>>()
  /** Least recently used first. */
  readonly #runs = new OldestFirstSet<BlockRun>()
  #bytes = 0
  #unreadBytes = 0
  #lastRunId = 0

  constructor(store: Pick<ObjectStore, 'read'>, { maxBytes, blockBytes, memory }: ReadBlocksOptions) {
    this.#store = store
    this.#maxBytes = maxBytes
    this.#blockBytes = blockBytes
    this.#memory = memory
  }

  /** The whole slabs of the blocks, which may be larger than the blocks. */
  get bytes(): number {
    return this.#bytes
  }

  /** Blocks in memory that were read ahead, and that no reader has asked for so far. */
  get unreadBytes(): number {
    return this.#unreadBytes
  }

  /** Whether all of the range is in memory. */
  has(key: string, range: ByteRange): boolean {
    const places = this.#places.get(key)
    if (places === undefined) return false
    const last = this.#lastBlock(range)
    for (let block = this.#firstBlock(range); block <= last; block += 1) if (!isRun(places.get(block))) return false
    return true
  }

  /** Whether each block of the range is in memory or requested. */
  isComing(key: string, range: ByteRange): boolean {
    const places = this.#places.get(key)
    if (places === undefined) return false
    const last = this.#lastBlock(range)
    for (let block = this.#firstBlock(range); block <= last; block += 1) if (!places.has(block)) return false
    return true
  }

  /** The range if all of it is in memory. */
  kept(key: string, range: ByteRange): StoredRange | undefined {
    const places = this.#places.get(key)
    if (places === undefined) return undefined
    const runs: BlockRun[] = []
    const last = this.#lastBlock(range)
    for (let block = this.#firstBlock(range); block <= last; block += 1) {
      const place = places.get(block)
      if (!isRun(place)) return undefined
      if (runs.at(-1) !== place) runs.push(place)
    }
    return this.#rangeOf(key, runs, range)
  }

  /** The range, with one request for each gap between blocks that are cached or already requested. */
  async read(key: string, range: ByteRange, signal: AbortSignal | undefined): Promise<StoredRange> {
    const wanted = this.#wanted(key, range)
    const flights = wanted.filter((place) => 'run' in place)
    const kept = wanted.filter(isRun)
    for (const flight of flights) {
      flight.waiters += 1
      flight.isWanted = true
    }
    // The cache may evict them while the others are on their way.
    for (const { slab } of kept) slab.retain()
    try {
      const read = Promise.all(wanted.map(async (place) => ('run' in place ? await place.run : place)))
      const runs = await orAborted(read, signal, () => {
        throw abortedError('no', `read ${key}`)
      })
      return this.#rangeOf(key, runs, range)
    } finally {
      for (const { slab } of kept) slab.release()
      for (const flight of flights) this.#leave(key, flight)
    }
  }

  /** Brings the range into memory, with one request for each gap. No reader waits for the bytes: a failure is left to the reader who needs them. Never rejects. */
  async readAhead(key: string, range: ByteRange): Promise<void> {
    const flights = this.#wanted(key, range).filter((place) => 'run' in place)
    for (const flight of flights) flight.waiters += 1
    await Promise.allSettled(flights.map(({ run }) => run))
    for (const flight of flights) this.#leave(key, flight)
  }

  forget(key: string): void {
    for (const place of this.#places.get(key)?.values() ?? []) if (isRun(place)) this.#release(place)
    this.#places.delete(key)
  }

  clear(): void {
    this.#places.clear()
    for (const run of this.#runs) this.#release(run)
  }

  #leave(key: string, flight: Flight): void {
    flight.waiters -= 1
    if (flight.waiters > 0) return
    if (flight.ended) {
      flight.landed?.slab.release()
      return
    }
    // No reader waits any more, and the next one must not join a request that is about to fail.
    this.#end(key, flight)
    flight.abort.abort()
  }

  #wanted(key: string, range: ByteRange): readonly (BlockRun | Flight)[] {
    const wanted: (BlockRun | Flight)[] = []
    const last = this.#lastBlock(range)
    for (let block = this.#firstBlock(range); block <= last; ) {
      const place = this.#places.get(key)?.get(block)
      if (place !== undefined) {
        if (wanted.at(-1) !== place) wanted.push(place)
        block += 1
        continue
      }
      let gap = 1
      while (block + gap <= last && !this.#places.get(key)?.has(block + gap)) gap += 1
      wanted.push(this.#fly(key, block, gap))
      block += gap
    }
    return wanted
  }

  #fly(key: string, firstBlock: number, blocks: number): Flight {
    const abort = new AbortController()
    const run = this.#request(key, firstBlock, blocks, abort.signal)
    const flight: Flight = { run, abort, waiters: 0, ended: false, landed: undefined, isWanted: false }
    const places = this.#places.get(key) ?? new Map<number, BlockRun | Flight>()
    this.#places.set(key, places)
    for (let block = firstBlock; block < firstBlock + blocks; block += 1) places.set(block, flight)
    void flight.run.then(
      (run) => this.#land(flight, run),
      () => this.#end(key, flight),
    )
    return flight
  }

  async #request(key: string, firstBlock: number, blocks: number, signal: AbortSignal): Promise<BlockRun> {
    const length = blocks * this.#blockBytes
    const asked = this.#memory.take(length)
    let slab = asked
    let isAsPut = false
    const onVerified = (): void => {
      isAsPut = true
    }
    try {
      const range: ByteRange = { start: firstBlock * this.#blockBytes, length, untilEnd: true, into: asked.bytes, onVerified }
      const read = await this.#store.read(key, range, signal)
      slab = this.#moved(asked, read)
      const bytes = slab.bytes.subarray(0, read.length)
      this.#lastRunId += 1
      return { id: this.#lastRunId, key, firstBlock, blocks, bytes, slab, verified: new Set(), isAsPut, isUnread: false }
    } catch (error) {
      asked.release()
      throw error
    }
  }

  /** Bytes that the store did not put into the slab, and a short end of an object in a large slab, get one of their size. */
  #moved(asked: Slab, read: Uint8Array): Slab {
    const isThere = read.buffer === asked.bytes.buffer && read.byteOffset === asked.bytes.byteOffset
    if (isThere && slabSize(read.length) * 4 > asked.bytes.length * 3) return asked
    const slab = this.#memory.take(read.length)
    slab.bytes.set(read)
    asked.release()
    return slab
  }

  /** Keeps the run, unless it was forgotten meanwhile. */
  #land(flight: Flight, run: BlockRun): void {
    flight.ended = true
    flight.landed = run
    const places = this.#places.get(run.key)
    if (places?.get(run.firstBlock) === flight) {
      for (let block = run.firstBlock; block < run.firstBlock + run.blocks; block += 1) places.set(block, run)
      this.#runs.add(run)
      run.slab.retain()
      this.#bytes += run.slab.bytes.length
      run.isUnread = !flight.isWanted
      if (run.isUnread) this.#unreadBytes += run.slab.bytes.length
      this.#evict()
    }
    if (flight.waiters === 0) run.slab.release()
  }

  #evict(): void {
    while (this.#bytes > this.#maxBytes) {
      const oldest = must(this.#runs.oldest(), 'a run that is kept')
      this.#vacate(oldest.key, oldest)
      this.#release(oldest)
    }
  }

  #end(key: string, flight: Flight): void {
    flight.ended = true
    this.#vacate(key, flight)
  }

  #vacate(key: string, gone: BlockRun | Flight): void {
    const places = this.#places.get(key)
    for (const [block, place] of places ?? []) if (place === gone) places?.delete(block)
    if (places?.size === 0) this.#places.delete(key)
  }

  /** The cache's own reference, and its share of the budget. */
  #release(run: BlockRun): void {
    if (!this.#runs.delete(run)) return
    this.#bytes -= run.slab.bytes.length
    this.#read(run)
    run.slab.release()
  }

  #read(run: BlockRun): void {
    if (run.isUnread) this.#unreadBytes -= run.slab.bytes.length
    run.isUnread = false
  }

  #touch(run: BlockRun): void {
    this.#read(run)
    if (this.#runs.has(run)) this.#runs.add(run)
  }

  #rangeOf(key: string, runs: readonly BlockRun[], range: ByteRange): StoredRange {
    const first = must(runs[0], 'the run of a range')
    const begin = first.firstBlock * this.#blockBytes
    const there = begin + runs.reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (range.start + range.length > there)
      throw new ObjectStoreError(
        'corrupt',
        'no',
        `read ${key}: the object has ${there} bytes, requested were ${range.start} to ${range.start + range.length}`,
      )
    for (const run of runs) {
      this.#touch(run)
      run.slab.retain()
    }
    return new StoredRange({
      pieces: sliceChunks(
        runs.map(({ bytes }) => bytes),
        { start: range.start - begin, length: range.length },
      ),
      verified: first.verified,
      isAsPut: runs.every((run) => run.isAsPut),
      name: `${range.start}+${range.length} ${runs.map(({ id }) => id).join()}`,
      release: () => {
        for (const { slab } of runs) slab.release()
      },
    })
  }

  #firstBlock({ start }: ByteRange): number {
    return Math.floor(start / this.#blockBytes)
  }

  #lastBlock({ start, length }: ByteRange): number {
    return Math.floor((start + length - 1) / this.#blockBytes)
  }
}

function isRun(place: BlockRun | Flight | undefined): place is BlockRun {
  return place !== undefined && !('run' in place)
}
