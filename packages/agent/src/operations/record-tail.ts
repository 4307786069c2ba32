// The live tail of a partition or a topic: it waits for records and hands them over only as fast as the consumer takes them.
import { must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { AnswerClaim } from '../read/answer-memory.ts'
import { type CommittedParts, fetchCommitted } from '../read/committed-records.ts'
import type { LogRecord } from './log-record.ts'
import { decodePage, mergePages, type Page, type PageParts, type RecordFilter, recordMatcher, type Unreadable } from './record-pages.ts'
import { type From, type RecordPlaces, type RecordRejection, rejected } from './record-places.ts'
import type { TopicOperations } from './topics.ts'

export interface TailRecords {
  readonly topic: string
  /** Undefined for all partitions, including those that are added later. */
  readonly partition?: number
  readonly from: From
  readonly filter: RecordFilter
  /** As in ReadRecords; the tail releases it when the consumer asks for the next step. */
  readonly memory?: AnswerClaim
  readonly signal: AbortSignal
}

export type TailStep =
  /** `positions`: the next offset of each partition followed. */
  | {
      readonly kind: 'records'
      readonly records: readonly LogRecord[]
      readonly unreadable: readonly Unreadable[]
      readonly positions: readonly number[]
    }
  | { readonly kind: 'ended'; readonly why: RecordRejection }

export type RecordTail =
  /** The steps end after one of kind `ended`, or when the signal aborts. At most one step is in memory until the consumer takes it. A step may reject with a MetadataError. */
  | { readonly kind: 'tail'; readonly topic: Topic; readonly positions: readonly number[]; readonly steps: AsyncIterable<TailStep> }
  | RecordRejection

export interface TailParts extends PageParts, CommittedParts {
  readonly places: RecordPlaces
  readonly topics: Pick<TopicOperations, 'findById'>
}

/** Settles when the positions are known: the tail misses no record after them. */
export async function tailRecords(asked: TailRecords, parts: TailParts): Promise<RecordTail> {
  const found = await parts.places.find(asked.topic, asked.partition)
  if (found.kind !== 'found') return found
  const { topic, partitions } = found
  if (partitions.length > fixedLimits.tailPartitions) {
    return rejected(
      'INVALID_REQUEST',
      `Topic '${topic.name}' has ${topic.partitions} partitions, and a tail follows at most ${fixedLimits.tailPartitions}: follow one partition.`,
    )
  }
  const starts = await parts.places.starts(topic, partitions, asked.from, asked.signal)
  if (starts.kind !== 'offsets') return starts
  const followed = partitions.map((partition, index) => ({
    partition,
    position: must(starts.offsets[index], 'the start of each partition'),
  }))
  return { kind: 'tail', topic, positions: starts.offsets, steps: follow(topic, followed, asked, parts) }
}

interface Followed {
  readonly partition: number
  position: number
}

async function* follow(
  topic: Topic,
  followed: Followed[],
  asked: TailRecords,
  { places, topics, unpacker, turns, ...parts }: TailParts,
): AsyncGenerator<TailStep> {
  const matches = recordMatcher(asked.filter)
  const { memory } = asked
  const maxBytes = memory === undefined ? fixedLimits.scanRoundBytes : fixedLimits.tailRoundBytes
  const bounds = { maxRecords: fixedLimits.recordsPerAnswer, maxBytes, measure: memory === undefined ? 'plain' : 'json' } as const
  while (!asked.signal.aborted) {
    const now = must((await topics.findById([topic.topicId]))[0], 'the one topic asked for')
    if (now.kind === 'error') return yield { kind: 'ended', why: now }
    if (asked.partition === undefined) {
      const most = Math.min(now.value.partitions, fixedLimits.tailPartitions)
      while (followed.length < most) followed.push({ partition: followed.length, position: 0 })
    }
    memory?.release()
    const asks = followed.map(({ partition, position }) => ({ topicId: topic.topicId, partition, offset: position, maxBytes }))
    const options = { maxWaitMs: fixedLimits.tailWaitMs, minBytes: 1, maxBytes, signal: asked.signal, ...(memory && { claim: memory }) }
    const answers = await fetchCommitted(asks, options, parts)
    // An aborted fetch may have errors that do not come from the store.
    if (asked.signal.aborted) return
    const pages: Page[] = []
    for (const [index, { partition, position }] of followed.entries()) {
      const answer = must(answers[index], 'each partition that was fetched')
      if (answer.kind === 'data') {
        // A tail is long work from its first record on: a hundred of them may begin at once.
        if (answer.chunks.length > 0) await turns.next('long')
        const page = { partition, from: position, until: Number.POSITIVE_INFINITY, ...bounds, matches, aborted: answer.aborted }
        pages.push(await decodePage(answer.chunks, page, { unpacker, turns, signal: asked.signal }))
        continue
      }
      // Records were deleted before a slow consumer took them: the tail goes on at the first one that is left.
      const left = answer.error === 'OFFSET_OUT_OF_RANGE' ? answer.watermarks?.logStartOffset : undefined
      if (left === undefined || left <= position) return yield { kind: 'ended', why: places.rejection(topic, partition, answer) }
      pages.push({ records: [], sizes: [], unreadable: [], next: left })
    }
    const { records, next } = mergePages(pages, bounds)
    const moved = next.some((offset, index) => offset !== followed[index]?.position)
    for (const [index, place] of followed.entries()) place.position = must(next[index], 'the next offset of each page')
    if (moved)
      yield {
        kind: 'records',
        records,
        unreadable: pages.flatMap((page) => page.unreadable),
        positions: followed.map(({ position }) => position),
      }
  }
}
