// The live tail of a partition or a topic: waits for records and hands them over only as fast as they are taken.
import type { Codecs } from '@local-kafka-service/protocol'
import { limits } from '../limits.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { AnswerClaim } from '../read/answer-memory.ts'
import type { Reader } from '../read/reader.ts'
import type { Turns } from '../time/turns.ts'
import { decodePage, type LogRecord, mergePages, type Page, type RecordFilter, recordMatcher, type Unreadable } from './record-pages.ts'
import { type From, type RecordPlaces, type Refusal, refused } from './record-places.ts'
import type { TopicOperations } from './topics.ts'

export interface TailRecords {
  readonly topic: string
  /** Without it, all partitions, also those that are added later. */
  readonly partition?: number
  readonly from: From
  readonly filter: RecordFilter
  /** As ReadRecords has it; it is given back when the next step is asked for. */
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
  | { readonly kind: 'ended'; readonly why: Refusal }

export type Tail =
  /** The steps end after one of kind `ended`, or when the signal aborts. A consumer that takes none holds no more than one step. They may reject with a MetadataError. */
  { readonly kind: 'tail'; readonly topic: Topic; readonly positions: readonly number[]; readonly steps: AsyncIterable<TailStep> } | Refusal

export interface TailParts {
  readonly places: RecordPlaces
  readonly topics: Pick<TopicOperations, 'findById'>
  readonly reader: Pick<Reader, 'fetch'>
  readonly codecs: Codecs
  readonly turns: Pick<Turns, 'next'>
}

/** Settles when the positions are known: from then on nothing is missed. */
export async function tailRecords(asked: TailRecords, parts: TailParts): Promise<Tail> {
  const found = await parts.places.find(asked.topic, asked.partition)
  if (found.kind !== 'found') return found
  const { topic, partitions } = found
  if (partitions.length > limits.tailPartitions) {
    return refused(
      'INVALID_REQUEST',
      `Topic '${topic.name}' has ${topic.partitions} partitions; a tail follows at most ${limits.tailPartitions}. Follow one partition.`,
    )
  }
  const starts = await parts.places.starts(topic, partitions, asked.from, asked.signal)
  if (starts.kind !== 'offsets') return starts
  const followed = partitions.map((partition, index) => ({ partition, position: starts.offsets[index] ?? 0 }))
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
  { places, topics, reader, codecs, turns }: TailParts,
): AsyncGenerator<TailStep> {
  const matches = recordMatcher(asked.filter)
  const { memory } = asked
  const maxBytes = memory === undefined ? limits.scanRoundBytes : limits.tailRoundBytes
  const bounds = { maxRecords: limits.recordsPerAnswer, maxBytes, measure: memory === undefined ? 'plain' : 'json' } as const
  while (!asked.signal.aborted) {
    const [now] = await topics.findById([topic.topicId])
    if (now?.kind !== 'ok') return yield { kind: 'ended', why: now ?? refused('UNKNOWN_TOPIC_ID') }
    if (asked.partition === undefined) {
      const most = Math.min(now.value.partitions, limits.tailPartitions)
      while (followed.length < most) followed.push({ partition: followed.length, position: 0 })
    }
    memory?.release()
    const asks = followed.map(({ partition, position }) => ({ topicId: topic.topicId, partition, offset: position, maxBytes }))
    const answers = await reader.fetch(asks, {
      maxWaitMs: limits.tailWaitMs,
      minBytes: 1,
      maxBytes,
      readCommitted: true,
      signal: asked.signal,
      ...(memory && { claim: memory }),
    })
    // What was cut off in the middle is no trouble of the store.
    if (asked.signal.aborted) return
    const pages: Page[] = []
    for (const [index, { partition, position }] of followed.entries()) {
      const answer = answers[index]
      if (answer?.kind === 'data') {
        if (answer.chunks.length > 0) await turns.next()
        pages.push(decodePage(answer.chunks, { partition, from: position, until: Number.POSITIVE_INFINITY, ...bounds, matches }, codecs))
        continue
      }
      // Records were deleted under a slow follower: it goes on with the first that is left.
      const left = answer?.error === 'OFFSET_OUT_OF_RANGE' ? answer.watermarks?.logStartOffset : undefined
      if (left === undefined || left <= position) return yield { kind: 'ended', why: places.refusal(topic, partition, answer) }
      pages.push({ records: [], unreadable: [], next: left })
    }
    const { records, next } = mergePages(pages, bounds)
    const moved = next.some((offset, index) => offset !== followed[index]?.position)
    for (const [index, place] of followed.entries()) place.position = next[index] ?? place.position
    if (moved)
      yield {
        kind: 'records',
        records,
        unreadable: pages.flatMap((page) => page.unreadable),
        positions: followed.map(({ position }) => position),
      }
  }
}
