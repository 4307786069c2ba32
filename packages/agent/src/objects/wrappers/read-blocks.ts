// Blocks of objects in memory: fetched in runs of whole blocks, each run once for all concurrent readers, and evicted by last use within a byte budget.
import { must } from '../../core/assert.ts'
import { orAborted } from '../../time/abort.ts'
import { abortedError, type ByteRange, type ObjectStore, ObjectStoreError } from '../object-store.ts'
import { sliceChunks } from '../slice-chunks.ts'

/** The blocks of one request. They are one piece of memory, so they are kept and dropped together. */
interface BlockRun {
  readonly key: string
  readonly firstBlock: number
  readonly blocks: number
  /** Shorter than its blocks at the end of the object. */
  readonly bytes: Uint8Array
}

/** A request in flight, shared by its waiters. It is aborted when the last of them has gone. */
interface Flight {
  readonly run: Promise<BlockRun>
  readonly abort: AbortController
  waiters: number
  ended: boolean
}

export class ReadBlocks {
  readonly #store: Pick<ObjectStore, 'read'>
  readonly #maxBytes: number
  readonly #blockBytes: number
  /** By object, then by block: its run, or the request that will bring it. */
  readonly #places = new Map<string, Map<number, BlockRun | Flight>>()
  /** Least recently used first. */
  readonly #runs = new Set<BlockRun>()
  #bytes = 0

  constructor(store: Pick<ObjectStore, 'read'>, { maxBytes, blockBytes }: { readonly maxBytes: number; readonly blockBytes: number }) {
    this.#store = store
    this.#maxBytes = maxBytes
    this.#blockBytes = blockBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether all of the range is in memory. */
  has(key: string, range: ByteRange): boolean {
    const places = this.#places.get(key)
    return places !== undefined && this.#blocksOf(range).every((block) => isRun(places.get(block)))
  }

  /** Whether each block of the range is in memory or requested. */
  isComing(key: string, range: ByteRange): boolean {
    const places = this.#places.get(key)
    return places !== undefined && this.#blocksOf(range).every((block) => places.has(block))
  }

  /** The range's pieces if all of it is in memory. */
  kept(key: string, range: ByteRange): readonly Uint8Array[] | undefined {
    const places = this.#places.get(key)
    if (places === undefined) return undefined
    const runs: BlockRun[] = []
    for (const block of this.#blocksOf(range)) {
      const place = places.get(block)
      if (!isRun(place)) return undefined
      if (runs.at(-1) !== place) runs.push(place)
    }
    for (const run of runs) this.#touch(run)
    return this.#cut(key, runs, range)
  }

  /** The range's pieces, with one request for each gap between blocks that are cached or already requested. */
  async read(key: string, range: ByteRange, signal: AbortSignal | undefined): Promise<readonly Uint8Array[]> {
    const wanted: (BlockRun | Flight)[] = []
    const blocks = this.#blocksOf(range)
    for (let index = 0; index < blocks.length; ) {
      const block = must(blocks[index], 'a block of the range')
      const place = this.#places.get(key)?.get(block)
      if (place !== undefined) {
        if (wanted.at(-1) !== place) wanted.push(place)
        index += 1
        continue
      }
      let gap = 1
      while (index + gap < blocks.length && !this.#places.get(key)?.has(block + gap)) gap += 1
      wanted.push(this.#fly(key, block, gap))
      index += gap
    }
    const flights = wanted.filter((place) => 'run' in place)
    for (const flight of flights) flight.waiters += 1
    try {
      const read = Promise.all(wanted.map(async (place) => ('run' in place ? await place.run : place)))
      const runs = await orAborted(read, signal, () => {
        throw abortedError('no', `read ${key}`)
      })
      for (const run of runs) this.#touch(run)
      return this.#cut(key, runs, range)
    } finally {
      for (const flight of flights) {
        flight.waiters -= 1
        if (flight.waiters > 0 || flight.ended) continue
        // No reader waits any more, and the next one must not join a request that is about to fail.
        this.#end(key, flight)
        flight.abort.abort()
      }
    }
  }

  forget(key: string): void {
    for (const place of this.#places.get(key)?.values() ?? []) if (!('run' in place)) this.#unaccount(place)
    this.#places.delete(key)
  }

  clear(): void {
    this.#places.clear()
    this.#runs.clear()
    this.#bytes = 0
  }

  #fly(key: string, firstBlock: number, blocks: number): Flight {
    const abort = new AbortController()
    const range: ByteRange = { start: firstBlock * this.#blockBytes, length: blocks * this.#blockBytes, untilEnd: true }
    const arriving = this.#store.read(key, range, abort.signal).then((bytes): BlockRun => ({ key, firstBlock, blocks, bytes }))
    const flight: Flight = { run: arriving, abort, waiters: 0, ended: false }
    const places = this.#places.get(key) ?? new Map<number, BlockRun | Flight>()
    this.#places.set(key, places)
    for (let block = firstBlock; block < firstBlock + blocks; block += 1) places.set(block, flight)
    void arriving.then(
      (run) => this.#land(flight, run),
      () => this.#end(key, flight),
    )
    return flight
  }

  /** Keeps the run, unless it was forgotten meanwhile. */
  #land(flight: Flight, run: BlockRun): void {
    flight.ended = true
    const places = this.#places.get(run.key)
    if (places?.get(run.firstBlock) !== flight) return
    for (let block = run.firstBlock; block < run.firstBlock + run.blocks; block += 1) places.set(block, run)
    this.#runs.add(run)
    this.#bytes += run.bytes.length
    for (const oldest of this.#runs) {
      if (this.#bytes <= this.#maxBytes) break
      this.#vacate(oldest.key, oldest)
      this.#unaccount(oldest)
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

  #unaccount(run: BlockRun): void {
    if (this.#runs.delete(run)) this.#bytes -= run.bytes.length
  }

  #touch(run: BlockRun): void {
    if (this.#runs.delete(run)) this.#runs.add(run)
  }

  #cut(key: string, runs: readonly BlockRun[], range: ByteRange): readonly Uint8Array[] {
    const begin = must(runs[0], 'the run of a range').firstBlock * this.#blockBytes
    const there = begin + runs.reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (range.start + range.length > there)
      throw new ObjectStoreError(
        'corrupt',
        'no',
        `read ${key}: the object has ${there} bytes, requested were ${range.start} to ${range.start + range.length}`,
      )
    return sliceChunks(
      runs.map(({ bytes }) => bytes),
      { start: range.start - begin, length: range.length },
    )
  }

  #blocksOf({ start, length }: ByteRange): readonly number[] {
    const first = Math.floor(start / this.#blockBytes)
    const last = Math.floor((start + length - 1) / this.#blockBytes)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  }
}

function isRun(place: BlockRun | Flight | undefined): place is BlockRun {
  return place !== undefined && !('run' in place)
}
