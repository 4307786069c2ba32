// The end of each partition that is used, in memory: watermarks, newest segments, and waiting readers. It may answer data, never the absence of data.

import { partitionKey, type TopicId, type TopicPartition } from '../core/ids.ts'
import { OldestFirstMap } from '../core/oldest-first.ts'
import type { Limits } from '../limits.ts'
import type { GrownPartition, PartitionState, Segment } from '../metadata/metadata-store.ts'
import type { ByteGauge } from '../observe/byte-budget.ts'
import { GrownPartitions } from './grown-partitions.ts'

export interface Tail extends TopicPartition {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  /** The last marker that aborted records of the log, -1 if there is none: records after it are never aborted ones. */
  readonly lastAbortOffset: number
  /** The newest segments, without a gap up to the high watermark; empty if no batch was appended since the load. */
  readonly segments: readonly Segment[]
  /** LogAppendTime stamps are never below it. */
  readonly lastStamp: number
}

interface LoadedTail {
  topicId: TopicId
  partition: number
  logStartOffset: number
  highWatermark: number
  lastStableOffset: number
  lastAbortOffset: number
  segments: Segment[]
  lastStamp: number
}

interface Waiters {
  readonly of: TopicPartition
  readonly wakes: Set<() => void>
}

interface Loading {
  readonly of: TopicPartition
  readonly done: Promise<Tail | undefined>
  readonly published: Published
}

/** What was published while the state was read, which may be older. */
interface Published {
  readonly grown: GrownPartition[]
  logStartOffset: number
}

/** Reads partition states from the database, in one primary read. */
export type LoadPartitions = (asked: readonly TopicPartition[]) => Promise<readonly (PartitionState | undefined)[]>

export class Tails {
  readonly grown = new GrownPartitions()
  readonly #held = new OldestFirstMap<string, LoadedTail>()
  readonly #loading = new Map<string, Loading>()
  readonly #waiters = new Map<string, Waiters>()
  /** The last stamps of partitions that are not held. A batch with such a stamp may not be committed yet, so the database does not know it. */
  readonly #stamps = new OldestFirstMap<string, number>()
  readonly #load: LoadPartitions
  readonly #maxTails: number
  readonly #maxSegments: number
  readonly #maxBytes: number
  /** By `bytesOf`. */
  #heldBytes = 0

  constructor(load: LoadPartitions, limits: Pick<Limits, 'tails' | 'tailSegments' | 'tailBytes'>) {
    this.#load = load
    this.#maxTails = limits.tails
    this.#maxSegments = limits.tailSegments
    this.#maxBytes = limits.tailBytes
  }

