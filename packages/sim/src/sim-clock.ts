// Virtual time: one queue of due callbacks.
import type { Timer } from '@local-kafka-service/agent'

interface Due {
  readonly atMs: number
  readonly order: number
  readonly callback: () => void
  cancelled: boolean
}

/** The wall clock of every world at its start: 2026-01-01T00:00:00Z. */
const epochMs = 1_767_225_600_000

/** More callbacks than this in one instant mean an endless loop. */
const eventsAtOnce = 100_000

/** Between two instants only promises run, until none can continue, so that the behaviour depends only on the queue. */
export class VirtualTime {
  readonly #heap: Due[] = []
  #order = 0
  #nowMs = 0
  #events = 0

  /** Milliseconds since the world started; not rounded. */
  get nowMs(): number {
    return this.#nowMs
  }

  get wallMs(): number {
    return epochMs + Math.floor(this.#nowMs)
  }

  /** The number of callbacks so far. */
  get events(): number {
    return this.#events
  }

  after(delayMs: number, callback: () => void): Timer {
    const due: Due = { atMs: this.#nowMs + Math.max(0, delayMs), order: (this.#order += 1), callback, cancelled: false }
    this.#push(due)
    return {
      cancel() {
        due.cancelled = true
      },
    }
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve))
  }

  /** Runs due callbacks in order until `done` returns true, the time is over, or the queue is empty. Returns whether it was done. */
  async run(done: () => boolean, untilMs: number): Promise<boolean> {
    for (let atOnce = 0; ; ) {
      await turn()
      if (done()) return true
      const next = this.#pop()
      if (next === undefined || next.atMs > untilMs) return false
      if (next.cancelled) continue
      atOnce = next.atMs > this.#nowMs ? 0 : atOnce + 1
      if (atOnce > eventsAtOnce) return false
      this.#nowMs = next.atMs
      this.#events += 1
      next.callback()
    }
  }

  #push(due: Due): void {
    const heap = this.#heap
    let at = heap.push(due) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || before(above, due)) break
      heap[at] = above
      at = parent
    }
    heap[at] = due
  }

  #pop(): Due | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      const left = heap[2 * at + 1]
      if (left === undefined) break
      const right = heap[2 * at + 2]
      const [child, index] = right !== undefined && before(right, left) ? [right, 2 * at + 2] : [left, 2 * at + 1]
      if (before(last, child)) break
      heap[at] = child
      at = index
    }
    heap[at] = last
    return first
  }
}

function before(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

/** Waits for one turn of the real event loop: when it ends, every promise that can run has run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
