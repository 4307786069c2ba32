// The transactions as the database really has them: which records and offsets are open, committed or aborted, and what a reader of committed records must see.
import { isDeepStrictEqual } from 'node:util'
import type { CommitBatch, Marker, TransactionRow } from '@local-kafka-service/agent/simulation'
import type { Invariant } from './invariant.ts'
import type { ReadBatch, ReadRecord, Value } from './records.ts'

/** What a copier does in one transaction: it copies the committed records from one offset of a partition up to another, and commits that offset. */
export interface Copying {
  readonly name: string
  readonly transactionalId: string
  /** `partitionKey` of the source. */
  readonly source: string
  readonly from: number
  readonly until: number
  readonly values: readonly Value[]
  /** The copier has sent an EndTxn that commits. */
  asksCommit: boolean
  /** In the database. */
  outcome: 'open' | 'commit' | 'abort'
}

export interface AbortedProducer {
  readonly producerId: number
  readonly firstOffset: number
}

interface OpenTransaction {
  readonly firstOffset: number
  readonly offsets: number[]
}

interface LogOfTransactions {
  /** By producer id. */
  readonly open: Map<number, OpenTransaction>
  /** In the order of their markers. */
  readonly aborted: (AbortedProducer & { readonly markerOffset: number })[]
  /** Of each record of a transaction, by offset. */
  readonly outcomes: Map<number, Copying['outcome']>
  readonly copyings: Map<number, Copying>
  lastStableOffset: number
}

export interface PlacedMarker extends Marker {
  readonly key: string
  readonly offset: number
}

export class TransactionChecker {
  readonly #violate: (rule: Invariant, message: string) => void
  readonly #logs = new Map<string, LogOfTransactions>()
  /** The present epoch of each transactional producer id. */
  readonly #epochs = new Map<number, number>()
  readonly #copyings = new Map<Value, Copying>()
  /** By source: the offset up to which committed transactions have copied it. */
  readonly #copied = new Map<string, number>()
  #committed = 0

  constructor(violate: (rule: Invariant, message: string) => void) {
    this.#violate = violate
  }

  /** How many transactions were committed. */
  get committed(): number {
    return this.#committed
  }

  /** The epoch with which the producer may write now. */
  epochOf(producerId: number): number | undefined {
    return this.#epochs.get(producerId)
  }

  /** The offset of the source that the group has: every transaction that copied records before it is committed. */
  copiedUpTo(source: string): number {
    return this.#copied.get(source) ?? 0
  }

  /** Undefined: the log had no transaction, so all of it is stable. */
  stableOffset(key: string): number | undefined {
    return this.#logs.get(key)?.lastStableOffset
  }

  // ---- transactions of the database ---------------------------------------------------------------------------------------------

