// The query of a topic: it scans all partitions within limits of bytes and time, and answers how far it got.
import { must } from '../core/assert.ts'
import type { TopicId } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import { type AnswerClaim, NoAnswerMemory } from '../read/answer-memory.ts'
import { type CommittedParts, fetchCommitted } from '../read/committed-records.ts'
import type { Clock } from '../time/clock.ts'
import type { LogRecord } from './log-record.ts'
import { decodePage, mergePages, type Page, type PageParts, type RecordFilter, recordMatcher, type Unreadable } from './record-pages.ts'
import { type RecordPlaces, type RecordRejection, range, rejected } from './record-places.ts'

export interface QueryRecords {
  readonly topic: string
  readonly filter: RecordFilter
  readonly limit: number
  /** The cursor of an earlier answer; the other fields must be those of that query. */
  readonly cursor?: QueryCursor
  /** As ReadRecords has it. */
  readonly memory?: AnswerClaim
  readonly signal: AbortSignal
}

/** A query scans partitions in groups. The cursor has the position of each partition of the current group, and the end that it had when the scan reached the group. */
export interface QueryCursor {
  readonly topicId: TopicId
  readonly firstPartition: number
  readonly positions: readonly number[]
  readonly ends: readonly number[]
}

export interface Scanned {
  readonly partition: number
  /** The scan has read every record from offset `from` to `to`, exclusive. */
  readonly from: number
  readonly to: number
  /** The end of the partition when the scan reached it. */
  readonly end: number
}

export type QueryAnswer =
  | {
      readonly kind: 'scanned'
      readonly records: readonly LogRecord[]
      readonly unreadable: readonly Unreadable[]
      readonly scanned: readonly Scanned[]
      /** Undefined when the scan is complete. */
      readonly cursor: QueryCursor | undefined
    }
  | RecordRejection

export interface QueryParts extends PageParts, CommittedParts {
  readonly places: RecordPlaces
  readonly clock: Clock
}

export async function queryRecords(asked: QueryRecords, parts: QueryParts): Promise<QueryAnswer> {
  const { places, clock } = parts
  const found = await places.find(asked.topic)
  if (found.kind !== 'found') return found
  const { topic } = found
  const { topicId } = topic
  if (asked.cursor !== undefined && asked.cursor.topicId !== topicId) {
    return rejected(
      'UNKNOWN_TOPIC_ID',
      `The cursor belongs to an earlier topic '${topic.name}', which was deleted: query again without a cursor.`,
    )
  }

  const deadline = clock.monotonic() + fixedLimits.queryMs
  const budget: QueryBudget = {
    records: Math.min(asked.limit, fixedLimits.recordsPerAnswer),
    bytes: fixedLimits.recordBytesPerAnswer,
    scanBytes: fixedLimits.queryScanBytes,
  }
  const mayGoOn = (): boolean =>
    budget.records > 0 && budget.bytes > 0 && budget.scanBytes > 0 && clock.monotonic() < deadline && !asked.signal.aborted
  const records: LogRecord[] = []
  let bytes = 0
  const unreadable: Unreadable[] = []
  const scanned: Scanned[] = []
  let cursor = asked.cursor
  for (let first = cursor?.firstPartition ?? 0; first < topic.partitions; first += fixedLimits.queryPartitions, cursor = undefined) {
    const group = await openGroup(topic, first, { ...asked, cursor }, places)
    if ('kind' in group) return group
    while (mayGoOn()) {
      const open = group.filter(({ position, end }) => position < end)
      if (open.length === 0) break
      const round = await scanRound(topic, open, { filter: asked.filter, budget, signal: asked.signal, memory: asked.memory }, parts)
      if (round.kind !== 'round') {
        // An aborted round is not an error: no position has moved, so the cursor scans it again. Records before damaged bytes are answered, and the next cursor leads to the damage.
        if (asked.signal.aborted || (round.kind === 'damaged' && hasMoved(group, scanned))) break
        return round
      }
      records.push(...round.records)
      bytes += round.bytes
      if (asked.memory?.settle(bytes) === false) throw new NoAnswerMemory()
      unreadable.push(...round.unreadable)
    }
    for (const { partition, from, position, end } of group) scanned.push({ partition, from, to: position, end })
    const unfinished = group.some(({ position, end }) => position < end)
    const isLast = first + fixedLimits.queryPartitions >= topic.partitions
    if (unfinished || (!isLast && !mayGoOn())) {
      const positions = group.map(({ position }) => position)
      const ends = group.map(({ end }) => end)
      return { kind: 'scanned', records, unreadable, scanned, cursor: { topicId, firstPartition: first, positions, ends } }
    }
  }
  return { kind: 'scanned', records, unreadable, scanned, cursor: undefined }
}