  /** An estimate of the memory of all tails. */
  get gauge(): ByteGauge {
    return { usedBytes: this.#heldBytes, limitBytes: this.#maxBytes }
  }

  get(topicId: TopicId, partition: number): Tail | undefined {
    return this.#held.get(partitionKey(topicId, partition))
  }

  /** The tail, loaded from the database the first time. Undefined: the database has no such partition. Rejects as the database does. */
  async loaded(asked: readonly TopicPartition[]): Promise<readonly (Tail | undefined)[]> {
    const held = asked.map(({ topicId, partition }) => this.#held.get(partitionKey(topicId, partition)))
    if (!held.includes(undefined)) return held
    const missing = asked.filter(({ topicId, partition }) => {
      const key = partitionKey(topicId, partition)
      return !this.#held.has(key) && !this.#loading.has(key)
    })
    if (missing.length > 0) this.#startLoading(missing)
    return Promise.all(
      asked.map(async ({ topicId, partition }) => {
        const key = partitionKey(topicId, partition)
        return this.#held.get(key) ?? this.#loading.get(key)?.done
      }),
    )
  }

  /** Call it after a commit, before any producer is answered: the new end becomes visible, and readers that wait for it wake. */
  publish(grown: readonly GrownPartition[]): void {
    for (const partition of grown) {
      const key = partitionKey(partition.topicId, partition.partition)
      this.grown.add(key, partition)
      this.#loading.get(key)?.published.grown.push(partition)
      const held = this.#held.get(key)
      if (held === undefined) continue
      const before = bytesOf(held)
      grow(held, partition, this.#maxSegments)
      this.#heldBytes += bytesOf(held) - before
    }
    this.#shrink(grown.length)
    for (const { topicId, partition } of grown) {
      this.#wake(partitionKey(topicId, partition))
    }
  }

  /**
   * Call it with a state that was read from the database: the tail is never older than it from here on. What memory has of newer segments than the state knows
   * stays. Readers that wait wake if anything is new.
   */
  refresh(state: PartitionState): void {
    const key = partitionKey(state.topicId, state.partition)
    const held = this.#held.get(key)
    const grown = { ...state, segments: [] }
    this.#loading.get(key)?.published.grown.push(grown)
    if (held === undefined) return this.#wake(key)
    const { highWatermark } = held
    const before = bytesOf(held)
    grow(held, grown, this.#maxSegments)
    held.lastAbortOffset = Math.max(held.lastAbortOffset, state.lastAbortOffset)
    held.lastStamp = Math.max(held.lastStamp, state.maxTimestamp)
    this.#heldBytes += bytesOf(held) - before
    this.publishStart(state, state.logStartOffset)
    if (held.highWatermark === highWatermark) return
    this.grown.add(key, state)
    this.#wake(key)
  }

  /** The partitions that readers wait for. */
  waitedFor(): readonly TopicPartition[] {
    return Array.from(this.#waiters.values(), ({ of }) => of)
  }

  /** Call it after the start of a log was moved, before the request is answered: from here on, no reader finds the records before it. */
  publishStart({ topicId, partition }: TopicPartition, logStartOffset: number): void {
    const key = partitionKey(topicId, partition)
    const loading = this.#loading.get(key)?.published
    if (loading !== undefined) loading.logStartOffset = Math.max(loading.logStartOffset, logStartOffset)
    const held = this.#held.get(key)
    if (held === undefined || held.logStartOffset >= logStartOffset) return
    held.logStartOffset = logStartOffset
    this.#wake(key)
  }

  /** The stamp of a LogAppendTime batch: the agent's clock, but never below the partition's last stamp. */
  stamp(topicId: TopicId, partition: number, nowMs: number): number {
    const key = partitionKey(topicId, partition)
    const held = this.#held.get(key)
    if (held === undefined) return this.#remember(key, Math.max(this.#stamps.get(key) ?? nowMs, nowMs))
    held.lastStamp = Math.max(held.lastStamp, nowMs)
    return held.lastStamp
  }

  /** Calls `wake` whenever one of the partitions grows or is forgotten, until the returned function is called. */
  watch(partitions: readonly TopicPartition[], wake: () => void): () => void {
    const keys = partitions.map(({ topicId, partition }) => partitionKey(topicId, partition))
    for (const of of partitions) {
      const key = partitionKey(of.topicId, of.partition)
      const waiters = this.#waiters.get(key)
      if (waiters === undefined) this.#waiters.set(key, { of: { topicId: of.topicId, partition: of.partition }, wakes: new Set([wake]) })
      else waiters.wakes.add(wake)
    }
    return () => {
      for (const key of keys) {
        const waiters = this.#waiters.get(key)
        waiters?.wakes.delete(wake)
        if (waiters?.wakes.size === 0) this.#waiters.delete(key)
      }
    }
  }

  /** Call it after a topic's deletion or a change of ownership. Readers that wait wake and look again, and a read that began before is not kept. */
  forget(matches: (partition: TopicPartition) => boolean): void {
    for (const [key, { of }] of this.#loading) {
      if (!matches(of)) continue
      this.#loading.delete(key)
      this.#wake(key)
    }
    for (const [key, held] of this.#held) if (matches(held)) this.#forget(key, held)
  }

  /** Call it after segments of the partition before this offset were replaced: what memory has of them is read from the database again. */
  forgetReplaced({ topicId, partition }: TopicPartition, nextOffset: number): void {
    const key = partitionKey(topicId, partition)
    const held = this.#held.get(key)
    const oldest = held?.segments[0]
    if (held !== undefined && oldest !== undefined && oldest.baseOffset < nextOffset) this.#forget(key, held)
  }

  #forget(key: string, held: LoadedTail): void {
    this.#drop(key, held)
    this.#wake(key)
  }

  #wake(key: string): void {
    const waiters = this.#waiters.get(key)
    if (waiters !== undefined) for (const wake of waiters.wakes) wake()
  }

  #startLoading(missing: readonly TopicPartition[]): void {
    const states = this.#load(missing)
    for (const [index, asked] of missing.entries()) {
      const key = partitionKey(asked.topicId, asked.partition)
      const { topicId, partition } = asked
      const published: Published = { grown: [], logStartOffset: 0 }
      const done = states.then(
        (all) => this.#finishLoading(key, all[index], published),
        (error: unknown) => {
          if (this.#loading.get(key)?.published === published) this.#loading.delete(key)
          throw error
        },
      )
      // Several partitions share one failing read: each caller that awaits it receives the rejection, and an unawaited one must not end the process.
      done.catch(() => {})
      this.#loading.set(key, { of: { topicId, partition }, done, published })
    }
  }

  #finishLoading(key: string, state: PartitionState | undefined, published: Published): Tail | undefined {
    const counts = this.#loading.get(key)?.published === published
    if (counts) this.#loading.delete(key)
    if (state === undefined) return undefined
    const held: LoadedTail = {
      topicId: state.topicId,
      partition: state.partition,
      logStartOffset: Math.max(state.logStartOffset, published.logStartOffset),
      highWatermark: state.highWatermark,
      lastStableOffset: state.lastStableOffset,
      lastAbortOffset: state.lastAbortOffset,
      segments: [],
      lastStamp: Math.max(state.maxTimestamp, this.#stamps.get(key) ?? state.maxTimestamp),
    }
    if (!counts) return held
    this.#stamps.delete(key)
    for (const partition of published.grown) grow(held, partition, this.#maxSegments)
    this.#held.set(key, held)
    this.#heldBytes += bytesOf(held)
    if (this.#held.size > this.#maxTails) this.#evict()
    this.#shrink(1)
    return held
  }

  /** Evicts the partition loaded longest ago that no reader waits for; those that one waits for count as loaded now. The next use loads it again. */
  #evict(): void {
    for (let looks = this.#held.size; looks > 0; looks -= 1) {
      const key = this.#held.oldestKey()
      const held = key === undefined ? undefined : this.#held.get(key)
      if (key === undefined || held === undefined) return
      if (!this.#waiters.has(key)) return this.#drop(key, held)
      this.#held.set(key, held)
    }
  }

  /** When they hold too much memory, the oldest tails lose their segments, which readers then find in the database, and later those that no reader waits for go. */
  #shrink(grownCount: number): void {
    for (let looks = looksPerShrink + looksPerGrown * grownCount; looks > 0 && this.#heldBytes > this.#maxBytes; looks -= 1) {
      const key = this.#held.oldestKey()
      const held = key === undefined ? undefined : this.#held.get(key)
      if (key === undefined || held === undefined) return
      if (held.segments.length === 0 && !this.#waiters.has(key) && this.#held.size > 1) {
        this.#drop(key, held)
        continue
      }
      this.#heldBytes -= bytesOf(held)
      held.segments = []
      this.#heldBytes += bytesOf(held)
      this.#held.set(key, held)
    }
  }

  #drop(key: string, held: LoadedTail): void {
    this.#heldBytes -= bytesOf(held)
    this.#held.delete(key)
    this.#remember(key, held.lastStamp)
  }

  /** A stamp is one number, so ten times as many stamps are kept as tails. */
  #remember(key: string, stamp: number): number {
    this.#stamps.set(key, stamp)
    if (this.#stamps.size <= 10 * this.#maxTails) return stamp
    const oldest = this.#stamps.oldestKey()
    if (oldest !== undefined) this.#stamps.delete(oldest)
    return stamp
  }
}

/** Tails that one commit or load may find without anything to release, because readers wait for them. */
const looksPerShrink = 200
/** A look releases at least 140 bytes, so these are more than what one tail has grown by with a few segments. */
const looksPerGrown = 4

/** As V8 holds them, with the key and the entries of the map. The key of an object is shared by the segments in it. */
function bytesOf({ segments }: LoadedTail): number {
  return segments.length === 0 ? 260 : 400 + 100 * segments.length
}

function grow(held: LoadedTail, grown: GrownPartition, maxSegments: number): void {
  for (const { baseOffset, marker } of grown.segments)
    if (marker?.outcome === 'abort') held.lastAbortOffset = Math.max(held.lastAbortOffset, baseOffset)
  if (grown.highWatermark <= held.highWatermark) return
  const first = grown.segments[0]
  const last = held.segments.at(-1)
  // A gap would make a read skip records, so the segments before it are dropped; a read takes them from the database.
  const follows =
    first !== undefined && (last === undefined ? first.baseOffset === held.highWatermark : first.baseOffset === last.lastOffset + 1)
  if (!follows) held.segments = []
  // The end of a transaction, which is published after a commit that follows it, may be in the gap: readers ask the database what it aborted.
  if (first !== undefined && first.baseOffset > held.highWatermark)
    held.lastAbortOffset = Math.max(held.lastAbortOffset, first.baseOffset - 1)
  held.segments.push(...grown.segments)
  if (held.segments.length > maxSegments) held.segments.splice(0, held.segments.length - maxSegments)
  held.lastStableOffset = grown.lastStableOffset
  held.highWatermark = grown.highWatermark
}