  appended(
    key: string,
    { producerId, producerEpoch, transaction }: CommitBatch,
    { baseOffset, values }: { readonly baseOffset: number; readonly values: readonly Value[] },
  ): void {
    if (transaction === undefined) return
    const log = this.#log(key, baseOffset)
    const epoch = this.#epochs.get(producerId)
    if (epoch !== producerEpoch)
      this.#violate(
        'I22 a fenced producer appends nothing',
        `offset ${baseOffset} of ${key} is of producer ${producerId} in epoch ${producerEpoch}, and ${transaction.transactionalId} has epoch ${epoch}`,
      )
    const open = log.open.get(producerId) ?? { firstOffset: baseOffset, offsets: [] }
    log.open.set(producerId, open)
    for (const [index, value] of values.entries()) {
      const offset = baseOffset + index
      open.offsets.push(offset)
      log.outcomes.set(offset, 'open')
      const copying = this.#copyings.get(value)
      if (copying !== undefined) log.copyings.set(offset, copying)
    }
  }

  /** A request was decided, and wrote these markers. Undefined: the transactional id has no row. */
  decided(row: TransactionRow | undefined, markers: readonly PlacedMarker[], by: string): void {
    const ended = markers.flatMap((marker) => this.#mark(marker, by))
    if (row !== undefined) this.#hasRow(row, by)
    for (const producerId of new Set(markers.map((marker) => marker.producerId))) this.#nothingOpen(producerId, by)
    const [first] = markers
    if (first === undefined) return
    if (first.outcome === 'commit') this.#committed += 1
    for (const copying of new Set(ended)) this.#ends(copying, first.outcome, { count: ended.filter((one) => one === copying).length, by })
  }

  /** A partition has grown, after `appended` or `decided`. */
  stable(
    key: string,
    { lastStableOffset, end, by }: { readonly lastStableOffset: number; readonly end: number; readonly by: string },
  ): void {
    const log = this.#logs.get(key)
    const due = Math.min(end, ...Array.from(log?.open.values() ?? [], ({ firstOffset }) => firstOffset))
    if (lastStableOffset > due)
      this.#violate(
        'I21 read_committed returns committed records only',
        `${by}: the last stable offset of ${key} is ${lastStableOffset}, and a transaction is open from ${due} on`,
      )
    if (lastStableOffset < due)
      this.#violate(
        'I21 read_committed returns committed records only',
        `${by}: ${key} is stable up to ${lastStableOffset}, where ${due} is due`,
      )
    if (log === undefined) return
    if (lastStableOffset < log.lastStableOffset)
      this.#violate('I3 watermarks never go back', `${by}: ${key} is stable up to ${lastStableOffset}, after ${log.lastStableOffset}`)
    log.lastStableOffset = Math.max(log.lastStableOffset, lastStableOffset)
  }

  #hasRow({ producerId, producerEpoch, state }: TransactionRow, by: string): void {
    const before = this.#epochs.get(producerId) ?? -1
    if (producerEpoch < before)
      this.#violate('I22 a fenced producer appends nothing', `${by}: producer ${producerId} has epoch ${producerEpoch}, after ${before}`)
    this.#epochs.set(producerId, Math.max(before, producerEpoch))
    if (state !== 'Ongoing') this.#nothingOpen(producerId, by)
  }

  /** A transaction ends in all of its partitions at once. */
  #nothingOpen(producerId: number, by: string): void {
    for (const [key, { open }] of this.#logs) {
      const left = open.get(producerId)
      if (left === undefined) continue
      open.delete(producerId)
      this.#violate(
        'I20 a transaction is visible once and completely, or not at all',
        `after ${by} the transaction of producer ${producerId} is still open from offset ${left.firstOffset} of ${key} on`,
      )
    }
  }

  /** The transactions of the records that the marker ends, once for each record. */
  #mark({ key, offset, producerId, producerEpoch, outcome }: PlacedMarker, by: string): readonly Copying[] {
    const log = this.#log(key, offset)
    const before = this.#epochs.get(producerId) ?? -1
    if (producerEpoch < before)
      this.#violate(
        'I22 a fenced producer appends nothing',
        `${by} writes a marker of producer ${producerId} in epoch ${producerEpoch}, after ${before}`,
      )
    const open = log.open.get(producerId)
    log.open.delete(producerId)
    if (open === undefined) return []
    if (outcome === 'abort') log.aborted.push({ producerId, firstOffset: open.firstOffset, markerOffset: offset })
    return open.offsets.flatMap((at) => {
      log.outcomes.set(at, outcome)
      return log.copyings.get(at) ?? []
    })
  }

  #ends(copying: Copying, outcome: 'commit' | 'abort', { count, by }: { readonly count: number; readonly by: string }): void {
    const rule = 'I20 a transaction is visible once and completely, or not at all'
    const { name, source, from, until, values, asksCommit } = copying
    if (copying.outcome !== 'open') this.#violate(rule, `${by} ends ${name} with ${outcome}, and it had ended with ${copying.outcome}`)
    copying.outcome = outcome
    if (outcome === 'abort') return
    if (!asksCommit) this.#violate(rule, `${by} commits ${name}, and its producer did not ask for that`)
    if (count !== values.length) this.#violate(rule, `${by} commits ${count} of the ${values.length} records of ${name}`)
    const copied = this.copiedUpTo(source)
    if (copied !== from) this.#violate(rule, `${by} commits copies from offset ${from} of ${source} on, and it was copied up to ${copied}`)
    this.#copied.set(source, until)
  }

  // ---- clients ------------------------------------------------------------------------------------------------------------------

  /** Call it before any of the records is sent. */
  begins(copying: Copying): void {
    for (const value of copying.values) this.#copyings.set(value, copying)
  }

  /** A client received the answer that the transaction has ended so. One without records in the log has no markers. */
  acknowledged(copying: Copying, outcome: 'commit' | 'abort'): void {
    if (copying.outcome === outcome || (outcome === 'abort' && copying.outcome === 'open' && !this.#isInLog(copying))) return
    this.#violate(
      'I20 a transaction is visible once and completely, or not at all',
      `${copying.name} was acknowledged with ${outcome}, and is ${copying.outcome}`,
    )
  }

  #isInLog(copying: Copying): boolean {
    return [...this.#logs.values()].some(({ copyings }) => [...copyings.values()].includes(copying))
  }

  /** A client received the offset of the group. `before`: what it was when the client asked. */
  offsetFetched(reader: string, source: string, { offset, before }: { readonly offset: number; readonly before: number }): void {
    const now = this.copiedUpTo(source)
    // The group has no offset as long as nothing was committed.
    const found = Math.max(offset, 0)
    if (found < before || found > now)
      this.#violate(
        'I23 a group gets the offsets of a transaction when it is committed',
        `${reader} received offset ${offset} of ${source}; it was copied up to ${before} when it asked, and is up to ${now}`,
      )
  }

  /** The records of a read_committed answer as a consumer passes them on, checked together with the list of aborted transactions. */
  committedIn(
    reader: string,
    { key, from }: { readonly key: string; readonly from: number },
    { batches, aborted }: { readonly batches: readonly ReadBatch[]; readonly aborted: readonly AbortedProducer[] },
  ): readonly ReadRecord[] {
    const rule = 'I21 read_committed returns committed records only'
    const log = this.#logs.get(key)
    const end = (batches.at(-1)?.lastOffset ?? from - 1) + 1
    const due = (log?.aborted ?? [])
      .filter(({ markerOffset, firstOffset }) => batches.length > 0 && markerOffset >= from && firstOffset < end)
      .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
    if (!isDeepStrictEqual(due, aborted))
      this.#violate(rule, `${reader} read ${from} to ${end} of ${key} and got the aborted ${text(aborted)}, where ${text(due)} are due`)
    const records = visibleIn(batches, aborted).filter(({ offset }) => offset >= from)
    const visible = new Set(records.map(({ offset }) => offset))
    for (const { marks, records: all } of batches)
      for (const { offset, value } of all) {
        const outcome = marks === undefined ? (log?.outcomes.get(offset) ?? 'commit') : 'abort'
        if (offset >= from && visible.has(offset) !== (outcome === 'commit'))
          this.#violate(
            rule,
            `${reader} ${visible.has(offset) ? 'got' : 'did not get'} ${value} at ${offset} of ${key}, which is ${outcome}`,
          )
      }
    return records
  }

  /** Nothing is open in a world that has healed and waited. */
  atTheEnd(): void {
    for (const [key, { open }] of this.#logs)
      for (const [producerId, { firstOffset }] of open)
        this.#violate('it recovers', `the transaction of producer ${producerId} is open in ${key} from ${firstOffset} on`)
  }

  #log(key: string, end: number): LogOfTransactions {
    const known = this.#logs.get(key)
    if (known !== undefined) return known
    const made: LogOfTransactions = { open: new Map(), aborted: [], outcomes: new Map(), copyings: new Map(), lastStableOffset: end }
    this.#logs.set(key, made)
    return made
  }
}

/** As Kafka's consumer leaves out the records of aborted transactions, and markers. */
function visibleIn(batches: readonly ReadBatch[], aborted: readonly AbortedProducer[]): readonly ReadRecord[] {
  const waiting = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
  const aborting = new Set<number>()
  return batches.flatMap(({ lastOffset, producerId, isTransactional, marks, records }) => {
    while (waiting[0] !== undefined && waiting[0].firstOffset <= lastOffset) aborting.add(waiting.shift()?.producerId ?? -1)
    if (marks === 'abort') aborting.delete(producerId)
    return marks !== undefined || (isTransactional && aborting.has(producerId)) ? [] : records
  })
}

function text(aborted: readonly AbortedProducer[]): string {
  return aborted.length === 0 ? 'none' : aborted.map(({ producerId, firstOffset }) => `${producerId} from ${firstOffset}`).join()
}
