// The checker: the log as the database and the bucket really have it, and the invariants at every commit, at every response and at the end.
// Longer than others because it is one thing: every rule reads the same few maps (appended records, their producers, the responses to clients).
import { isDeepStrictEqual } from 'node:util'
import { errorText, fixedLimits } from '@local-kafka-service/agent'
import {
  type CommitInput,
  type CommitResult,
  type DeletedRecords,
  type DeleteRecordsInput,
  type Incarnation,
  type ObjectStore,
  objectKey,
  partitionKey,
  type Registration,
  type Retain,
  type RetainedLog,
  type Segment,
  type TakenSlots,
  type TakeSlots,
  type TopicId,
  type TransactionalAnswer,
  type TransactionalRequest,
  type UndeleteTopicResult,
} from '@local-kafka-service/agent/simulation'
import type { Executed } from './faulty-sql.ts'
import type { Invariant } from './invariant.ts'
import { decodeBatches, isTombstone, keyOf, markerValue, partsOf, type ReadBatch, type ReadRecord, type Value } from './records.ts'
import { TransactionChecker } from './transaction-checker.ts'

export interface Violation {
  readonly rule: Invariant
  readonly message: string
  readonly atMs: number
}

export interface CheckerParts {
  readonly nowMs: () => number
  /** The real content of the bucket. */
  readonly stored: ObjectStore
  readonly clusterId: string
}

interface ExpectedLog {
  readonly values: Value[]
  readonly timestampsMs: number[]
  /** Of its records: markers have the time of the database. */
  lastStampMs: number
  /** The start of the log in the database. */
  start: number
  /** The largest start that a client received after it deleted records. */
  reportedStart: number
  readonly appendedAtMs: number[]
  /** The last offset of each key. */
  readonly lastOffsets: Map<string, number>
}

/** What log compaction may do in the topic. */
export interface CompactionOfTopic {
  readonly deleteRetentionMs: number
}

/** For a record of a producer that does not retry: the connection that carried it, and the request's position on it. */
interface RequestPosition {
  readonly connection: string
  readonly request: number
}

interface ConnectionOrder {
  /** The first request that was rejected because its flush was given up. */
  abandonedFrom: number
  /** The last request with an appended record. */
  appendedUpTo: number
}

/** Replies of the database arrive so much later, while no life is frozen. */
const deliveryMs = 500
/** The first read of a chain may have been answered late, to a life that was frozen: then the time-out counts from that answer. */
const firstReadMs = 1_500

export class Checker {
  readonly violations: Violation[] = []
  readonly transactions = new TransactionChecker((rule, message) => this.violate(rule, message))
  /** The retention.ms of the topic; undefined: it keeps its records. */
  retentionMs: number | undefined
  /** The topic has LogAppendTime. */
  stamped: boolean | undefined
  /** Undefined: the topic is not compacted. */
  compaction: CompactionOfTopic | undefined
  readonly #parts: CheckerParts
  readonly #logs = new Map<string, ExpectedLog>()
  readonly #results = new Map<string, CommitResult>()
  readonly #lastSequence = new Map<number, number>()
  readonly #incarnationOf = new Map<string, number>()
  readonly #registered = new Set<number>()
  readonly #fenced = new Set<number>()
  /** When each incarnation has beaten. */
  readonly #beats = new Map<number, number[]>()
  readonly #writers = new Map<string, { readonly epoch: number; readonly incarnation: number }>()
  readonly #appended = new Map<Value, number>()
  readonly #lastNumber = new Map<string, number>()
  readonly #rejected = new Set<Value>()
  readonly #acked = new Map<Value, { readonly log: string; readonly offset: number }>()
  readonly #sent = new Map<Value, RequestPosition>()
  readonly #lines = new Map<string, ConnectionOrder>()
  /** Were ever deleted. */
  readonly #deleted = new Set<string>()
  /** Are deleted now. */
  readonly #away = new Set<string>()
  #commits = 0

  constructor(parts: CheckerParts) {
    this.#parts = parts
  }

  get commits(): number {
    return this.#commits
  }

  get acknowledged(): number {
    return this.#acked.size
  }

  /** Records of all logs. */
  get appended(): number {
    return this.#appended.size
  }

