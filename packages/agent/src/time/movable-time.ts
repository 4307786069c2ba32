// Time that a caller can move, over a clock that runs by itself: timers that are due during a move fire in order, as if the time had passed.
import type { Clock, Timer } from './clock.ts'
import { InFlight } from './in-flight.ts'

export interface MoveOptions {
  /** `keep`: the clock of sessions does not move. `expire`: it moves too. */
  readonly sessions: 'keep' | 'expire'
}

/** A pending timer. `MovableTime` fires it during a move of its clock; otherwise the machine's own clock does. */
interface PendingTimer {
  readonly view: View
  /** By the view's monotonic time. */
  readonly dueMs: number
  /** Timers that are due at the same time fire in the order in which they were set. */
  readonly order: number
  readonly callback: () => void
  /** A beat of `every`: it fires once, at the end of a move, also if several beats were missed. */
  readonly beat: boolean
  /** The number of timers of one move that led to this one, each set as a result of the last. */
  depth: number
  timer: Timer
}

/** The longest chain of timers, each set as a result of the last, that fires within one move: a client that polls repeatedly would never end. */
const longestChain = 64

/**
 * Two clocks over one base. `clock` is the time of records, offsets and requests. `sessions` is the time of group members: real clients send heartbeats in
 * real time, so each move says whether this clock moves too. Everything that takes real time (sockets, stores, leases) uses the base.
 */
export class MovableTime {
  readonly clock: Clock
  readonly sessions: Clock
  /** Running work that takes real time: a move waits for it before time continues. */
  readonly inFlight: InFlight
  readonly #base: Clock
  readonly #clock: View
  readonly #sessions: View
  /** For a database in another thread: one 64-bit integer, the time by which the clock is ahead. */
  readonly #shared = new SharedArrayBuffer(8)
  readonly #waiting = new Set<PendingTimer>()
  #order = 0
  #depth = 0
  /** The time by which `now` was set apart from the monotonic time. */
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

  /** Moves time forward by `byMs`, at least 0. A second move begins when the first has ended. */
  async advance(byMs: number, options: MoveOptions): Promise<void> {
    await this.#queue(() => this.#advance(byMs, options))
  }

  /** Sets the time to `nowMs`. A later time is an advance; an earlier one changes only `now`, because time-outs cannot be undone. */
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
    // The next move waits for the end of this one, also if it fails.
    this.#moving = moving.catch(() => {})
    await moving
  }

  async #advance(byMs: number, { sessions }: MoveOptions): Promise<void> {
    const views = sessions === 'expire' ? [this.#clock, this.#sessions] : [this.#clock]
    // Work that started before the move ends before it.
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
      // Fires beats, and timers that remain from a chain that was too long, once each.
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

  /** Fires a timer and waits for the work that it starts. */
  async #fire(waiting: PendingTimer): Promise<void> {
    waiting.timer.cancel()
    this.#waiting.delete(waiting)
    this.#depth = waiting.depth + 1
    waiting.callback()
    await this.inFlight.settled()
  }

  /** The next timer that is due within `withinMs`. */
  #next(views: readonly View[], withinMs: number): PendingTimer | undefined {
    let first: PendingTimer | undefined
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

  /** All timers that are due, in order. */
  #due(views: readonly View[]): readonly PendingTimer[] {
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
    const waiting: PendingTimer = { view, dueMs, order: this.#order, callback, beat: kind === 'beat', depth: this.#depth, timer: unset }
    this.#waiting.add(waiting)
    this.#arm(waiting)
    return {
      cancel: () => {
        this.#waiting.delete(waiting)
        waiting.timer.cancel()
      },
    }
  }

  #arm(waiting: PendingTimer): void {
    waiting.timer.cancel()
    waiting.timer = this.#base.after(Math.max(0, waiting.dueMs - this.#monotonic(waiting.view)), () => {
      if (this.#waiting.delete(waiting)) waiting.callback()
    })
  }

  #clockOf(view: View): Clock {
    const monotonic = (): number => this.#monotonic(view)
    return {
      // Whole milliseconds, like a timestamp: timers are due at fractions of a millisecond, and a move stops at each of them.
      now: () => Math.round(this.#base.now() + this.#wallMs + view.aheadMs),
      monotonic,
      after: (delayMs, callback, kind = 'timer') => this.#set(view, monotonic() + Math.max(0, delayMs), callback, kind),
      soon: (callback) => this.#base.soon(callback),
    }
  }
}

/** One of the two clocks, with the time by which it is ahead of the base. It never goes back. */
interface View {
  aheadMs: number
}

const unset: Timer = { cancel() {} }
