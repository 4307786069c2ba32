// Time that can be moved on at will, over a clock that goes by itself: what falls due on the way happens in its order, as if the time had passed.
import type { Clock, Timer } from './clock.ts'
import { InFlight } from './in-flight.ts'

export interface MoveOptions {
  /** `keep`: the clock of sessions stands still meanwhile. `expire`: it moves too. */
  readonly sessions: 'keep' | 'expire'
}

/** A timer that was set. On moves of its clock it is `MovableTime` that fires it; while nobody moves time, the machine's own clock does. */
interface Waiting {
  readonly view: View
  /** On the view's monotonic time. */
  readonly dueMs: number
  /** Of those that are due at one time the one that was set first is first. */
  readonly order: number
  readonly callback: () => void
  /** A beat of `every`: however many were missed, it comes once, at the end of a move. */
  readonly beat: boolean
  /** How many timers of one move led to this one, each set in consequence of the last. */
  depth: number
  timer: Timer
}

/** A chain of timers, each set in consequence of the last, is followed so far within one move: a client that polls again and again would have no end. */
const longestChain = 64

/**
 * Two clocks over one base. `clock` is what records, offsets and requests are stamped and timed by. `sessions` is for members of groups: real clients
 * beat in real time, so a jump of theirs is asked for each time. What takes real time (sockets, stores, leases) stays on the base.
 */
export class MovableTime {
  readonly clock: Clock
  readonly sessions: Clock
  /** What was begun and takes real time: a move lets it end before time goes on. */
  readonly inFlight: InFlight
  readonly #base: Clock
  readonly #clock: View
  readonly #sessions: View
  /** For a database in another thread: one 64-bit integer, how far the clock is ahead. */
  readonly #shared = new SharedArrayBuffer(8)
  readonly #waiting = new Set<Waiting>()
  #order = 0
  #depth = 0
  /** By how much `now` was set away from the monotonic time. */
  #wallMs: number
  #moving: Promise<void> = Promise.resolve()

  constructor(base: Clock, { aheadMs = 0 }: { readonly aheadMs?: number } = {}) {
    this.#base = base
    this.#wallMs = aheadMs
    this.inFlight = new InFlight(base)
    this.#clock = { aheadMs: 0 }
    this.#sessions = { aheadMs: 0 }
    this.clock = this.#clockOf(this.#clock)
    this.sessions = this.#clockOf(this.#sessions)
    this.#share()
  }

  /** Milliseconds that `clock.now()` is ahead of the base's. */
  get aheadMs(): number {
    return this.#wallMs + this.#clock.aheadMs
  }

  get shared(): SharedArrayBuffer {
    return this.#shared
  }

  /** Moves time on by so many milliseconds, not less than 0. One move at a time: a second one begins when the first has ended. */
  async advance(byMs: number, options: MoveOptions): Promise<void> {
    await this.#queue(() => this.#advance(byMs, options))
  }

