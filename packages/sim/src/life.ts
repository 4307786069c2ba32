// One life of a process: whatever reaches it (timers, replies, bytes) passes here, so that it can be frozen, thawed and killed from outside.
import type { VirtualTime } from './sim-clock.ts'

export class Life {
  readonly name: string
  /** By how much its wall clock is wrong. */
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

  /** At once while it runs, after the thaw and in order while it is frozen, never once it is dead. */
  deliver(callback: () => void): void {
    if (this.#state === 'dead') return
    if (this.#state === 'running' && !this.#catchingUp) callback()
    else this.#held.push(callback)
  }

  /** As SIGSTOP: nothing runs, nothing is lost, the clocks go on. */
  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen'
  }

  /** As SIGCONT: what came meanwhile comes now, one turn of its loop each, and before anything newer. */
  thaw(): void {
    if (this.#state !== 'frozen') return
    this.#state = 'running'
    if (this.#catchingUp) return
    this.#catchingUp = true
    this.#next()
  }

  /** As SIGKILL: what it has sent is on its way, nothing ever reaches it again. */
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
