// What one frame holds while it is read and handled: its share of the budget, and memory that is used again.
import type { FrameMemory } from '@local-kafka-service/protocol'
import type { Limits } from '../limits.ts'
import type { Slab, SlabPool } from '../memory/slab-pool.ts'
import type { Claim } from './permits.ts'

/** The memory of all frames. */
export class FramePool implements FrameMemory {
  readonly #slabs: SlabPool
  readonly #pooledFrameBytes: number

  constructor(slabs: SlabPool, { pooledFrameBytes }: Pick<Limits, 'pooledFrameBytes'>) {
    this.#slabs = slabs
    this.#pooledFrameBytes = pooledFrameBytes
  }

  allocate(sizeBytes: number): Uint8Array {
    return sizeBytes < this.#pooledFrameBytes ? Buffer.allocUnsafe(sizeBytes) : this.#slabs.take(sizeBytes).bytes
  }

  release(memory: Uint8Array): void {
    this.#slabs.slabOf(memory)?.release()
  }

  /** For a frame in memory of this pool, and its share of the budget. */
  pin(frame: Uint8Array, claim: Claim | undefined): FramePin {
    return new FramePin(claim, this.#slabs.slabOf(frame))
  }
}

export type Pin = Pick<FramePin, 'release' | 'abandonMemory'>

export class FramePin {
  readonly #claim: Claim | undefined
  readonly #slab: Slab | undefined
  #isReleased = false

  constructor(claim: Claim | undefined, slab: Slab | undefined) {
    this.#claim = claim
    this.#slab = slab
  }

  /** Nothing refers to the frame's bytes any more: the next frame may overwrite them. Idempotent. */
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#claim?.release()
    this.#slab?.release()
  }

  /** Something may refer to the frame's bytes after `release`, so they are never overwritten. */
  abandonMemory(): void {
    if (!this.#isReleased) this.#slab?.abandon()
  }
}
