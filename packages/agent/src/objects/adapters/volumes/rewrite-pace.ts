// The pace at which volumes are rewritten in the background: pauses between pieces of work, so that puts and reads never wait for long.
import { fixedLimits } from '../../../limits.ts'
import { orAborted } from '../../../time/abort.ts'
import type { Clock } from '../../../time/clock.ts'
import { sleep } from '../../../time/sleep.ts'

export class RewritePace {
  readonly #clock: Pick<Clock, 'after'>
  readonly #stop: AbortSignal
  #movedBytes = 0
  #marks = 0

  /** After `stop` nothing waits. */
  constructor(clock: Pick<Clock, 'after'>, stop: AbortSignal) {
    this.#clock = clock
    this.#stop = stop
  }

  /** Call it after an object was copied. */
  async moved(bytes: number): Promise<void> {
    this.#movedBytes += bytes
    if (this.#movedBytes < fixedLimits.rewriteBytesBetweenPauses) return
    const ms = (this.#movedBytes / fixedLimits.rewriteBytesPerSecond) * 1_000
    this.#movedBytes = 0
    await this.#pause(ms)
  }

  /** Call it after an object was marked. */
  async marked(): Promise<void> {
    this.#marks += 1
    if (this.#marks < fixedLimits.rewriteMarksPerTurn) return
    this.#marks = 0
    await this.#pause(0)
  }

  async #pause(ms: number): Promise<void> {
    await orAborted(sleep(this.#clock, ms), this.#stop, () => undefined)
  }
}
