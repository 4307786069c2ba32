// The phases of a flush at a moment, for the bars of the page: pure arithmetic over the server's answer.

/** A flush as the server shows it. A phase that is not over is null, and so are all after it. */
export interface ShownFlush {
  readonly sequence: number
  /** ISO 8601. */
  readonly sealedAt: string
  readonly openMs: number
  readonly storeMs: number | null
  readonly waitMs: number | null
  readonly commitMs: number | null
  readonly failure: string | null
}

export const phases = ['open', 'store', 'wait', 'commit'] as const

export type Phase = (typeof phases)[number]

/** A part of a bar; times are milliseconds since the epoch. */
export interface PhaseSpan {
  readonly phase: Phase
  readonly fromMs: number
  readonly toMs: number
}

/** The phases that have begun at `atMs`, each up to its end or to `atMs`. */
export function spansOf(flush: ShownFlush, atMs: number): readonly PhaseSpan[] {
  const { openMs, storeMs, waitMs, commitMs } = flush
  const spans: PhaseSpan[] = []
  let fromMs = Date.parse(flush.sealedAt) - openMs
  for (const [index, length] of [openMs, storeMs, waitMs, commitMs].entries()) {
    const phase = phases[index]
    if (phase === undefined || fromMs > atMs || (length === null && flush.failure !== null)) break
    const toMs = length === null ? atMs : Math.min(atMs, fromMs + length)
    spans.push({ phase, fromMs, toMs })
    if (length === null || fromMs + length > atMs) break
    fromMs += length
  }
  return spans
}

/** What the flush does at `atMs`: the phase that is not over, or how it ended; undefined before it has begun. */
export function stateAt(flush: ShownFlush, atMs: number): Phase | 'committed' | 'failed' | undefined {
  const last = spansOf(flush, atMs).at(-1)
  if (last === undefined) return undefined
  const { storeMs, waitMs, commitMs, failure, openMs } = flush
  const length = { open: openMs, store: storeMs, wait: waitMs, commit: commitMs }[last.phase]
  const isOver = length !== null && last.fromMs + length <= atMs
  if (!isOver) return last.phase
  return last.phase === 'commit' ? 'committed' : failure !== null ? 'failed' : last.phase
}

/** From the first opening to the last known end of the flushes. */
export function rangeOf(flushes: readonly ShownFlush[]): { readonly fromMs: number; readonly toMs: number } {
  let fromMs = Infinity
  let toMs = -Infinity
  for (const flush of flushes) {
    const sealedAtMs = Date.parse(flush.sealedAt)
    fromMs = Math.min(fromMs, sealedAtMs - flush.openMs)
    toMs = Math.max(toMs, sealedAtMs + (flush.storeMs ?? 0) + (flush.waitMs ?? 0) + (flush.commitMs ?? 0))
  }
  return { fromMs, toMs }
}
