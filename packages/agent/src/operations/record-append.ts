// Appends records to partitions of one topic, in one flush: builds their batches, admits them together, and answers after the commit.
import { buildBatch, type Codecs, type RecordHeader } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Checksum } from '../core/checksum.ts'
import type { TopicId } from '../core/ids.ts'
import { type AppendRules, validateBatch } from '../core/log/validate.ts'
import { limits } from '../limits.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { StoreWatch } from '../observe/store-watch.ts'
import type { Settings } from '../settings.ts'
import type { Clock } from '../time/clock.ts'
import type { Owners } from '../view/owners.ts'
import type { Tails } from '../view/tails.ts'
import type { Admission, ProduceAnswer, Writer } from '../write/writer.ts'
import { appendRules } from './append-rules.ts'
import { noPartition, type RecordPlaces, type Refusal, refused } from './record-places.ts'

export interface RecordToAppend {
  readonly partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
  /** Milliseconds since the epoch; undefined for the time of this agent's clock. */
  readonly timestamp?: number
}

export interface AppendRecords {
  readonly topic: string
  /** The records of each partition are appended in this order. */
  readonly records: readonly RecordToAppend[]
  /** For a single record, which is stored only once under its key. */
  readonly idempotency?: { readonly key: string; readonly hashOf: (topicId: TopicId) => string }
  readonly signal: AbortSignal
}

export type Appended =
  | {
      readonly kind: 'appended'
      readonly partition: number
      readonly offset: number
      readonly timestamp: number
      /** True when an earlier request stored the record. */
      readonly replayed: boolean
    }
  /** An earlier request used the idempotency key for another record. */
  | { readonly kind: 'key reused' }
  | Refusal

export interface AppendParts {
  readonly places: RecordPlaces
  readonly writer: Pick<Writer, 'room' | 'admit'>
  readonly stores: Pick<StoreWatch, 'trouble' | 'onFailure'>
  readonly tails: Pick<Tails, 'loaded' | 'stamp'>
  readonly owners: Pick<Owners, 'ofPartition'>
  readonly settings: Settings
  readonly clock: Clock
  /** Times the wait for the stores. */
  readonly ioClock: Clock
  readonly crc32c: Checksum
  readonly codecs: Codecs
}

/**
 * One answer per record. A rejection before the admission applies to all records; after it, a partition may be rejected alone.
 * REQUEST_TIMED_OUT means that the outcome is unknown. Never creates a topic.
 */
export async function appendRecords(asked: AppendRecords, parts: AppendParts): Promise<readonly Appended[]> {
  const { tails, writer, stores, owners, settings, clock, ioClock, crc32c } = parts
  const all = (refusal: Refusal): readonly Appended[] => asked.records.map(() => refusal)
  const partitions = [...new Set(asked.records.map(({ partition }) => partition))]
  let topic: Topic | undefined
  for (const partition of partitions) {
    const found = await parts.places.find(asked.topic, partition)
    if (found.kind !== 'found') return all(found)
    topic = found.topic
  }
  if (topic === undefined) return []
  const { topicId } = topic
  const nowMs = clock.now()
  const rules = appendRules(topic, { settings, nowMs, produceVersion })
  const runs = runsOf(asked.records, rules)
  const batches = runs.map((run) => batchOf(run, { nowMs, crc32c }))
  for (const batch of batches) {
    const valid = validateBatch(batch, rules, parts)
    if (valid.kind === 'error') return all(valid)
  }
  const loaded = await tails.loaded(partitions.map((partition) => ({ topicId, partition })))
  for (const [at, partition] of partitions.entries())
    if (loaded[at] === undefined) return all(refused('UNKNOWN_TOPIC_OR_PARTITION', noPartition(topic, partition)))
  const bytes = batches.reduce((sum, batch) => sum + batch.length, 0)
  if (!(await writer.room(bytes, asked.signal)))
    return all(refused('NOT_ENOUGH_REPLICAS', 'The agent has no room for more records until others are stored: send the request again.'))

  // Nothing may be awaited between here and the admission.
  const admissions: Admission[] = []
  for (const [at, { partition }] of runs.entries()) {
    const { mine, leader, epoch } = owners.ofPartition(topicId, partition)
    const batch = must(batches[at], 'the batch of each run')
    if (!mine) return all({ kind: 'elsewhere', partition, leader })
    const stamp = rules.timestampType === 'LogAppendTime' ? tails.stamp(topicId, partition, nowMs) : undefined
    const { idempotency } = asked
    admissions.push({
      topicId,
      partition,
      epoch,
      batch,
      ...(stamp !== undefined && { stamp }),
      ...(idempotency !== undefined && {
        idempotency: { key: idempotency.key, bodyHash: idempotency.hashOf(topicId), timestamp: stamp ?? nowMs },
      }),
    })
  }
  const answers = await inTime(writer.admit(admissions).answers, { clock: ioClock, stores })
  return placed(asked.records, runs, (run, at) => {
    if (answers === undefined)
      return refused('REQUEST_TIMED_OUT', `${unknownOutcome}${stores.trouble === undefined ? '' : `: ${stores.trouble}`}.`)
    return appended(must(answers[run], 'each batch that was admitted'), {
      at,
      run: must(runs[run], 'each run'),
      nowMs,
      leaderOf: (partition) => owners.ofPartition(topicId, partition).leader,
    })
  })
}

