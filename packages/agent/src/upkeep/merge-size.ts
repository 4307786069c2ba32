// The size that merged objects aim at: as large as the line to the store can take within the time that a PUT has.
import { fixedLimits } from '../limits.ts'
import { type ObjectStore, ObjectStoreError } from '../objects/object-store.ts'
import type { Clock } from '../time/clock.ts'

export interface MergeSizeParts {
  readonly objects: Pick<ObjectStore, 'put'>
  readonly clock: Pick<Clock, 'monotonic'>
  /** `mergeObjectBytes`. */
  readonly maxBytes: number
}

/**
 * The time-out of a PUT does not depend on its size, so on a slow line a large object can never be stored. Each such time-out makes the next objects half as large, down to the least size, which is
 * that of a full flush: it has the same time. Full objects that are stored quickly make the next ones larger again. What timed out may still land; nothing will refer to it.
 */
export class MergeSize implements Pick<ObjectStore, 'put'> {
  readonly #parts: MergeSizeParts
  readonly #leastBytes: number
  #objectBytes: number

  constructor(parts: MergeSizeParts) {
    this.#parts = parts
    this.#leastBytes = Math.floor(parts.maxBytes * fixedLimits.mergeLeastPart)
    this.#objectBytes = parts.maxBytes
  }

  /** Of the next merged object. */
  get objectBytes(): number {
    return this.#objectBytes
  }

  /** Stores a merged object. Rejects as the store does. */
  async put(key: string, body: Parameters<ObjectStore['put']>[1], signal?: AbortSignal): Promise<void> {
    const { objects, clock } = this.#parts
    const sizeBytes = body.reduce((sum, chunk) => sum + chunk.length, 0)
    const beganMs = clock.monotonic()
    try {
      await objects.put(key, body, signal)
    } catch (error) {
      if (error instanceof ObjectStoreError && error.kind === 'timeout') this.#timedOut(sizeBytes)
      throw error
    }
    if (clock.monotonic() - beganMs < fixedLimits.quickMergePutMs) this.#storedQuickly(sizeBytes)
  }

  /** A store that does not even take a full flush is away: its time-outs say nothing about sizes. */
  #timedOut(sizeBytes: number): void {
    if (sizeBytes > this.#leastBytes) this.#objectBytes = Math.max(this.#leastBytes, Math.min(this.#objectBytes, Math.floor(sizeBytes / 2)))
  }

  #storedQuickly(sizeBytes: number): void {
    if (sizeBytes > this.#objectBytes / 2) this.#objectBytes = Math.min(this.#parts.maxBytes, this.#objectBytes * 2)
  }
}
