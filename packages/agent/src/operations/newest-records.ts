// The newest records of a topic over all its partitions, the newest first: it walks each partition back from its end, within limits of bytes and time.
import { must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import { type AnswerClaim, NoAnswerMemory } from '../read/answer-memory.ts'
import { type CommittedParts, fetchCommitted } from '../read/committed-records.ts'
import type { Clock } from '../time/clock.ts'
import type { LogRecord } from './log-record.ts'
import { decodePage, type PageParts, type RecordFilter, recordMatcher, type Unreadable } from './record-pages.ts'
import { type Positions, type RecordPlaces, type RecordRejection, rejected } from './record-places.ts'
import type { Scanned } from './record-query.ts'

export interface NewestRecords {
  readonly topic: string
  readonly filter: RecordFilter
  readonly limit: number
  /** Where an earlier answer ended: every record before these offsets is still to be walked. The other fields must be those of that request. */
  readonly before?: Positions
  /** As ReadRecords has it. */
  readonly memory?: AnswerClaim
  readonly signal: AbortSignal
}

export type NewestAnswer =
  | {
      readonly kind: 'walked'
      /** The newer timestamp first between partitions, the higher offset first within one. */
      readonly records: readonly LogRecord[]
      readonly unreadable: readonly Unreadable[]
      readonly scanned: readonly Scanned[]
      /** Undefined when the walk has reached the start of every partition. */
      readonly before: Positions | undefined
    }
  | RecordRejection

export interface NewestParts extends PageParts, CommittedParts {
  readonly places: RecordPlaces
  readonly clock: Clock
}

/** The walk through one partition. Offsets from `before` on are walked; of those, `waiting` has the records that are not answered yet. */
interface Walk {
  readonly partition: number
  readonly start: number
  readonly end: number
  before: number
  /** In the order of the answer. */
  waiting: { readonly record: LogRecord; readonly bytes: number }[]
  /** The offsets of the next step back. */
  width: number
}

interface WalkBudget {
  records: number
  /** For keys, values and headers. */
  bytes: number
  scanBytes: number
}

/** If not every partition could be walked within the limits, the records of the others are answered; a later request walks the rest. */
export async function newestRecords(asked: NewestRecords, parts: NewestParts): Promise<NewestAnswer> {
  const found = await parts.places.find(asked.topic)
  if (found.kind !== 'found') return found
  const { topic } = found
  const { memory, signal } = asked
  if (asked.before !== undefined && asked.before.topicId !== topic.topicId)
    return rejected(
      'UNKNOWN_TOPIC_ID',
      `The cursor belongs to an earlier topic '${topic.name}', which was deleted: query again without a cursor.`,
    )
  if (topic.partitions > fixedLimits.tailPartitions)
    return rejected(
      'INVALID_REQUEST',
      `Topic '${topic.name}' has ${topic.partitions} partitions, and the newest records are found among at most ${fixedLimits.tailPartitions}: read one partition.`,
    )
  const walks = await openWalks(topic, asked, parts.places)
  if ('kind' in walks) return walks
  const budget: WalkBudget = {
    records: Math.min(asked.limit, fixedLimits.recordsPerAnswer),
    bytes: fixedLimits.recordBytesPerAnswer,
    scanBytes: fixedLimits.queryScanBytes,
  }
  const deadline = parts.clock.monotonic() + fixedLimits.queryMs
  const records: LogRecord[] = []
  const unreadable: Unreadable[] = []
  let answeredBytes = 0
  let isFull = false
  const mayRead = (): boolean => !isFull && budget.scanBytes > 0 && parts.clock.monotonic() < deadline && !signal.aborted
  const heldBytes = (): number => walks.reduce((sum, { waiting }) => waiting.reduce((all, { bytes }) => all + bytes, sum), answeredBytes)
  while (budget.records > 0 && budget.bytes > 0) {
    for (const walk of walks) {
      if (walk.waiting.length > 0 || walk.before <= walk.start || !mayRead()) continue
      const step = await stepBack(topic, walk, { asked, budget, heldBytes: heldBytes() }, parts)
      if (step.kind === 'full') isFull = true
      else if (step.kind === 'step') unreadable.push(...step.unreadable)
      else if (signal.aborted || (step.kind === 'damaged' && (records.length > 0 || walks.some(({ waiting }) => waiting.length > 0))))
        isFull = true
      else return step
    }
    // Within the limits a record is answered only when no partition can have a newer one.
    const isUnknown = walks.some(({ waiting, before, start }) => waiting.length === 0 && before > start)
    if (isUnknown && mayRead()) continue
    if (isUnknown && records.length > 0) break
    const newest = newestOf(walks)
    if (newest === undefined) break
    const { record, bytes } = must(newest.waiting[0], 'the newest record')
    if (records.length > 0 && bytes > budget.bytes) break
    newest.waiting.shift()
    records.push(record)
    answeredBytes += bytes
    budget.records -= 1
    budget.bytes -= bytes
  }
  if (isFull && records.length === 0 && memory?.rejected === true) throw new NoAnswerMemory()
  if (memory?.settle(answeredBytes) === false) throw new NoAnswerMemory()
  const offsets = walks.map(({ waiting, before }) => (waiting[0] === undefined ? before : waiting[0].record.offset + 1))
  const isComplete = walks.every(({ start }, index) => must(offsets[index], 'the place of each walk') <= start)
  return {
    kind: 'walked',
    records,
    unreadable,
    scanned: walks.map(({ partition, end }, index) => ({ partition, from: must(offsets[index], 'the place of each walk'), to: end, end })),
    before: isComplete ? undefined : { topicId: topic.topicId, positions: offsets },
  }
}

async function openWalks(topic: Topic, asked: NewestRecords, places: RecordPlaces): Promise<Walk[] | RecordRejection> {
  const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition)
  const ends = await places.starts(topic, partitions, 'latest', asked.signal)
  if (ends.kind !== 'offsets') return ends
  const { since } = asked.filter
  const starts = await places.starts(topic, partitions, since === undefined ? 'earliest' : { since }, asked.signal)
  if (starts.kind !== 'offsets') return starts
  return partitions.map((partition, index) => {
    const last = must(ends.offsets[index], 'the end of each partition')
    const start = must(starts.offsets[index], 'the start of each partition')
    // Positions come from a client. A partition that was added since the first answer has none.
    const given = asked.before === undefined ? last : (asked.before.positions[index] ?? start)
    const end = Math.max(start, Math.min(last, given))
    return { partition, start, end, before: end, waiting: [], width: firstWidth }
  })
}