/** The version that the newest clients use. */
const produceVersion = 13
/** Upper bounds: the size of a batch without records, and of a record without its key, value and headers. */
const batchOverheadBytes = 61
const recordOverheadBytes = 32

/** Records that become one batch. */
interface Run {
  readonly partition: number
  readonly records: RecordToAppend[]
  /** Their positions in the list of all records. */
  readonly indexes: number[]
  bytes: number
}

/** As few batches as `maxBytes` allows. */
function runsOf(records: readonly RecordToAppend[], { maxBytes }: AppendRules): readonly Run[] {
  const runs: Run[] = []
  const open = new Map<number, Run>()
  for (const [index, record] of records.entries()) {
    const bytes = sizeAtMost(record)
    let run = open.get(record.partition)
    if (run === undefined || run.bytes + bytes > maxBytes) {
      run = { partition: record.partition, records: [], indexes: [], bytes: batchOverheadBytes }
      open.set(record.partition, run)
      runs.push(run)
    }
    run.records.push(record)
    run.indexes.push(index)
    run.bytes += bytes
  }
  return runs
}

function sizeAtMost({ key, value, headers }: RecordToAppend): number {
  let bytes = recordOverheadBytes + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) bytes += 10 + 3 * header.key.length + (header.value?.length ?? 0)
  return bytes
}

function batchOf({ records }: Run, { nowMs, crc32c }: { readonly nowMs: number; readonly crc32c: Checksum }): Uint8Array {
  return buildBatch(
    {
      baseTimestamp: records[0]?.timestamp ?? nowMs,
      records: records.map(({ key, value, headers, timestamp = nowMs }, offsetDelta) => ({ offsetDelta, timestamp, key, value, headers })),
    },
    crc32c,
  )
}

/** The answers in the order of the records, across batches. */
function placed(
  records: readonly RecordToAppend[],
  runs: readonly Run[],
  answer: (run: number, at: number) => Appended,
): readonly Appended[] {
  const answers = new Map<number, Appended>()
  for (const [run, { indexes }] of runs.entries()) for (const [at, index] of indexes.entries()) answers.set(index, answer(run, at))
  return records.map((_, index) => must(answers.get(index), 'each record'))
}

const unknownOutcome = 'The outcome is not known yet, and the record may still be stored'

/** Undefined when there is no definite answer in time, or none until the disk is repaired. The records may still be stored. */
async function inTime(
  answers: Promise<readonly ProduceAnswer[]>,
  { clock, stores }: { readonly clock: Clock; readonly stores: Pick<StoreWatch, 'onFailure'> },
): Promise<readonly ProduceAnswer[] | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = clock.after(limits.produceOneMs, () => late.resolve(undefined))
  // A definite answer arrives in this turn, before the time-out.
  const quiet = stores.onFailure(() => clock.soon(() => late.resolve(undefined)))
  const first = await Promise.race([answers, late.promise])
  quiet()
  timer.cancel()
  return first
}

function appended(
  answer: ProduceAnswer,
  of: {
    readonly run: Run
    readonly at: number
    readonly nowMs: number
    readonly leaderOf: (partition: number) => number | undefined
  },
): Appended {
  const { partition } = of.run
  if (answer.kind === 'refused') {
    if (answer.error === 'IDEMPOTENCY_KEY_REUSED') return { kind: 'key reused' }
    if (answer.error === 'NOT_LEADER_OR_FOLLOWER') return { kind: 'elsewhere', partition, leader: of.leaderOf(partition) }
    return refused(answer.error, answer.message ?? undefined)
  }
  const { replayed } = answer
  const offset = answer.baseOffset + of.at
  if (replayed !== undefined)
    return { kind: 'appended', partition: replayed.partition, offset, timestamp: replayed.timestamp, replayed: true }
  const own = must(of.run.records[of.at], 'the record of each answer').timestamp ?? of.nowMs
  return { kind: 'appended', partition, offset, timestamp: answer.timestamp === -1 ? own : answer.timestamp, replayed: false }
}
