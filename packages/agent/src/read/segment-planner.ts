// Finds the segments that a fetch needs, many partitions in one look-up, and begins to read those that are not in memory.
// Partitions are named by their position in the request: a fetch of many thousands would make a text for each, again and again.
import { must } from '../core/assert.ts'
import { partitionKey } from '../core/ids.ts'
import type { Limits } from '../limits.ts'
import type { FindSegments, LogIndex, Segment, Watermarks } from '../metadata/metadata-store.ts'
import type { Clock } from '../time/clock.ts'
import type { Turns } from '../time/turns.ts'
import type { Tail } from '../view/tails.ts'
import type { FetchAsk } from './fetch-ask.ts'
import type { PlannedReads } from './planned-reads.ts'
import type { KnownSegments, ReadAhead } from './read-ahead.ts'

export interface SegmentPlannerParts {
  readonly log: Pick<LogIndex, 'find'>
  readonly clock: Pick<Clock, 'monotonic'>
  readonly turns: Turns
  readonly limits: Pick<Limits, 'segmentsPerFind'>
  readonly ahead: ReadAhead
}

/** The segments of one partition from the requested offset on. */
export interface PlannedPartition {
  /** Its key, computed once. */
  readonly key: string
  readonly known: KnownSegments
}

/** What one look of a fetch begins with, each by the position of the partition in the request. */
export interface PlannedFetch {
  readonly asks: readonly FetchAsk[]
  /** Undefined: there is no such partition. */
  readonly tails: readonly (Tail | undefined)[]
  readonly readCommitted: boolean
  /** Of the whole answer. */
  readonly maxBytes: number
}

export class SegmentPlanner {
  readonly #parts: SegmentPlannerParts

  constructor(parts: SegmentPlannerParts) {
    this.#parts = parts
  }

  /** Finds the segments of the partitions that come first, as many as the answer can hold, and begins to read them. */
  async plan(fetch: PlannedFetch, reads: PlannedReads): Promise<readonly (PlannedPartition | undefined)[]> {
    const planned: (PlannedPartition | undefined)[] = fetch.asks.map(() => undefined)
    const slice = this.#parts.turns.slice()
    const room = { bytes: fetch.maxBytes }
    let some: number[] = []
    for (const [at, ask] of fetch.asks.entries()) {
      if (isReadable(ask, fetch.tails[at], fetch.readCommitted)) some.push(at)
      if (some.length === partitionsPerLookUp) {
        if (reads.isFull) return planned
        await this.#planSome(fetch, some, planned, { reads, room })
        some = []
      }
      if (slice.spent(1)) await slice.next()
    }
    if (some.length > 0 && !reads.isFull) await this.#planSome(fetch, some, planned, { reads, room })
    return planned
  }

  /** Segments of a partition from an offset on, from memory or from a look-up. */
  async segmentsOf(ask: FetchAsk, tail: Tail, { offset, maxBytes }: { readonly offset: number; readonly maxBytes: number }) {
    const newest = newestSegments(tail, offset)
    if (newest !== undefined) return newest
    const [found] = await this.#parts.log.find([this.#lookUpOf(ask, offset, maxBytes)])
    return found?.kind === 'found' ? found.segments : []
  }

