// Transactions that are open for longer than their time-out are aborted, and transactional ids that were not used for long are removed.
import type { TransactionStore } from '../metadata/transaction-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock } from '../time/clock.ts'
import type { JobReport } from './job-report.ts'
import { makePasses } from './passes.ts'

export interface TransactionTimeoutsParts {
  readonly store: Pick<TransactionStore, 'timedOut' | 'unused'>
  /** Each agent ends the transactions that it coordinates. Its calls reject as the database does. */
  readonly coordinator: {
    isMine(transactionalId: string): boolean
    /** False: it has not timed out any more. */
    abortTimedOut(transactionalId: string): Promise<boolean>
    expire(transactionalId: string, unusedMs: number): Promise<void>
  }
  readonly clock: Clock
  /** `transaction.abort.timed.out.transaction.cleanup.interval.ms` */
  readonly abortEveryMs: number
  /** `transaction.remove.expired.transaction.cleanup.interval.ms` */
  readonly removeEveryMs: number
  /** `transactional.id.expiration.ms` */
  readonly unusedMs: number
  readonly emit: EventHook
  readonly report?: JobReport
}

/** The database's clock decides, under the lock of each id: an id that is used in the meantime stays. */
export class TransactionTimeouts {
  readonly #parts: TransactionTimeoutsParts

  constructor(parts: TransactionTimeoutsParts) {
    this.#parts = parts
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, abortEveryMs, removeEveryMs, emit, report } = this.#parts
    const passes = { clock, where: 'transactions', emit }
    await Promise.all([
      makePasses({ ...passes, firstMs: abortEveryMs, everyMs: abortEveryMs, ...(report && { report }) }, () => this.#abort(signal), signal),
      makePasses({ ...passes, firstMs: removeEveryMs, everyMs: removeEveryMs }, () => this.#remove(signal), signal),
    ])
  }

  async #abort(signal: AbortSignal): Promise<void> {
    const { store, coordinator, emit } = this.#parts
    await this.#each(
      (after) => store.timedOut(after),
      async (transactionalId) => {
        if (await coordinator.abortTimedOut(transactionalId))
          emit({ kind: 'notice', message: `the transaction of '${transactionalId}' was open for longer than its time-out and was aborted` })
      },
      signal,
    )
  }

  async #remove(signal: AbortSignal): Promise<void> {
    const { store, coordinator, unusedMs } = this.#parts
    await this.#each(
      (after) => store.unused({ unusedMs, after }),
      (transactionalId) => coordinator.expire(transactionalId, unusedMs),
      signal,
    )
  }

  async #each(
    pageAfter: (after: string | undefined) => Promise<readonly string[]>,
    end: (transactionalId: string) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    for (let after: string | undefined; ; ) {
      const page = await pageAfter(after)
      after = page.at(-1)
      if (after === undefined) return
      for (const transactionalId of page) {
        if (signal.aborted) return
        if (this.#parts.coordinator.isMine(transactionalId)) await end(transactionalId)
      }
    }
  }
}
