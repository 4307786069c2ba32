// How long clients waited, from a history: for acknowledgements and for records, around the moments that a plan counts, and otherwise.
import type { HistoryLine } from './history.ts'
import type { Counted } from './plans.ts'

export interface ClientPauses {
  readonly client: string
  /** From a send to its acknowledgement. */
  readonly acknowledged: Waits
  /** From the acknowledgement to the first member of the client's group that received the record. */
  readonly received: Waits
  /** The longest time in which one partition acknowledged nothing of the client's, which sends all the time. */
  readonly longestUnwritableMs: number
  /** What the application sees. */
  readonly failedSends: number
  readonly errors: readonly string[]
  /** In the time that counts, and in the five seconds after it. */
  readonly rejoins: number
  /** Records that the group received more than once. */
  readonly receivedAgain: number
}

export interface Waits {
  readonly calm: Quantiles
  readonly counted: Quantiles
}

export interface Quantiles {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

type Span = readonly [fromMs: number, toMs: number]

export function pausesOf(history: readonly HistoryLine[], clients: readonly string[], counts: Counted): readonly ClientPauses[] {
  const spans = spansOf(history, counts)
  const firstFaultMs = history.find(({ f }) => f === 'fault')?.atMs ?? Number.POSITIVE_INFINITY
  return clients.map((client) => {
    const lines = history.filter(({ process }) => process === client)
    const { acknowledgements, receipts, receivedAgain } = waitsOf(lines)
    const failed = lines.filter(({ f }) => f === 'unknown').length
    return {
      client,
      acknowledged: split(acknowledgements, spans, firstFaultMs - calmBeforeMs),
      received: split(receipts, spans, firstFaultMs - calmBeforeMs),
      longestUnwritableMs: longestGapMs(lines),
      failedSends: failed,
      errors: lines.flatMap((line) => (line.f === 'error' ? [line.text] : line.f === 'unknown' ? [line.error] : [])),
      rejoins: lines.filter(({ f, atMs }) => f === 'joined' && spans.some(([fromMs, toMs]) => atMs >= fromMs && atMs <= toMs + rejoinMs))
        .length,
      receivedAgain,
    }
  })
}

/** A move begins before it is seen: requests for its slots wait until it is known. */
function spansOf(history: readonly HistoryLine[], counts: Counted): readonly Span[] {
  const faultsMs = history.flatMap(({ f, atMs }) => (f === 'fault' ? [atMs] : []))
  if (counts !== 'given') return faultsMs.map((atMs): Span => [atMs, atMs + (counts === 'drained' ? drainedMs : disturbedMs)])
  return history.flatMap(({ f, atMs }): readonly Span[] => {
    const lastFaultMs = faultsMs.findLast((faultMs) => faultMs <= atMs)
    return f === 'slots' && lastFaultMs !== undefined && atMs > lastFaultMs + drainedMs ? [[atMs - 1_500, atMs + 1_000]] : []
  })
}

/** An agent that drains goes on for 10 s to send its clients to the others. */
const drainedMs = 12_000
const disturbedMs = 10_000
const calmBeforeMs = 5_000
/** kafkajs notices with its next heartbeat, after 3 s, that its coordinator has moved. */
const rejoinMs = 5_000

interface Wait {
  /** When it began. */
  readonly atMs: number
  readonly waitMs: number
}

function waitsOf(lines: readonly HistoryLine[]): {
  readonly acknowledgements: readonly Wait[]
  readonly receipts: readonly Wait[]
  readonly receivedAgain: number
} {
  const sentMs = new Map<string, number>()
  const acknowledgedMs = new Map<string, number>()
  const receivedMs = new Map<string, number>()
  let receivedAgain = 0
  for (const line of lines) {
    if (line.f === 'send') sentMs.set(line.value, line.atMs)
    if (line.f === 'sent') acknowledgedMs.set(line.value, line.atMs)
    if (line.f !== 'polled' || !line.reader.includes(' member')) continue
    for (const [, , value] of line.records) {
      if (receivedMs.has(value)) receivedAgain += 1
      else receivedMs.set(value, line.atMs)
    }
  }
  const acknowledgements: Wait[] = []
  const receipts: Wait[] = []
  for (const [value, atMs] of sentMs) {
    const acknowledged = acknowledgedMs.get(value)
    if (acknowledged === undefined) continue
    acknowledgements.push({ atMs, waitMs: acknowledged - atMs })
    const received = receivedMs.get(value)
    // A reader's line may arrive before that of the sender.
    if (received !== undefined) receipts.push({ atMs: acknowledged, waitMs: Math.max(0, received - acknowledged) })
  }
  return { acknowledgements, receipts, receivedAgain }
}

function longestGapMs(lines: readonly HistoryLine[]): number {
  const last = new Map<number, number>()
  let longest = 0
  for (const line of lines) {
    if (line.f !== 'sent') continue
    const before = last.get(line.partition)
    if (before !== undefined) longest = Math.max(longest, line.atMs - before)
    last.set(line.partition, line.atMs)
  }
  return longest
}

/** A wait counts if any of it is within a span. Before the beginning, clients start. */
function split(waits: readonly Wait[], spans: readonly Span[], beginsMs: number): Waits {
  const counted: number[] = []
  const calm: number[] = []
  for (const { atMs, waitMs } of waits) {
    if (atMs < beginsMs) continue
    const counts = spans.some(([fromMs, toMs]) => atMs <= toMs && atMs + waitMs >= fromMs)
    ;(counts ? counted : calm).push(waitMs)
  }
  return { calm: quantilesOf(calm), counted: quantilesOf(counted) }
}

function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((one, other) => one - other)
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}
