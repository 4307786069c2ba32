// How long a cluster that does not answer is waited for, and what is said meanwhile.
import { setTimeout as sleep } from 'node:timers/promises'
import { innermostMessage } from './innermost-message.ts'

export interface PatienceOptions {
  /** From the first failure on; Infinity where somebody follows and ends it himself. */
  readonly waitMs: number
  /** The same, while nothing has succeeded yet and `isUnreached` says that no connection was made: the address is wrong, and waiting does not help. */
  readonly unreachedMs: number
  readonly isUnreached: (error: unknown) => boolean
  /** Between two attempts. */
  readonly pauseMs: number
  readonly signal: AbortSignal
  /** For people, without its line break. */
  readonly tell: (line: string) => void
  /** False: it is thrown at once. */
  readonly passes: (error: unknown) => boolean
}

/** For one conversation with a cluster. Not to be shared by two at once. */
export class Patience {
  readonly #options: PatienceOptions
  #failedSinceMs: number | undefined
  #told = false
  #reached = false

  constructor(options: PatienceOptions) {
    this.#options = options
  }

  /** Settles when the operation has, after as many attempts as it takes. Rejects with its last error, or when the signal aborts. */
  async through<T>(operation: () => Promise<T>): Promise<T> {
    const result = await this.attempts(operation)
    this.succeeded()
    return result
  }

  /** As `through`, for a step whose success proves nothing for the steps after it: a cluster may answer questions, and lead nothing. */
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
    if (this.#told) this.#options.tell('connected again')
    this.#failedSinceMs = undefined
    this.#told = false
    this.#reached = true
  }

  /** Waits a little, so that the operation can be tried again. Rejects when it should not be. */
  async failed(error: unknown): Promise<void> {
    const { waitMs, unreachedMs, isUnreached, pauseMs, signal, tell, passes } = this.#options
    signal.throwIfAborted()
    const now = performance.now()
    this.#failedSinceMs ??= now
    const mostMs = this.#reached || !isUnreached(error) ? waitMs : Math.min(waitMs, unreachedMs)
    if (!passes(error) || now - this.#failedSinceMs >= mostMs) throw error
    // What passes within the first pause is not worth a line.
    if (!this.#told && now > this.#failedSinceMs) {
      tell(`${innermostMessage(error)}; trying again`)
      this.#told = true
    }
    await sleep(pauseMs, undefined, { signal })
  }
}
