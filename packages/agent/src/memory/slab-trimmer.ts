// Gives memory back that a burst of work has left in the pool.
import { fixedLimits } from '../limits.ts'
import type { Clock } from '../time/clock.ts'
import { every } from '../time/every.ts'
import type { SlabPool } from './slab-pool.ts'

export interface SlabTrimmerParts {
  readonly memory: Pick<SlabPool, 'trim'>
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
}

export class SlabTrimmer {
  readonly #parts: SlabTrimmerParts

  constructor(parts: SlabTrimmerParts) {
    this.#parts = parts
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { memory, clock } = this.#parts
    for await (const _ of every(clock, fixedLimits.slabTrimMs, signal)) memory.trim()
  }
}
