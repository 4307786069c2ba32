// Compresses the records of batches: small ones at once, large ones outside the event loop, with a bound on the results that all requests together hold.
import { type CodecName, type Codecs, compress } from '@local-kafka-service/protocol'
import type { Compression } from '../core/log/validate.ts'
import { fixedLimits, type Limits } from '../limits.ts'
import { ByteBudget, type ByteGauge } from '../observe/byte-budget.ts'
import type { Clock } from '../time/clock.ts'
import { Slots } from '../time/slots.ts'
import { NoUnpackMemory } from './unpacker.ts'

/**
 * Compression outside the event loop; undefined for a codec that has none. The bytes must not change until the promise settles. It rejects with a
 * CodecThreadError. The simulator has none: there, all codecs are synchronous, and have one level.
 */
export type RemotePackers = { readonly [Name in CodecName]?: (bytes: Uint8Array, level: number | undefined) => Promise<Uint8Array> }

export interface PackerParts {
  readonly codecs: Codecs
  readonly remotePackers?: RemotePackers
  readonly clock: Clock
  readonly limits: Pick<Limits, 'repackedBytes'>
}

export class Packer {
  /** What one request may hold at a time, unless a single batch is larger. */
  readonly shareBytes: number
  readonly #parts: PackerParts
  readonly #budget: ByteBudget
  readonly #slots = new Slots(fixedLimits.unpackingsAtATime)
  readonly #never = new AbortController().signal

  constructor(parts: PackerParts) {
    this.#parts = parts
    this.#budget = new ByteBudget(parts.limits.repackedBytes)
    this.shareBytes = parts.limits.repackedBytes / 4
  }

  get gauge(): ByteGauge {
    return this.#budget.gauge
  }

  /** Takes memory for results of `bytes` together. Call the returned function when they are no longer held. Rejects with NoUnpackMemory. */
  async hold(bytes: number, signal: AbortSignal): Promise<() => void> {
    const timeoutMs = fixedLimits.unpackWaitMs
    if (!(await this.#budget.takeWhenFits(bytes, { signal, timeoutMs, clock: this.#parts.clock }))) throw new NoUnpackMemory()
    return () => this.#budget.release(bytes)
  }

  /** The compressed records, if they are so few that it costs less than a turn. Undefined: call `packed`, also for a level that `codecs` do not have. */
  inTurn({ codec, level }: Compression, records: Uint8Array): Uint8Array | undefined {
    if (level !== undefined || records.length > fixedLimits.packedInTurnBytes) return undefined
    return compress(codec, records, this.#parts.codecs)
  }

  /** The memory of `records` must stay as it is until the promise settles. Without a codec, they are the result. */
  async packed({ codec, level }: Compression, records: Uint8Array): Promise<Uint8Array> {
    const { codecs, remotePackers } = this.#parts
    const remote = remotePackers?.[codec]
    if (remote === undefined) return compress(codec, records, codecs)
    return await this.#slots.run(() => remote(records, level), this.#never)
  }
}
