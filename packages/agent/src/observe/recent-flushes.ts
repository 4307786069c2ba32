// The life of the last objects: open, sealed, stored, committed. A page of the console shows it.
import { must } from '../core/assert.ts'
import type { Clock } from '../time/clock.ts'
import type { AgentEvent, EventOf, SealTrigger } from './events.ts'

/** One flush. Its phases follow one another; a phase that is not over is undefined, and so are all after it. */
export interface RecentFlush {
  readonly sequence: number
  readonly trigger: SealTrigger
  readonly sizeBytes: number
  readonly batches: number
  readonly partitions: number
  /** When the object was sealed; milliseconds since the epoch. */
  readonly sealedAtMs: number
  /** How long it took in batches. */
  readonly openMs: number
  /** How long the store took to put it. */
  readonly storeMs: number | undefined
  /** How long it waited for the commits of the flushes before it. */
  readonly waitMs: number | undefined
  readonly commitMs: number | undefined
  /** Why the line of flushes stopped before this one was committed; undefined if it did not. */
  readonly failure: string | undefined
}

/** The flushes that are kept. */
export const recentFlushes = 120

interface Watched {
  readonly flush: { -readonly [Field in keyof RecentFlush]: RecentFlush[Field] }
  /** Times of the monotonic clock. */
  readonly sealedAt: number
  storedAt: number | undefined
}

export class RecentFlushes {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>
  /** Sequence → the flush, in the order of sealing. */
  readonly #flushes = new Map<number, Watched>()

  constructor(clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#clock = clock
  }

  /** An event hook. */
  readonly count = (event: AgentEvent): void => {
    if (event.kind === 'sealed') this.#sealed(event)
    else if (event.kind === 'stored') this.#stored(event)
    else if (event.kind === 'committed') this.#committed(event)
    else if (event.kind === 'line stopped')
      for (const { flush } of this.#flushes.values())
        if (flush.commitMs === undefined && flush.failure === undefined) flush.failure = event.message
  }

  /** The newest is first. */
  read(): readonly RecentFlush[] {
    return [...this.#flushes.values()].map(({ flush }) => ({ ...flush })).toReversed()
  }

  #sealed({ sequence, trigger, sizeBytes, batches, partitions, openMs }: EventOf<'sealed'>): void {
    const phases = { openMs, storeMs: undefined, waitMs: undefined, commitMs: undefined, failure: undefined }
    const flush = { sequence, trigger, sizeBytes, batches, partitions, sealedAtMs: this.#clock.now(), ...phases }
    this.#flushes.set(sequence, { flush, sealedAt: this.#clock.monotonic(), storedAt: undefined })
    if (this.#flushes.size <= recentFlushes) return
    const [oldest] = this.#flushes.keys()
    this.#flushes.delete(must(oldest, 'there are flushes'))
  }

  #stored({ sequence }: EventOf<'stored'>): void {
    const watched = this.#flushes.get(sequence)
    if (watched === undefined) return
    watched.storedAt = this.#clock.monotonic()
    watched.flush.storeMs = watched.storedAt - watched.sealedAt
  }

  #committed({ sequence, durationMs }: EventOf<'committed'>): void {
    const watched = this.#flushes.get(sequence)
    if (watched?.storedAt === undefined) return
    watched.flush.waitMs = Math.max(0, this.#clock.monotonic() - durationMs - watched.storedAt)
    watched.flush.commitMs = durationMs
  }
}
