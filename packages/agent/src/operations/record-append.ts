// Appends records to partitions of one topic, in one flush: builds their batches, hands them to write/append.ts, and answers after the commit.
import { batchLayout, buildBatch, type RecordHeader } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Checksum } from '../core/checksum.ts'
import type { TopicId } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { StoreWatch } from '../observe/store-watch.ts'
import type { Clock } from '../time/clock.ts'
import { orLate } from '../time/or-late.ts'
import type { Owners } from '../view/owners.ts'
import { type AppendParts, type AppendRejection, append, type DefiniteAnswer, inTime } from '../write/append.ts'
import { largestBatchBytes } from '../write/append-rules.ts'
import { elsewhere, type RecordPlaces, type RecordRejection, rejected } from './record-places.ts'

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
  /** The connection of the client that waits for the answer, if it can be recognised: see write/closed-loops.ts. */
  readonly producer?: object
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
  | RecordRejection

export interface RecordAppendParts extends AppendParts {
  readonly places: RecordPlaces
  readonly owners: Pick<Owners, 'ofPartition' | 'slotOf' | 'moving'>
  readonly stores: Pick<StoreWatch, 'failure' | 'onFailure'>
  /** Times the wait for the stores. */
  readonly ioClock: Clock
}

/**
 * One answer per record. A rejection before the admission applies to all records; after it, a partition may be rejected alone.
 * REQUEST_TIMED_OUT means that the outcome is unknown. Never creates a topic.
 */
export async function appendRecords(asked: AppendRecords, parts: RecordAppendParts): Promise<readonly Appended[]> {
  const { idempotency, signal, producer } = asked
  const { stores, owners, settings, clock, ioClock, crc32c } = parts
  let found: Topic | undefined
  for (const partition of new Set(asked.records.map((record) => record.partition))) {
    const place = await parts.places.find(asked.topic, partition)
    if (place.kind !== 'found') return asked.records.map(() => place)
    found = place.topic
  }
  if (found === undefined) return []
  const topic = found
  for (const { partition } of asked.records) {
    // The partition changes hands: its new owner is known after that.
    const moving = owners.moving({ topicId: topic.topicId, partition })
    if (moving !== undefined) await orLate(moving, { clock: ioClock, afterMs: fixedLimits.holdMs }, undefined)
  }
  const nowMs = clock.now()
  const runs = runsOf(asked.records, largestBatchBytes(topic, settings))
  const batches = runs.map((run) => ({
    topic,
    partition: run.partition,
    batch: batchOf(run, { nowMs, crc32c }),
    ...(idempotency && { idempotency: { key: idempotency.key, bodyHash: idempotency.hashOf(topic.topicId), timestamp: nowMs } }),
  }))
  const appending = await append({ batches, scope: 'all', nowMs, produceVersion, signal, producer }, parts)
  const answers = await inTime(appending, { waitMs: fixedLimits.produceOneMs, ioClock, stores })
  return placed(asked.records, runs, (at, run, record) => {
    const answer = must(answers[at], 'the answer of each batch')
    switch (answer.kind) {
      case 'appended':
        return appended(answer, { run, record, nowMs })
      case 'rejected':
        return notAppended(answer, topic, owners, run)
      case 'unknown':
        return rejected('REQUEST_TIMED_OUT', `${unknownOutcome}${stores.failure === undefined ? '' : `: ${stores.failure}`}.`)
    }
  })
}

/** The version that the newest clients use. */
const produceVersion = 13
/** An upper bound: the size of a record without its key, value and headers. */
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
function runsOf(records: readonly RecordToAppend[], maxBytes: number): readonly Run[] {
  const runs: Run[] = []
  const open = new Map<number, Run>()
  for (const [index, record] of records.entries()) {
    const bytes = sizeAtMost(record)
    let run = open.get(record.partition)
    if (run === undefined || run.bytes + bytes > maxBytes) {
      run = { partition: record.partition, records: [], indexes: [], bytes: batchLayout.records }
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
  answer: (at: number, run: Run, record: number) => Appended,
): readonly Appended[] {
  const answers = new Map<number, Appended>()
  for (const [at, run] of runs.entries()) for (const [record, index] of run.indexes.entries()) answers.set(index, answer(at, run, record))
  return records.map((_, index) => must(answers.get(index), 'each record'))
}

const unknownOutcome = 'The outcome is not known yet, and the record may still be stored'

function appended(
  { baseOffset, timestamp, replayed }: Extract<DefiniteAnswer, { kind: 'appended' }>,
  of: { readonly run: Run; readonly record: number; readonly nowMs: number },
): Appended {
  const offset = baseOffset + of.record
  if (replayed !== undefined)
    return { kind: 'appended', partition: replayed.partition, offset, timestamp: replayed.timestamp, replayed: true }
  const own = must(of.run.records[of.record], 'the record of each answer').timestamp ?? of.nowMs
  return { kind: 'appended', partition: of.run.partition, offset, timestamp: timestamp === -1 ? own : timestamp, replayed: false }
}

function notAppended(
  { error, message, partition: named }: AppendRejection,
  topic: Topic,
  owners: RecordAppendParts['owners'],
  run: Run,
): Appended {
  const partition = named ?? run.partition
  if (error === 'IDEMPOTENCY_KEY_REUSED') return { kind: 'key reused' }
  if (error === 'NOT_LEADER_OR_FOLLOWER') return elsewhere(owners, { topicId: topic.topicId, partition })
  if (error === 'UNKNOWN_TOPIC_OR_PARTITION') return rejected(error, message ?? `Topic '${topic.name}' was deleted.`)
  return rejected(error, message ?? undefined)
}