  nextOffset(topicId: TopicId, partition: number): number {
    return this.#log(partitionKey(topicId, partition)).values.length
  }

  /** The topic was deleted: from now on the server may report it as absent, and a client may receive that even after the topic was brought back. */
  isDeleted(topicId: TopicId): boolean {
    return this.#deleted.has(topicId)
  }

  /** The topic is deleted now, and was not brought back. */
  isAway(topicId: TopicId): boolean {
    return this.#away.has(topicId)
  }

  /** The first record with at least that timestamp that is not removed; undefined while there is none. */
  offsetSince(topicId: TopicId, partition: number, timestampMs: number): number | undefined {
    const { timestampsMs, start } = this.#log(partitionKey(topicId, partition))
    const at = timestampsMs.findIndex((stamp, offset) => offset >= start && stamp >= timestampMs)
    return at < 0 ? undefined : at
  }

  /** The start of the log in the database. */
  startOffset(topicId: TopicId, partition: number): number {
    return this.#log(partitionKey(topicId, partition)).start
  }

  /** The start that a client has received: from then on no client gets what is before it. */
  reportedStart(topicId: TopicId, partition: number): number {
    return this.#log(partitionKey(topicId, partition)).reportedStart
  }

  violate(rule: Invariant, message: string): void {
    this.violations.push({ rule, message, atMs: this.#parts.nowMs() })
  }

  // ---- transactions of the database ---------------------------------------------------------------------------------------------

  async executed({ transaction, input, outcome, sentAtMs }: Executed): Promise<void> {
    if (outcome.kind !== 'committed') return
    // The casts are at the border of the database: the transaction's name determines the types of its input and its result.
    const given = (input as { readonly input: unknown }).input
    if (transaction === 'commit')
      await this.#committed(given as CommitInput, outcome.value as { readonly kind: string; readonly result?: CommitResult })
    if (transaction === 'decideTransactional') this.#decides(given as TransactionalRequest, outcome.value as TransactionalAnswer)
    if (transaction === 'register') this.#registers(given as { readonly agent: string }, outcome.value as Registration)
    if (transaction === 'deleteTopic' && outcome.value === 'deleted') this.#deletesTopic(given as { readonly topicId: TopicId })
    if (transaction === 'undeleteTopic' && (outcome.value as UndeleteTopicResult).kind === 'undeleted')
      this.#away.delete((given as { readonly topicId: TopicId }).topicId)
    if (transaction === 'deleteRecords') this.#deletes(given as DeleteRecordsInput, outcome.value as readonly DeletedRecords[])
    if (transaction === 'retentionStep') this.#retains(given as Retain, outcome.value as readonly RetainedLog[])
    if (transaction === 'leave') this.#fenced.add((given as Incarnation).id)
    if (transaction === 'beat') this.#beatsOf((given as { readonly incarnation: Incarnation }).incarnation.id).push(this.#parts.nowMs())
    if (transaction === 'takeSlots') this.#takes((given as TakeSlots).incarnation.id, outcome.value as TakenSlots, sentAtMs)
  }

  isFenced(incarnation: number): boolean {
    return this.#fenced.has(incarnation)
  }

  #beatsOf(incarnation: number): number[] {
    const beats = this.#beats.get(incarnation) ?? []
    this.#beats.set(incarnation, beats)
    return beats
  }

  #takes(taker: number, result: TakenSlots, decidedAtMs: number): void {
    if (result.kind !== 'taken') return
    for (const { incarnation, agent } of result.fenced) {
      this.#fenced.add(incarnation)
      // The taker has read leases all the time until it decided: each heartbeat reads them.
      const reads = this.#beatsOf(taker).filter((at) => at <= decidedAtMs)
      let first = reads.length - 1
      while (first > 0 && (reads[first] ?? 0) - (reads[first - 1] ?? 0) <= fixedLimits.leaseReadGapMs + deliveryMs) first -= 1
      const watchedMs = (reads.at(-1) ?? 0) - (reads[first] ?? 0)
      if (watchedMs < fixedLimits.leaseMs - firstReadMs)
        this.violate(
          'a database outage fences no agent',
          `${agent} (incarnation ${incarnation}) was fenced after reads over ${watchedMs} ms`,
        )
      const silentMs = this.#parts.nowMs() - (this.#beatsOf(incarnation).at(-1) ?? Number.NEGATIVE_INFINITY)
      if (silentMs < fixedLimits.leaseMs)
        this.violate(
          'a lease that beats is not taken',
          `${agent} (incarnation ${incarnation}) was fenced ${silentMs} ms after its last beat`,
        )
    }
  }