/** Records are small as a rule, but nothing is known yet. */
const firstWidth = 16

interface Walking {
  readonly asked: NewestRecords
  readonly budget: WalkBudget
  /** What the answer and the waiting records hold of its memory. */
  readonly heldBytes: number
}

/** `full`: there is no memory for more, and the walk is where it was. */
type StepBack = { readonly kind: 'step'; readonly unreadable: readonly Unreadable[] } | { readonly kind: 'full' } | RecordRejection

/** Reads the offsets before `walk.before`, and moves it. A log is read forwards only, so what is too much for one step is given up from its oldest side. */
async function stepBack(topic: Topic, walk: Walk, { asked, budget, heldBytes }: Walking, parts: NewestParts): Promise<StepBack> {
  const { signal, memory } = asked
  const { partition, before } = walk
  const matches = recordMatcher(asked.filter)
  let from = Math.max(walk.start, before - walk.width)
  let kept: Walk['waiting'] = []
  let keptBytes = 0
  let readBytes = 0
  const unreadable: Unreadable[] = []
  for (let position = from; position < before; ) {
    const [answer] = await fetchCommitted(
      [{ topicId: topic.topicId, partition, offset: position, maxBytes: fixedLimits.scanRoundBytes }],
      { maxWaitMs: 0, minBytes: 0, maxBytes: fixedLimits.scanRoundBytes, signal, ...(memory && { claim: memory }) },
      parts,
    )
    const fetched = must(answer, 'the one partition that was fetched')
    if (fetched.kind === 'error') {
      // Records were deleted meanwhile: the walk ends where the log begins now.
      const left = fetched.error === 'OFFSET_OUT_OF_RANGE' ? fetched.watermarks?.logStartOffset : undefined
      if (left === undefined || left <= position) return parts.places.rejection(topic, partition, fetched)
      position = Math.min(left, before)
      continue
    }
    if (signal.aborted) return { kind: 'step', unreadable: [] }
    if (fetched.chunks.length > 0) await parts.turns.next()
    const page = await decodePage(
      fetched.chunks,
      {
        partition,
        from: position,
        until: before,
        maxRecords: fixedLimits.recordsPerAnswer,
        maxBytes: fixedLimits.scanRoundBytes,
        measure: memory === undefined ? 'plain' : 'json',
        matches,
        aborted: fetched.aborted,
      },
      { unpacker: parts.unpacker, turns: parts.turns, signal },
    )
    if (page.next <= position) {
      if (memory?.rejected === true) return { kind: 'full' }
      throw new RangeError(`a fetch before the end of topic ${topic.topicId} returned no records`)
    }
    readBytes += fetched.sizeBytes
    budget.scanBytes -= fetched.sizeBytes
    position = page.next
    unreadable.push(...page.unreadable)
    for (const [index, record] of page.records.entries()) {
      const bytes = must(page.sizes[index], 'the size of each record')
      kept.push({ record, bytes })
      keptBytes += bytes
    }
    // The oldest records have no place in this answer: a later request reads them again.
    const surplus = surplusOf(kept, { records: budget.records, bytes: keptBytes - fixedLimits.scanRoundBytes })
    if (surplus.count > 0) {
      from = must(kept[surplus.count], 'the oldest record that is kept').record.offset
      kept = kept.slice(surplus.count)
      keptBytes -= surplus.bytes
    }
    // The bytes of the log that this fetch reserved are decoded.
    if (memory?.settle(heldBytes + keptBytes) === false) return { kind: 'full' }
    // Large records: skip to the newer half of what is left.
    if (readBytes > stepBytes && position < before - 1) {
      position = Math.floor((position + before) / 2)
      from = position
      kept = []
      keptBytes = 0
      readBytes = 0
    }
  }
  walk.before = from
  walk.waiting = kept.reverse()
  walk.width = Math.max(
    1,
    Math.min(readBytes > stepBytes / 4 ? Math.ceil((before - from) / 2) : walk.width * 4, fixedLimits.recordsPerAnswer),
  )
  return { kind: 'step', unreadable }
}

/** The bytes of the log that one step may read before it takes a shorter way. */
const stepBytes = 4 * fixedLimits.scanRoundBytes

/** How many of the oldest records are too many, by their number or by their bytes; the newest one is never. */
function surplusOf(
  kept: Walk['waiting'],
  over: { readonly records: number; readonly bytes: number },
): { readonly count: number; readonly bytes: number } {
  let count = 0
  let bytes = 0
  while (count < kept.length - 1 && (kept.length - count > over.records || bytes < over.bytes)) {
    bytes += must(kept[count], 'a record that is kept').bytes
    count += 1
  }
  return { count, bytes }
}

function newestOf(walks: readonly Walk[]): Walk | undefined {
  let newest: Walk | undefined
  for (const walk of walks) {
    const record = walk.waiting[0]?.record
    if (record === undefined) continue
    const best = newest?.waiting[0]?.record
    if (best === undefined || record.timestamp > best.timestamp) newest = walk
  }
  return newest
}