  async #planSome(
    fetch: PlannedFetch,
    positions: readonly number[],
    planned: (PlannedPartition | undefined)[],
    { reads, room }: { readonly reads: PlannedReads; readonly room: { bytes: number } },
  ): Promise<void> {
    const { ahead } = this.#parts
    for (const { at, ask, windowBytes, partition } of await this.#find(fetch, positions)) {
      planned[at] = partition
      const neededBytes = Math.min(ask.maxBytes, room.bytes)
      room.bytes -= neededBytes
      reads.plan(partition.known.segments, ask.maxBytes)
      ahead.plan(partition.known.segments, { answerBytes: ask.maxBytes, neededBytes, windowBytes })
    }
    // It comes first: what the answer needs may be a part of its large reads.
    ahead.begin()
    reads.begin()
  }

  /**
   * Memory has the newest segments, and those that follow where a consumer has just ended; one look-up finds those of all other partitions. In order; without
   * the partitions that were deleted in between.
   */
  async #find({ asks, tails }: PlannedFetch, positions: readonly number[]): Promise<readonly FoundPartition[]> {
    const { ahead, clock, log } = this.#parts
    const atMs = clock.monotonic()
    const looked: KnownPartition[] = positions.map((at) => {
      const ask = must(asks[at], 'the partition at a position')
      const key = partitionKey(ask.topicId, ask.partition)
      const tail = must(tails[at], 'the tail of a readable partition')
      const newest = newestSegments(tail, ask.offset)
      const known = newest === undefined ? ahead.knownAt(key, ask.offset, tail) : { segments: newest, atMs, tail }
      const windowBytes = ahead.windowAt(key, ask.offset)
      const missingBytes = ask.maxBytes + windowBytes + ahead.runBytesAfter(windowBytes) - sizeOf(known)
      const isWhole = known !== undefined && (newest !== undefined || missingBytes <= 0)
      return { at, ask, key, tail, known, windowBytes, missingBytes, isWhole, from: followingOf(known) ?? ask.offset }
    })
    const lookUps = looked.filter(({ isWhole }) => !isWhole)
    const answers = lookUps.length === 0 ? [] : await log.find(lookUps.map((lookUp) => this.#nextOf(lookUp)))
    let answered = 0
    return looked.flatMap(({ at, ask, key, tail, known, windowBytes, isWhole, from }) => {
      const found = isWhole ? known : followed(known, answers[answered++], { from, atMs, tail })
      return found === undefined ? [] : [{ at, ask, windowBytes, partition: { key, known: found } }]
    })
  }

  /** The known segments, or else the newest ones, show how many are likely to be needed for the missing bytes. Each row that is read for nothing costs time. */
  #nextOf({ ask, tail, known, from, missingBytes }: KnownPartition): FindSegments {
    const lookUp = this.#lookUpOf(ask, from, missingBytes)
    const { segments } = known ?? tail
    if (segments.length === 0) return lookUp
    const likely = Math.ceil((lookUp.maxBytes * segments.length) / Math.max(1, sizeOf({ segments }))) + 1
    return { ...lookUp, maxSegments: Math.min(Math.max(likely, fewestSegmentsPerFind), lookUp.maxSegments) }
  }

  #lookUpOf({ topicId, partition }: FetchAsk, offset: number, maxBytes: number): FindSegments {
    return { topicId, partition, offset, maxBytes: Math.max(1, maxBytes), maxSegments: this.#parts.limits.segmentsPerFind }
  }
}

/** The offset at which the consumer's records end. */
export function endOf(tail: Watermarks, readCommitted: boolean): number {
  return readCommitted ? tail.lastStableOffset : tail.highWatermark
}

interface FoundPartition {
  readonly at: number
  readonly ask: FetchAsk
  readonly windowBytes: number
  readonly partition: PlannedPartition
}

/** What memory knows of one partition. Unless it is whole, a look-up finds the segments after the known ones. */
interface KnownPartition {
  readonly at: number
  readonly ask: FetchAsk
  readonly key: string
  readonly tail: Tail
  readonly known: KnownSegments | undefined
  readonly windowBytes: number
  readonly missingBytes: number
  readonly isWhole: boolean
  readonly from: number
}

function isReadable(ask: FetchAsk, tail: Tail | undefined, readCommitted: boolean): boolean {
  return tail !== undefined && ask.offset >= tail.logStartOffset && ask.offset < endOf(tail, readCommitted)
}

/** The known segments with those that a look-up found after them. Undefined: there is no such partition. */
function followed(
  known: KnownSegments | undefined,
  answer: FoundByLookUp | undefined,
  { from, atMs, tail }: { readonly from: number; readonly atMs: number; readonly tail: Tail },
): KnownSegments | undefined {
  if (answer?.kind !== 'found') return undefined
  const [first] = answer.segments
  if (known === undefined) return { segments: answer.segments, atMs, tail }
  // Otherwise the log was written again meanwhile, and the known segments do not count.
  return first === undefined || first.baseOffset === from ? { ...known, segments: [...known.segments, ...answer.segments] } : undefined
}

type FoundByLookUp = Awaited<ReturnType<LogIndex['find']>>[number]

function sizeOf(known: Pick<KnownSegments, 'segments'> | undefined): number {
  return known === undefined ? 0 : known.segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

function followingOf(known: KnownSegments | undefined): number | undefined {
  const last = known?.segments.at(-1)
  return last === undefined ? undefined : last.lastOffset + 1
}

/** The segments in memory from the offset on; undefined if older ones are needed. */
function newestSegments({ segments }: Tail, offset: number): readonly Segment[] | undefined {
  const [first] = segments
  return first !== undefined && first.baseOffset <= offset ? segments.filter(({ lastOffset }) => lastOffset >= offset) : undefined
}

/** Older segments may be smaller than the newest ones. */
const fewestSegmentsPerFind = 8

/** The partitions of one look-up: a fetch of many thousands is full long before its last one. */
const partitionsPerLookUp = 200
