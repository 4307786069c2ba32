// How long to retry while a cluster does not answer, and what to print meanwhile.
import { setTimeout as sleep } from 'node:timers/promises'
import { innermostMessage } from './innermost-message.ts'

export interface RetryOptions {
  /** Measured from the first failure; Infinity when the user ends the command. */
  readonly waitMs: number
  /** The limit while nothing has succeeded and `isUnreached` says that no connection was made: the address is wrong, and waiting does not help. */
  readonly unreachedMs: number
  readonly isUnreached: (error: unknown) => boolean
  /** The pause between two attempts. */
  readonly pauseMs: number
  readonly signal: AbortSignal
  /** Prints a line for people, without a line feed. */
  readonly report: (line: string) => void
  /** False: the error is thrown at once. */
  readonly passes: (error: unknown) => boolean
}

/** For one conversation with a cluster. Concurrent callers must not share it. */
export class Retries {
  readonly #options: RetryOptions
  #failedSinceMs: number | undefined
  #reported = false
  #reached = false

  constructor(options: RetryOptions) {
    this.#options = options
  }

  /** Settles when the operation has succeeded, after any number of attempts. Rejects with its last error, or when the signal aborts. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    const result = await this.attempts(operation)
    this.succeeded()
    return result
  }

  /** Like `run`, for a step whose success proves nothing about the next steps: a cluster may answer requests and lead no partition. */
  async attempts<T>(operation: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await operation()
      } catch (error) {
        await this.failed(error)
      }
    }
  }

  succeeded(): void {
    if (this.#reported) this.#options.report('connected again')
    this.#failedSinceMs = undefined
    this.#reported = false
    this.#reached = true
  }

  /** Waits before the next attempt. Rejects when there must not be one. */
  async failed(error: unknown): Promise<void> {
    const { waitMs, unreachedMs, isUnreached, pauseMs, signal, report, passes } = this.#options
    signal.throwIfAborted()
    const now = performance.now()
    this.#failedSinceMs ??= now
    const mostMs = this.#reached || !isUnreached(error) ? waitMs : Math.min(waitMs, unreachedMs)
    if (!passes(error) || now - this.#failedSinceMs >= mostMs) throw error
    // An error that passes within the first pause is not reported.
    if (!this.#reported && now > this.#failedSinceMs) {
      report(`${innermostMessage(error)}; trying again`)
      this.#reported = true
    }
    await sleep(pauseMs, undefined, { signal })
  }
}
