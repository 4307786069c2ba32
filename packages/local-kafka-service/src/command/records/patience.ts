// How long a cluster that does not answer is waited for, and what is said meanwhile.
import { setTimeout as sleep } from 'node:timers/promises'
import { innermostMessage } from './innermost-message.ts'

export interface PatienceOptions {
  /** From the first failure on; Infinity where somebody follows and ends it himself. */
  readonly waitMs: number
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

  constructor(options: PatienceOptions) {
    this.#options = options
  }

  /** Settles when the operation has, after as many attempts as it takes. Rejects with its last error, or when the signal aborts. */
  async through<T>(operation: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const result = await operation()
        this.succeeded()
        return result
      } catch (error) {
        await this.failed(error)
      }
    }
  }

  succeeded(): void {
    if (this.#told) this.#options.tell('connected again')
    this.#failedSinceMs = undefined
    this.#told = false
  }

  /** Waits a little, so that the operation can be tried again. Rejects when it should not be. */
  async failed(error: unknown): Promise<void> {
    const { waitMs, pauseMs, signal, tell, passes } = this.#options
    signal.throwIfAborted()
    const now = performance.now()
    this.#failedSinceMs ??= now
    if (!passes(error) || now - this.#failedSinceMs >= waitMs) throw error
    // What passes within the first pause is not worth a line.
    if (!this.#told && now > this.#failedSinceMs) {
      tell(`${innermostMessage(error)}; trying again`)
      this.#told = true
    }
    await sleep(pauseMs, undefined, { signal })
  }
}