function hasMoved(group: readonly PartitionScan[], scanned: readonly Scanned[]): boolean {
  return group.some(({ from, position }) => position > from) || scanned.some(({ from, to }) => to > from)
}

interface QueryBudget {
  records: number
  bytes: number
  scanBytes: number
}

/** One partition of the group that is being scanned. */
interface PartitionScan {
  readonly partition: number
  readonly from: number
  readonly end: number
  position: number
}

async function openGroup(
  topic: Topic,
  first: number,
  asked: Omit<QueryRecords, 'cursor'> & { readonly cursor: QueryCursor | undefined },
  places: RecordPlaces,
): Promise<readonly PartitionScan[] | RecordRejection> {
  const partitions = range(first, Math.min(first + fixedLimits.queryPartitions, topic.partitions))
  const { cursor } = asked
  if (cursor !== undefined) {
    // A partition that was added after the scan began ends at 0 for this query.
    return partitions.map((partition, index) => {
      const position = cursor.positions[index] ?? 0
      return { partition, from: position, position, end: cursor.ends[index] ?? 0 }
    })
  }
  const ends = await places.starts(topic, partitions, 'latest', asked.signal)
  if (ends.kind !== 'offsets') return ends
  const { since } = asked.filter
  const starts = await places.starts(topic, partitions, since === undefined ? 'earliest' : { since }, asked.signal)
  if (starts.kind !== 'offsets') return starts
  return partitions.map((partition, index) => {
    const position = must(starts.offsets[index], 'the start of each partition')
    return { partition, from: position, position, end: must(ends.offsets[index], 'the end of each partition') }
  })
}

interface Round {
  readonly kind: 'round'
  readonly bytes: number
  readonly records: readonly LogRecord[]
  readonly unreadable: readonly Unreadable[]
}

/** Fetches the unfinished partitions once, moves their positions, and subtracts what it used from the budget. */
async function scanRound(
  topic: Topic,
  open: readonly PartitionScan[],
  scan: {
    readonly filter: RecordFilter
    readonly budget: QueryBudget
    readonly signal: AbortSignal
    readonly memory: AnswerClaim | undefined
  },
  { places, unpacker, turns, ...parts }: QueryParts,
): Promise<Round | RecordRejection> {
  const { budget, signal, memory } = scan
  const measure = memory === undefined ? 'plain' : 'json'
  const maxBytes = fixedLimits.scanRoundBytes
  const asks = open.map(({ partition, position }) => ({
    topicId: topic.topicId,
    partition,
    offset: position,
    maxBytes: Math.ceil(maxBytes / open.length),
  }))
  const answers = await fetchCommitted(asks, { maxWaitMs: 0, minBytes: 0, maxBytes, signal, ...(memory && { claim: memory }) }, parts)
  const matches = recordMatcher(scan.filter)
  const pages: Page[] = []
  for (const [index, { partition, position, end }] of open.entries()) {
    const answer = must(answers[index], 'each partition that was fetched')
    if (answer.kind === 'data') {
      budget.scanBytes -= answer.sizeBytes
      if (answer.chunks.length > 0) await turns.next()
      // The end in a cursor comes from the client, so it may be wrong.
      const until = Math.min(end, answer.lastStableOffset)
      const page = await decodePage(
        answer.chunks,
        { partition, from: position, until, maxRecords: budget.records, maxBytes: budget.bytes, measure, matches, aborted: answer.aborted },
        { unpacker, turns, signal },
      )
      pages.push(page.next >= until ? { ...page, next: end } : page)
      continue
    }
    // Records were deleted during the scan: it goes on at the first one that is left.
    const left = answer.error === 'OFFSET_OUT_OF_RANGE' ? answer.watermarks?.logStartOffset : undefined
    if (left === undefined || left <= position) return places.rejection(topic, partition, answer)
    pages.push({ records: [], sizes: [], unreadable: [], next: Math.min(left, end) })
  }
  const merged = mergePages(pages, { maxRecords: budget.records, maxBytes: budget.bytes })
  const moved = merged.next.some((offset, index) => offset !== open[index]?.position)
  if (!moved && memory?.rejected === true) throw new NoAnswerMemory()
  if (!moved && !signal.aborted) throw new RangeError(`a fetch before the end of topic ${topic.topicId} returned no records`)
  for (const [index, place] of open.entries()) place.position = must(merged.next[index], 'the next offset of each page')
  budget.records -= merged.records.length
  budget.bytes -= merged.bytes
  return { kind: 'round', bytes: merged.bytes, records: merged.records, unreadable: pages.flatMap((page) => page.unreadable) }
}