  /** It is that time now. To the future it is an advance; to the past only `now` goes, for no time-out can be taken back. */
  async set(nowMs: number, options: MoveOptions): Promise<void> {
    await this.#queue(async () => {
      const byMs = nowMs - this.clock.now()
      if (byMs >= 0) return await this.#advance(byMs, options)
      this.#wallMs += byMs
      this.#share()
    })
  }

  async #queue(move: () => Promise<void>): Promise<void> {
    const moving = this.#moving.then(move)
    // Whoever comes next waits for the end, however it was.
    this.#moving = moving.catch(() => {})
    await moving
  }

  async #advance(byMs: number, { sessions }: MoveOptions): Promise<void> {
    const views = sessions === 'expire' ? [this.#clock, this.#sessions] : [this.#clock]
    // What was asked before the move is done before it.
    await this.inFlight.settled()
    let leftMs = byMs
    try {
      for (let next = this.#next(views, leftMs); next !== undefined; next = this.#next(views, leftMs)) {
        const stepMs = Math.max(0, next.dueMs - this.#monotonic(next.view))
        leftMs -= stepMs
        this.#step(views, stepMs)
        await this.#fire(next)
      }
      this.#step(views, leftMs)
      // Beats, and what a chain that was too long has left: once each.
      for (const waiting of this.#due(views)) if (this.#waiting.has(waiting)) await this.#fire(waiting)
    } finally {
      this.#depth = 0
      for (const waiting of this.#waiting) {
        waiting.depth = 0
        if (views.includes(waiting.view)) this.#arm(waiting)
      }
    }
  }

  #step(views: readonly View[], byMs: number): void {
    for (const view of views) view.aheadMs += byMs
    this.#share()
  }

  /** Lets what it starts come to rest. */
  async #fire(waiting: Waiting): Promise<void> {
    waiting.timer.cancel()
    this.#waiting.delete(waiting)
    this.#depth = waiting.depth + 1
    waiting.callback()
    await this.inFlight.settled()
  }

  /** The next timer that falls due within so many milliseconds. */
  #next(views: readonly View[], withinMs: number): Waiting | undefined {
    let first: Waiting | undefined
    let firstInMs = withinMs
    for (const waiting of this.#waiting) {
      if (waiting.beat || waiting.depth > longestChain || !views.includes(waiting.view)) continue
      const inMs = Math.max(0, waiting.dueMs - this.#monotonic(waiting.view))
      if (inMs < firstInMs || (inMs === firstInMs && (first === undefined || waiting.order < first.order))) {
        first = waiting
        firstInMs = inMs
      }
    }
    return first
  }

  /** Everything that is due by now, in order. */
  #due(views: readonly View[]): readonly Waiting[] {
    return [...this.#waiting]
      .filter((waiting) => views.includes(waiting.view) && waiting.dueMs <= this.#monotonic(waiting.view))
      .toSorted((a, b) => a.dueMs - b.dueMs || a.order - b.order)
  }

  #monotonic({ aheadMs }: View): number {
    return this.#base.monotonic() + aheadMs
  }

  #share(): void {
    Atomics.store(new BigInt64Array(this.#shared), 0, BigInt(Math.round(this.aheadMs)))
  }

  #set(view: View, dueMs: number, callback: () => void, kind: 'timer' | 'beat'): Timer {
    this.#order += 1
    const waiting: Waiting = { view, dueMs, order: this.#order, callback, beat: kind === 'beat', depth: this.#depth, timer: unset }
    this.#waiting.add(waiting)
    this.#arm(waiting)
    return {
      cancel: () => {
        this.#waiting.delete(waiting)
        waiting.timer.cancel()
      },
    }
  }

  #arm(waiting: Waiting): void {
    waiting.timer.cancel()
    waiting.timer = this.#base.after(Math.max(0, waiting.dueMs - this.#monotonic(waiting.view)), () => {
      if (this.#waiting.delete(waiting)) waiting.callback()
    })
  }

  #clockOf(view: View): Clock {
    const monotonic = (): number => this.#monotonic(view)
    const after = (delayMs: number, callback: () => void): Timer => this.#set(view, monotonic() + Math.max(0, delayMs), callback, 'timer')
    return {
      // Whole, as a stamp is: timers fall due at fractions of a millisecond, and a move stops at each of them.
      now: () => Math.round(this.#base.now() + this.#wallMs + view.aheadMs),
      monotonic,
      after,
      sleep: (delayMs, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted === true) return reject(reasonOf(signal))
          const timer = after(delayMs, () => {
            signal?.removeEventListener('abort', give)
            resolve()
          })
          function give(): void {
            timer.cancel()
            if (signal !== undefined) reject(reasonOf(signal))
          }
          signal?.addEventListener('abort', give, { once: true })
        }),
      every: (periodMs, signal) => this.#every(view, periodMs, signal),
      soon: (callback) => this.#base.soon(callback),
    }
  }

  async *#every(view: View, periodMs: number, signal: AbortSignal): AsyncIterable<number> {
    for (let dueMs = this.#monotonic(view) + periodMs; ; ) {
      if (!(await this.#beat(view, dueMs, signal))) return
      yield this.#monotonic(view)
      // Beats that fell due while the consumer was busy, or in a move, are skipped.
      const lateMs = Math.max(0, this.#monotonic(view) - dueMs)
      dueMs += periodMs * (Math.floor(lateMs / periodMs) + 1)
    }
  }

  /** False: the signal aborted first. */
  #beat(view: View, dueMs: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(false)
      const timer = this.#set(
        view,
        dueMs,
        () => {
          signal.removeEventListener('abort', onAbort)
          resolve(true)
        },
        'beat',
      )
      function onAbort(): void {
        timer.cancel()
        resolve(false)
      }
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}

/** One of the two clocks: how far it is ahead of the base. Never goes back. */
interface View {
  aheadMs: number
}

const unset: Timer = { cancel() {} }

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error(String(reason))
}
