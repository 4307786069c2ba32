// The work of `lks query`: reads the partitions between two times, selects matching records, and reports the range that it read.
import { UserError } from 'local-kafka-service/internal/user-error'
import type { CommandContext, ParsedCommand, Terminal } from '../client-command.ts'
import { instantAgo } from '../instants.ts'
import { paintOf } from '../output/paint.ts'
import { type Column, table } from '../output/table.ts'
import { closeBy, openReader, partitionsOf } from './clients.ts'
import { clusterRetries } from './cluster-retries.ts'
import { type ConsumedRecord, recordName } from './consumed-record.ts'
import { DataSink } from './data-sink.ts'
import { type IsolationLevel, isolationOf } from './isolation.ts'
import { readingsOf } from './partition-offsets.ts'
import type { PartitionProgress } from './partition-progress.ts'
import { readPartitions } from './partition-reader.ts'
import { prettyJson, prettyRecord } from './pretty.ts'
import { parseFilter, type RecordMatcher } from './record-filter.ts'
import { recordLine } from './record-json.ts'
import { bytesView, headersView, timeView } from './record-view.ts'

interface QueryPlan {
  readonly topic: string
  readonly partitions: readonly number[]
  readonly sinceMs: number | undefined
  readonly untilMs: number | undefined
  readonly matches: RecordMatcher
  readonly count: number
  readonly output: string
  readonly pretty: boolean
  readonly isolation: IsolationLevel
}

/** Rejects with a UserError or an error of the client library; on Ctrl-C too, after it printed the records found so far. */
export async function runQuery(given: ParsedCommand, context: CommandContext): Promise<void> {
  const plan = planOf(given)
  const { signal, connection, terminal } = context
  if (plan.count === 0) return
  const client = await openReader(connection, [plan.topic])
  try {
    const report = (line: string): void => void terminal.talk.write(`${line}\n`)
    const retries = clusterRetries({ waitMs: 60_000, signal, report })
    const partitions = await partitionsOf(client, { topic: plan.topic, wanted: plan.partitions })
    const range = { from: timeOr(plan.sinceMs, 'start'), until: timeOr(plan.untilMs, 'end') }
    const readings = await retries.run(() => readingsOf(client, { topic: plan.topic, partitions, range, isolation: plan.isolation }))
    const began = readings.map((reading) => reading.position)
    const found = new Findings(plan, terminal)
    for await (const blocks of readPartitions({ client, readings, retries, isolation: plan.isolation, signal, report })) {
      for (const { records, next, reading } of blocks) {
        const stopped = await found.look(records, signal)
        reading.position = stopped === undefined ? next : stopped.offset + 1n
        if (stopped !== undefined) break
      }
      if (found.isFull) break
    }
    await found.show(signal)
    report(scanView(found, readings, began, plan))
    signal.throwIfAborted()
  } finally {
    await closeBy(client)
  }
}

function planOf(given: ParsedCommand): QueryPlan {
  const key = given.option('key')
  const text = given.option('grep')
  const nowMs = Date.now()
  const [sinceMs, untilMs] = ['since', 'until'].map((name) => {
    const value = given.option(name)
    const parsed = value === undefined ? undefined : instantAgo(value, nowMs)
    return parsed?.kind === 'instant' ? parsed.ms : undefined
  })
  if (sinceMs !== undefined && untilMs !== undefined && untilMs <= sinceMs) {
    throw new UserError('LKS-1004', {
      what: '--until is not later than --since',
      why: `${new Date(untilMs).toISOString()} comes before ${new Date(sinceMs).toISOString()}`,
      fix: ['a duration counts back from now: --since 2h --until 1h'],
    })
  }
  const output = given.option('output') ?? 'table'
  const pretty = given.flag('pretty')
  if (pretty && output === 'name')
    throw new UserError('LKS-1005', { what: '--pretty and --output name exclude each other', fix: ['remove one of them'] })
  const filter = text === undefined ? undefined : parseFilter(text)
  const keyBytes = key === undefined ? undefined : Buffer.from(key)
  return {
    topic: given.arguments[0] ?? '',
    partitions: given.options('partition').map(Number),
    sinceMs,
    untilMs,
    matches: (record) =>
      (keyBytes === undefined || record.key?.equals(keyBytes) === true) && (filter?.kind !== 'filter' || filter.keeps(record)),
    count: Number(given.option('count') ?? 100),
    output,
    pretty,
    isolation: isolationOf(given),
  }
}

