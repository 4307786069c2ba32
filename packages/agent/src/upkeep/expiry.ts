// Expiry: forgets producers and producer ids that have been silent for long, and old idempotency keys, so that their rows do not grow.
import { fixedLimits, type Limits } from '../limits.ts'
import type { ExpiredPage, ExpirePage, ExpiryStore, ProducerPlace } from '../metadata/expiry-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock } from '../time/clock.ts'
import { sleep } from '../time/sleep.ts'
import type { JobReport } from './job-report.ts'
import { makePasses } from './passes.ts'

export interface ExpiryParts {
  readonly store: Pick<ExpiryStore, 'expireProducers' | 'expireKeys' | 'expireProducerIds'>
  /** Of several agents, one has this job. Two that do harm nothing. */
  readonly isMine: () => boolean
  readonly clock: Clock
  /** Measures how long steps take, and times the pauses between them. */
  readonly ioClock: Clock
  readonly limits: Pick<Limits, 'retentionFirstMs'>
  /** `log.retention.check.interval.ms`. */
  readonly checkMs: number
  /** The present `producer.id.expiration.ms`. */
  readonly producersMs: () => number
  /** `http.idempotency.key.expiration.ms`. */
  readonly keysMs: number
  readonly emit: EventHook
  readonly report?: JobReport
}

/** A pass can end anywhere: each of its steps is one transaction, and the next pass finds what is left. */
export class Expiry {
  readonly #parts: ExpiryParts

  constructor(parts: ExpiryParts) {
    this.#parts = parts
  }

  /** Makes a pass soon after the start, and then one each interval, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, limits, checkMs, emit, report } = this.#parts
    const firstMs = Math.min(limits.retentionFirstMs, checkMs)
    await makePasses(
      { clock, firstMs, everyMs: checkMs, where: 'expiry', emit, ...(report && { report }) },
      () => this.#pass(signal),
      signal,
    )
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const { store, isMine, keysMs } = this.#parts
    if (!isMine()) return
    const producersMs = this.#parts.producersMs()
    await this.#pages<ProducerPlace>((page) => store.expireProducers({ ...page, olderThanMs: producersMs }), signal)
    await this.#pages<string>((page) => store.expireKeys({ ...page, olderThanMs: keysMs }), signal)
    await store.expireProducerIds({ olderThanMs: producersMs })
  }

  async #pages<Place>(
    expire: (page: Omit<ExpirePage<Place>, 'olderThanMs'>) => Promise<ExpiredPage<Place>>,
    signal: AbortSignal,
  ): Promise<void> {
    const { ioClock } = this.#parts
    for (let after: Place | undefined, more = true; more; more = after !== undefined) {
      const beganMs = ioClock.monotonic()
      const { next } = await expire({ maxRows: fixedLimits.expiryRowsPerStep, ...(after !== undefined && { after }) })
      after = next
      if (after !== undefined) await sleep(ioClock, fixedLimits.retentionPauses * (ioClock.monotonic() - beganMs), signal)
    }
  }
}
