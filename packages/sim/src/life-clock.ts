// The clock that one life of an agent sees.
import type { Clock, Timer } from '@local-kafka-service/agent'
import type { Life } from './life.ts'
import type { VirtualTime } from './sim-clock.ts'

/** Time as one life sees it. The timers of a frozen life fire when it is thawed, those of a dead life never. Its clocks go on, like those of a stopped process. */
export class LifeClock implements Clock {
  readonly #time: VirtualTime
  readonly #life: Life

  constructor(time: VirtualTime, life: Life) {
    this.#time = time
    this.#life = life
  }

  now(): number {
    return this.#time.wallMs + this.#life.skewMs
  }

  monotonic(): number {
    return this.#time.nowMs
  }

  after(delayMs: number, callback: () => void): Timer {
    let cancelled = false
    // Whole milliseconds and at least one, like Node's own timers. Otherwise the rest of a wait after rounding would never pass.
    const timer = this.#time.after(Math.max(1, Math.ceil(delayMs)), () =>
      this.#life.deliver(() => {
        if (!cancelled) callback()
      }),
    )
    return {
      cancel() {
        cancelled = true
        timer.cancel()
      },
    }
  }

  soon(callback: () => void): void {
    this.#time.after(0, () => this.#life.deliver(callback))
  }
}