function timeOr<K extends 'start' | 'end'>(
  ms: number | undefined,
  kind: K,
): { readonly kind: K } | { readonly kind: 'time'; readonly ms: number } {
  return ms === undefined ? { kind } : { kind: 'time', ms }
}

/** Counts the records read and matched; matches are collected for a table, or printed at once for programs. */
class Findings {
  scannedCount = 0
  matchedCount = 0
  readonly #plan: QueryPlan
  readonly #terminal: Terminal
  readonly #sink: DataSink
  readonly #rows: ConsumedRecord[] = []

  constructor(plan: QueryPlan, terminal: Terminal) {
    this.#plan = plan
    this.#terminal = terminal
    this.#sink = new DataSink(terminal.data)
  }

  get isFull(): boolean {
    return this.matchedCount >= this.#plan.count
  }

  /** The record with which the limit is reached, or undefined. */
  async look(records: readonly ConsumedRecord[], signal: AbortSignal): Promise<ConsumedRecord | undefined> {
    const { matches, output, pretty } = this.#plan
    const text = output === 'name' ? recordName : pretty ? prettyJson : recordLine
    let stopped: ConsumedRecord | undefined
    for (const record of records) {
      this.scannedCount += 1
      if (!this.#isInTime(record) || !matches(record)) continue
      this.matchedCount += 1
      if (output === 'table') this.#rows.push(record)
      else this.#sink.add([Buffer.from(`${text(record)}\n`)])
      if (this.isFull) {
        stopped = record
        break
      }
    }
    await this.#sink.flush(signal)
    if (this.#terminal.interactive) this.#terminal.talk.write(`\r${this.scannedCount} records looked at, ${this.matchedCount} found`)
    return stopped
  }

  /** A table, or records over several lines, sorted by time. */
  async show(signal: AbortSignal): Promise<void> {
    if (this.#terminal.interactive && this.scannedCount > 0) this.#terminal.talk.write(`\r${' '.repeat(60)}\r`)
    if (this.#rows.length === 0) return
    this.#rows.sort((a, b) => Number(a.timestamp - b.timestamp) || a.partition - b.partition || Number(a.offset - b.offset))
    const { interactive, columns: width } = this.#terminal
    const text = this.#plan.pretty
      ? this.#rows.map((record) => `${prettyRecord(record)}\n`).join('\n')
      : table(columns, this.#rows, { columns: interactive ? width : undefined, paint: paintOf(this.#terminal) })
    this.#sink.add([Buffer.from(text)])
    await this.#sink.flush(signal)
  }

  /** A lookup by time gives the offset of the first record: later records may be older or newer. */
  #isInTime({ timestamp }: ConsumedRecord): boolean {
    const { sinceMs, untilMs } = this.#plan
    const ms = Number(timestamp)
    return (sinceMs === undefined || ms >= sinceMs) && (untilMs === undefined || ms < untilMs)
  }
}

const columns: readonly Column<ConsumedRecord>[] = [
  { header: 'PARTITION', value: ({ partition }) => partition, align: 'right' },
  { header: 'OFFSET', value: ({ offset }) => String(offset), align: 'right' },
  { header: 'TIMESTAMP', value: ({ timestamp }) => timeView(timestamp) },
  { header: 'KEY', value: ({ key }) => (key === null ? '-' : bytesView(key)) },
  { header: 'VALUE', value: ({ value }) => (value === null ? '(tombstone)' : bytesView(value)) },
  { header: 'HEADERS', value: headersView },
]

/** A larger table would not be read. */
const mostRanges = 12

/** `3 found among 12000 records: orders[0] 0–5999, orders[1] 0–6000` */
function scanView(found: Findings, readings: readonly PartitionProgress[], began: readonly bigint[], { topic, count }: QueryPlan): string {
  const ranges = readings.flatMap(({ partition, position }, at) => {
    const from = began[at] ?? 0n
    return position > from ? [`[${partition}] ${from} to ${position - 1n}`] : []
  })
  const where = ranges.length > mostRanges ? `${ranges.length} partitions` : ranges.join(', ')
  const looked = ranges.length === 0 ? `${topic} has no records in that time` : `${topic} ${where}`
  const more = found.isFull ? `; stopped at ${count}, more may match (-n)` : ''
  return `${found.matchedCount} found among ${found.scannedCount} records: ${looked}${more}`
}
