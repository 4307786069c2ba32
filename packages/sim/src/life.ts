// One life of a process: all timers, replies and bytes that reach it pass through here, so that it can be frozen, thawed and killed from outside.
import type { VirtualTime } from './sim-clock.ts'

export class Life {
  readonly name: string
  /** The error of its wall clock. */
  skewMs = 0
  readonly #time: VirtualTime
  #state: 'running' | 'frozen' | 'dead' = 'running'
  readonly #held: (() => void)[] = []
  #catchingUp = false

  constructor(name: string, time: VirtualTime) {
    this.name = name
    this.#time = time
  }

  get state(): 'running' | 'frozen' | 'dead' {
    return this.#state
  }

  /** Calls back at once while it runs, after the thaw and in order while it is frozen, and never once it is dead. */
  deliver(callback: () => void): void {
    if (this.#state === 'dead') return
    if (this.#state === 'running' && !this.#catchingUp) callback()
    else this.#held.push(callback)
  }

  /** Like SIGSTOP: nothing runs, nothing is lost, the clocks go on. */
  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen'
  }

  /** Like SIGCONT: events that arrived meanwhile are delivered now, one per turn of its loop, before newer ones. */
  thaw(): void {
    if (this.#state !== 'frozen') return
    this.#state = 'running'
    if (this.#catchingUp) return
    this.#catchingUp = true
    this.#next()
  }

  /** Like SIGKILL: everything that it has sent is still on its way, and nothing reaches it again. */
  end(): void {
    this.#state = 'dead'
    this.#held.length = 0
  }

  #next(): void {
    const callback = this.#state === 'running' ? this.#held.shift() : undefined
    if (callback === undefined) {
      this.#catchingUp = false
      return
    }
    callback()
    this.#time.after(0, () => this.#next())
  }
}