  /** Who has written to a partition under which epoch. */
  #writes(key: string, epoch: number, incarnation: number, flush: string): void {
    const last = this.#writers.get(key)
    this.#writers.set(key, { epoch, incarnation })
    if (last === undefined || epoch > last.epoch || (epoch === last.epoch && incarnation === last.incarnation)) return
    const rule = 'an epoch has one writer, and never goes back'
    this.violate(
      rule,
      `flush ${flush} of ${incarnation} writes to ${key} under epoch ${epoch}, after ${last.incarnation} under epoch ${last.epoch}`,
    )
  }

  #deletesTopic({ topicId }: { readonly topicId: TopicId }): void {
    this.#deleted.add(topicId)
    this.#away.add(topicId)
  }

  #deletes({ asks }: DeleteRecordsInput, results: readonly DeletedRecords[]): void {
    for (const [index, { topicId, partition, beforeOffset }] of asks.entries()) {
      const result = results[index]
      if (result?.kind !== 'deleted') continue
      const key = partitionKey(topicId, partition)
      const due = Math.max(this.#log(key).start, beforeOffset)
      if (result.logStartOffset > due)
        this.violate(
          'a record is removed only when it is old or deleted',
          `${key} begins at ${result.logStartOffset} after a deletion before ${beforeOffset}, where ${due} is due`,
        )
      this.#begins(key, result.logStartOffset)
    }
  }

  #retains({ nowMs }: Retain, results: readonly RetainedLog[]): void {
    for (const { topicId, partition, logStartOffset } of results) {
      const key = partitionKey(topicId, partition)
      const { start, timestampsMs, values } = this.#log(key)
      for (let offset = start; offset < logStartOffset; offset += 1) {
        const ageMs = nowMs - (timestampsMs[offset] ?? nowMs)
        if (this.retentionMs === undefined || ageMs <= this.retentionMs)
          this.violate(
            'a record is removed only when it is old or deleted',
            `${values[offset]} at offset ${offset} of ${key} was removed at the age of ${ageMs} ms`,
          )
      }
      this.#begins(key, logStartOffset)
    }
  }

  #begins(key: string, logStartOffset: number): void {
    const log = this.#log(key)
    if (logStartOffset < log.start) this.violate('I3 watermarks never go back', `${key} begins at ${logStartOffset}, after ${log.start}`)
    if (logStartOffset > log.values.length)
      this.violate('I3 watermarks never go back', `${key} begins at ${logStartOffset}, and ends at ${log.values.length}`)
    log.start = Math.max(log.start, logStartOffset)
  }

  #registers({ agent }: { readonly agent: string }, { incarnation }: Registration): void {
    if (this.#registered.has(incarnation.id)) return
    this.#registered.add(incarnation.id)
    const former = this.#incarnationOf.get(agent)
    if (former !== undefined) this.#fenced.add(former)
    this.#incarnationOf.set(agent, incarnation.id)
  }

  async #committed(input: CommitInput, answer: { readonly kind: string; readonly result?: CommitResult }): Promise<void> {
    const { result } = answer
    if (answer.kind !== 'committed' || result === undefined) return
    const { incarnation, sequence } = input
    const flush = `${incarnation.id}-${incarnation.nonce}/${sequence}`
    const known = this.#results.get(flush)
    if (known !== undefined) {
      if (!isDeepStrictEqual(known, result)) this.violate('I5 a replayed flush is answered identically', `flush ${flush}`)
      return
    }
    this.#results.set(flush, result)
    this.#commits += 1
    if (this.#fenced.has(incarnation.id)) this.violate('I9 nothing of a fenced incarnation is committed', `flush ${flush}`)
    const last = this.#lastSequence.get(incarnation.id) ?? 0
    if (sequence <= last) this.violate('I6 sequences of an incarnation only grow', `flush ${flush} after ${last}`)
    this.#lastSequence.set(incarnation.id, Math.max(last, sequence))
    if (input.object === null) {
      if (input.batches.length > 0) this.violate('I4 visible implies durable', `flush ${flush} has batches and no object`)
      return
    }
    await this.#appendsOf(input, result, flush)
  }

  async #appendsOf(input: CommitInput, result: CommitResult, flush: string): Promise<void> {
    const key = objectKey(this.#parts.clusterId, input.incarnation, input.sequence)
    const object = await this.#parts.stored.read(key).catch(() => undefined)
    if (object === undefined) {
      this.violate('I4 visible implies durable', `flush ${flush} was committed, and there is no object ${key}`)
      return
    }
    if (object.length !== input.object?.sizeBytes)
      this.violate(
        'I10 a segment points to an existing object',
        `${key} has ${object.length} bytes, the commit says ${input.object?.sizeBytes}`,
      )
    for (const [index, batch] of input.batches.entries()) {
      const verdict = result.verdicts[index]
      if (verdict === undefined) this.violate('no defect', `flush ${flush} has no verdict for batch ${index}`)
      if (verdict === undefined || verdict.kind === 'rejected') continue
      if (this.#away.has(batch.topicId))
        this.violate(
          'I29 a deleted topic accepts and returns nothing',
          `flush ${flush} has a batch of ${batch.topicId} with the verdict '${verdict.kind}'`,
        )
      const key = partitionKey(batch.topicId, batch.partition)
      if (verdict.kind === 'appended') this.#writes(key, batch.epoch, input.incarnation.id, flush)
      const bytes = object.subarray(batch.byteStart, batch.byteStart + batch.sizeBytes)
      const records = decodeBatches(bytes).flatMap((decoded) => decoded.records)
      if (verdict.kind === 'appended') {
        this.#append(key, verdict.baseOffset, records, flush)
        this.transactions.appended(key, batch, { baseOffset: verdict.baseOffset, values: records.map(({ value }) => value) })
      } else {
        const values = records.map(({ value }) => value)
        this.#repeated(key, verdict.baseOffset, values, flush)
      }
    }
    this.#grows(result.grown, `flush ${flush}`)
  }

  #grows(grown: CommitResult['grown'], by: string): void {
    for (const { topicId, partition, highWatermark, lastStableOffset } of grown) {
      const key = partitionKey(topicId, partition)
      const next = this.nextOffset(topicId, partition)
      if (highWatermark !== next) this.violate('I3 watermarks never go back', `${by}: ${key} ends at ${next}, not at ${highWatermark}`)
      this.transactions.stable(key, { lastStableOffset, end: next, by })
    }
  }

  /** A request about a transactional id: what it ended gets markers, all in this transaction. */
  #decides(request: TransactionalRequest, answer: TransactionalAnswer): void {
    if (answer.kind !== 'decided') return
    const by = `'${request.request.kind}' of ${request.transactionalId}`
    const grown = answer.grown === 'unknown' ? [] : answer.grown
    const marked = grown.flatMap(({ topicId, partition, segments }) =>
      segments.map((segment) => ({ key: partitionKey(topicId, partition), segment })),
    )
    for (const { key, segment } of marked) this.#marks(key, segment, by)
    this.transactions.decided(
      answer.row,
      marked.flatMap(({ key, segment: { baseOffset, marker } }) => (marker === undefined ? [] : [{ key, offset: baseOffset, ...marker }])),
      by,
    )
    this.#grows(grown, by)
  }

  #marks(key: string, { baseOffset, marker, maxTimestamp }: Segment, by: string): void {
    const log = this.#log(key)
    if (marker === undefined || baseOffset !== log.values.length)
      return this.violate(
        'I2 an offset always has the same content',
        `${by} writes offset ${baseOffset} of ${key}, which ends at ${log.values.length}`,
      )
    log.values.push(markerValue(marker.outcome, marker.producerId, marker.producerEpoch))
    log.timestampsMs.push(maxTimestamp)
    log.appendedAtMs.push(this.#parts.nowMs())
  }

  #append(key: string, baseOffset: number, records: readonly ReadRecord[], flush: string): void {
    const log = this.#log(key)
    if (baseOffset !== log.values.length)
      this.violate(
        'I2 an offset always has the same content',
        `flush ${flush} gives ${records[0]?.value} offset ${baseOffset} of ${key}, which ends at ${log.values.length}`,
      )
    for (const { value, timestampMs } of records) {
      const place = `${value} at offset ${log.values.length} of ${key} (flush ${flush})`
      if (this.#appended.has(value)) this.violate('I8 an idempotent record is stored once and in order', `${place} is there a second time`)
      const { producer, number } = partsOf(value)
      const line = `${producer} in ${key}`
      if (number < (this.#lastNumber.get(line) ?? -1))
        this.violate('I8 an idempotent record is stored once and in order', `${place} comes after ${this.#lastNumber.get(line)}`)
      this.#lastNumber.set(line, Math.max(number, this.#lastNumber.get(line) ?? -1))
      if (this.#rejected.has(value)) this.violate('a rejected record is never stored', place)
      if (this.stamped === true && timestampMs < log.lastStampMs)
        this.violate('I3 watermarks never go back', `${place} is stamped ${timestampMs}, after ${log.lastStampMs}`)
      log.lastStampMs = Math.max(timestampMs, log.lastStampMs)
      this.#appended.set(value, log.values.length)
      log.values.push(value)
      log.timestampsMs.push(timestampMs)
      log.appendedAtMs.push(this.#parts.nowMs())
      log.lastOffsets.set(keyOf(value), log.values.length - 1)
      this.#inLine(value)
    }
  }

  #repeated(key: string, baseOffset: number, values: readonly Value[], flush: string): void {
    const there = this.#log(key).values.slice(baseOffset, baseOffset + values.length)
    if (!isDeepStrictEqual(there, [...values]))
      this.violate(
        'I8 an idempotent record is stored once and in order',
        `flush ${flush} calls ${values.join()} a duplicate of ${there.join()} at ${baseOffset} of ${key}`,
      )
  }

  // ---- responses to producers ---------------------------------------------------------------------------------------------------

  /** For producers that do not retry: the connection and the request that carried the record. */
  sent(values: readonly Value[], by: RequestPosition): void {
    for (const value of values) this.#sent.set(value, by)
  }

  acked(values: readonly Value[], topicId: TopicId, partition: number, baseOffset: number): void {
    const key = partitionKey(topicId, partition)
    for (const [index, value] of values.entries()) {
      const offset = baseOffset + index
      this.#acked.set(value, { log: key, offset })
      this.#isThere(value, key, offset)
    }
  }

  /** A definite rejection of a record that is not sent again. */
  rejected(values: readonly Value[], error: string): void {
    for (const value of values) {
      if (this.#appended.has(value))
        this.violate('a rejected record is never stored', `${value} was rejected with ${error}, and it is in the log`)
      this.#rejected.add(value)
      const sent = this.#sent.get(value)
      if (error !== 'NOT_ENOUGH_REPLICAS' || sent === undefined) continue
      const line = this.#line(sent.connection)
      line.abandonedFrom = Math.min(line.abandonedFrom, sent.request)
      this.#lineHolds(sent.connection)
    }
  }

  #inLine(value: Value): void {
    const sent = this.#sent.get(value)
    if (sent === undefined) return
    const line = this.#line(sent.connection)
    line.appendedUpTo = Math.max(line.appendedUpTo, sent.request)
    this.#lineHolds(sent.connection)
  }

  #lineHolds(connection: string): void {
    const { abandonedFrom, appendedUpTo } = this.#line(connection)
    if (appendedUpTo > abandonedFrom)
      this.violate(
        'I7 a connection is appended in its order',
        `request ${abandonedFrom} of ${connection} was given up, and the later request ${appendedUpTo} was appended`,
      )
  }

  /** A client received the answer that the log begins at this offset. */
  deleted(topicId: TopicId, partition: number, lowWatermark: number): void {
    const key = partitionKey(topicId, partition)
    const log = this.#log(key)
    if (lowWatermark > log.start)
      this.violate(
        'I4 visible implies durable',
        `a client received the answer that ${key} begins at ${lowWatermark}, and it begins at ${log.start}`,
      )
    log.reportedStart = Math.max(log.reportedStart, lowWatermark)
  }

  // ---- responses to consumers ---------------------------------------------------------------------------------------------------

  /** One partition of a Fetch response, at the moment it arrived. Returns the offset to continue from. */
  fetched(
    reader: string,
    ask: { readonly topicId: TopicId; readonly partition: number; readonly offset: number; readonly reportedStart?: number },
    answer: Fetched,
  ): number {
    const key = partitionKey(ask.topicId, ask.partition)
    const { values } = this.#log(key)
    if (answer.highWatermark > values.length)
      this.violate(
        'I4 visible implies durable',
        `${reader} saw high watermark ${answer.highWatermark} of ${key}, which ends at ${values.length}`,
      )
    if (answer.highWatermark < answer.formerHighWatermark)
      this.violate('I3 watermarks never go back', `${reader} saw ${answer.highWatermark} of ${key} after ${answer.formerHighWatermark}`)
    let next = ask.offset
    const batches = this.#decoded(reader, key, answer.records)
    for (const { offset, value } of batches.flatMap(({ records }) => records)) {
      if (offset < ask.offset) continue
      if (ask.reportedStart !== undefined && offset < ask.reportedStart)
        this.violate(
          'a deleted record is returned to no client',
          `${reader} got offset ${offset} of ${key}, and a client had received the answer that it begins at ${ask.reportedStart}`,
        )
      if (offset < next)
        this.violate('I2 an offset always has the same content', `${reader} got offset ${offset} of ${key} where ${next} was due`)
      this.#passes(reader, key, { from: next, until: offset })
      if (offset >= answer.highWatermark)
        this.violate(
          'I4 visible implies durable',
          `${reader} got offset ${offset} of ${key} above the high watermark ${answer.highWatermark}`,
        )
      const truth = values[offset]
      if (truth === undefined)
        this.violate('I4 visible implies durable', `${reader} got ${value} at ${offset} of ${key}, which was not committed`)
      else if (truth !== value)
        this.violate('I2 an offset always has the same content', `${reader} got ${value} at ${offset} of ${key}, where ${truth} is`)
      next = offset + 1
    }
    // The last offsets of a batch may have no records.
    const end = Math.max(next, (batches.at(-1)?.lastOffset ?? -1) + 1)
    this.#passes(reader, key, { from: next, until: end })
    return end
  }

  /** The first record from an offset up to another that is so new and that log compaction cannot have removed. */
  firstLeftSince(
    { topicId, partition }: { readonly topicId: TopicId; readonly partition: number },
    { sinceMs, from, until }: { readonly sinceMs: number; readonly from: number; readonly until: number },
  ): number | undefined {
    const key = partitionKey(topicId, partition)
    const { timestampsMs } = this.#log(key)
    for (let offset = from; offset < until; offset += 1)
      if ((timestampsMs[offset] ?? sinceMs) >= sinceMs && !this.#mayBeGone(key, offset)) return offset
    return undefined
  }

  /** Whether a reader may find no record at the offset, because log compaction has removed it. */
  #mayBeGone(key: string, offset: number): boolean {
    const { values, appendedAtMs, lastOffsets } = this.#log(key)
    const value = values[offset]
    if (this.compaction === undefined || value === undefined) return false
    if ((lastOffsets.get(keyOf(value)) ?? -1) > offset) return true
    // A tombstone stays for so long after a pass has first seen it.
    const ageMs = this.#parts.nowMs() - (appendedAtMs[offset] ?? Number.POSITIVE_INFINITY)
    return isTombstone(value) && ageMs >= this.compaction.deleteRetentionMs
  }

  #passes(reader: string, key: string, { from, until }: { readonly from: number; readonly until: number }): void {
    // What was removed while the response was on its way may be missing from it.
    for (let offset = Math.max(from, this.#log(key).start); offset < until; offset += 1)
      if (!this.#mayBeGone(key, offset))
        this.violate(
          this.compaction === undefined
            ? 'I2 an offset always has the same content'
            : 'I14 log compaction keeps the last record of each key',
          `${reader} found nothing at offset ${offset} of ${key}, where ${this.#log(key).values[offset] ?? 'nothing'} is`,
        )
  }

  #decoded(reader: string, key: string, records: Uint8Array | null): readonly ReadBatch[] {
    if (records === null) return []
    try {
      return decodeBatches(records)
    } catch (error) {
      this.violate('I16 corrupt data is an error', `${reader} got broken bytes of ${key}: ${errorText(error)}`)
      return []
    }
  }

  // ---- the end ------------------------------------------------------------------------------------------------------------------

  /** Every acknowledged record is still there. */
  atTheEnd(): void {
    for (const [value, { log, offset }] of this.#acked) this.#isThere(value, log, offset)
    this.transactions.atTheEnd()
  }

  /** Checks the segments of one partition, as the database lists them: they have no gap or overlap, and each object exists. */
  async segments(topicId: TopicId, partition: number, found: readonly Segment[]): Promise<void> {
    const key = partitionKey(topicId, partition)
    const { start } = this.#log(key)
    // The segment with the start may begin before it, and earlier ones may wait to be removed.
    let next = found[0] === undefined ? start : Math.min(found[0].baseOffset, start)
    for (const segment of found) {
      if (segment.baseOffset !== next)
        this.violate(
          'I2 an offset always has the same content',
          `a segment of ${key} begins at ${segment.baseOffset}, where ${next} was due`,
        )
      next = segment.lastOffset + 1
      if (segment.marker !== undefined) {
        const { outcome, producerId, producerEpoch } = segment.marker
        if (this.#log(key).values[segment.baseOffset] !== markerValue(outcome, producerId, producerEpoch))
          this.violate('I2 an offset always has the same content', `${key} has another marker at ${segment.baseOffset} than it had`)
        continue
      }
      const range = { start: segment.byteStart, length: segment.sizeBytes }
      const bytes = await this.#parts.stored.read(segment.objectKey, range).catch(() => undefined)
      if (bytes === undefined) {
        this.violate('I10 a segment points to an existing object', `${segment.objectKey} of ${key} does not exist`)
        continue
      }
      const records = placed(decodeBatches(bytes), segment.baseOffset)
      for (const [offset, value] of records)
        if (this.#log(key).values[offset] !== value)
          this.violate(
            'I2 an offset always has the same content',
            `the segment at ${segment.baseOffset} of ${key} holds ${value} at ${offset}, and should ${this.#log(key).values[offset]}`,
          )
      for (let offset = segment.baseOffset; offset <= segment.lastOffset; offset += 1)
        if (!records.has(offset)) this.#passes('the audit', key, { from: offset, until: offset + 1 })
    }
    if (next !== this.#log(key).values.length)
      this.violate(
        'I10 a segment points to an existing object',
        `the segments of ${key} end at ${next}, the log at ${this.#log(key).values.length}`,
      )
  }

  #isThere(value: Value, key: string, offset: number): void {
    const truth = this.#log(key).values[offset]
    if (truth !== value)
      this.violate(
        'I1 an acknowledged record is where it was acknowledged',
        `${value} was acknowledged at offset ${offset} of ${key}, where ${truth ?? 'nothing'} is`,
      )
  }

  #log(key: string): ExpectedLog {
    const known = this.#logs.get(key)
    if (known !== undefined) return known
    const made: ExpectedLog = {
      values: [],
      timestampsMs: [],
      lastStampMs: 0,
      start: 0,
      reportedStart: 0,
      appendedAtMs: [],
      lastOffsets: new Map(),
    }
    this.#logs.set(key, made)
    return made
  }

  #line(connection: string): ConnectionOrder {
    const known = this.#lines.get(connection)
    if (known !== undefined) return known
    const made: ConnectionOrder = { abandonedFrom: Number.POSITIVE_INFINITY, appendedUpTo: -1 }
    this.#lines.set(connection, made)
    return made
  }
}

/** The records of stored batches, whose base offsets have no meaning, by their offsets. */
function placed(batches: readonly ReadBatch[], baseOffset: number): ReadonlyMap<number, Value> {
  const found = new Map<number, Value>()
  let base = baseOffset
  for (const batch of batches) {
    for (const { offset, value } of batch.records) found.set(base + offset - batch.baseOffset, value)
    base += batch.lastOffset - batch.baseOffset + 1
  }
  return found
}

export interface Fetched {
  readonly highWatermark: number
  /** The high watermark that the same connection received before. */
  readonly formerHighWatermark: number
  readonly records: Uint8Array | null
}
