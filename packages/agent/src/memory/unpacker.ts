// Unpacks the records of batches: small ones at once, large ones outside the event loop, with a bound on the unpacked bytes that all requests together hold.
import {
  type CodecName,
  type Codecs,
  declaredSize,
  decompress,
  decompressionError,
  ProtocolError,
  UnpackedSizeError,
} from '@local-kafka-service/protocol'
import { fixedLimits, type Limits } from '../limits.ts'
import { ByteBudget, type ByteGauge } from '../observe/byte-budget.ts'
import type { Clock } from '../time/clock.ts'
import { Slots } from '../time/slots.ts'

/** The records of one batch, as they are stored. */
export interface PackedRecords {
  readonly codec: CodecName
  readonly packed: Uint8Array
}

/**
 * Decompression outside the event loop; undefined for a codec that has none. The bytes must not change until the promise settles. It rejects as
 * `Codec.decompress` or `decompress` throws, and with a CodecThreadError. The simulator has none: there, all codecs are synchronous.
 */
export type RemoteCodecs = { readonly [Name in CodecName]?: (bytes: Uint8Array, maxBytes: number) => Promise<Uint8Array> }

export interface UnpackerParts {
  readonly codecs: Codecs
  readonly remoteCodecs?: RemoteCodecs
  readonly clock: Clock
  readonly limits: Pick<Limits, 'unpackedBytes'>
}

/** The unpacked records of other requests hold all memory for them, and released none in time: the request may be repeated. */
export class NoUnpackMemory extends Error {
  override readonly name = 'NoUnpackMemory'

  constructor() {
    super('The unpacked records of other requests hold all memory for them.')
  }
}

/** The thread that was unpacking ended, which says nothing about the bytes: the request may be repeated. A defect of this server, or no memory for the thread. */
export class CodecThreadError extends Error {
  override readonly name = 'CodecThreadError'
}

export class Unpacker {
  readonly #parts: UnpackerParts
  readonly #budget: ByteBudget
  readonly #slots = new Slots(fixedLimits.unpackingsAtATime)
  readonly #never = new AbortController().signal

  constructor(parts: UnpackerParts) {
    this.#parts = parts
    this.#budget = new ByteBudget(parts.limits.unpackedBytes)
  }

  get gauge(): ByteGauge {
    return this.#budget.gauge
  }

  /** The unpacked records, if they are so few that it costs less than a turn. Undefined: call `use`. Throws a ProtocolError as `decompress` does. */
  inTurn({ codec, packed }: PackedRecords): Uint8Array | undefined {
    if (codec === 'none') return packed.length <= fixedLimits.walkedInTurnBytes ? packed : undefined
    const sizeBytes = expectedSize(codec, packed)
    if (sizeBytes > fixedLimits.unpackedInTurnBytes) return undefined
    try {
      return decompress(codec, packed, this.#parts.codecs, sizeBytes)
    } catch (error) {
      if (error instanceof UnpackedSizeError) return undefined // they are more than they declare
      throw error
    }
  }

  /**
   * Calls `read` with the unpacked records, and settles as it does; they must not be kept after that. The memory of `packed` must stay as it is until then.
   * Rejects with a ProtocolError as `decompress` throws it, NoUnpackMemory or a CodecThreadError. An abort of the signal ends the wait for memory only.
   */
  async use<T>({ codec, packed }: PackedRecords, signal: AbortSignal, read: (unpacked: Uint8Array) => T | Promise<T>): Promise<T> {
    if (codec === 'none') return await read(packed)
    const expected = expectedSize(codec, packed)
    const { decompressedBytes } = fixedLimits
    for (const maxBytes of expected < decompressedBytes ? [expected, decompressedBytes] : [decompressedBytes]) {
      await this.#take(maxBytes, signal)
      try {
        const unpacked = await this.#unpacked(codec, packed, maxBytes)
        if (unpacked !== undefined) return await read(unpacked)
      } finally {
        this.#budget.release(maxBytes)
      }
    }
    throw decompressionError(codec, new RangeError('too large'), decompressedBytes)
  }

  async #take(bytes: number, signal: AbortSignal): Promise<void> {
    const taken = await this.#budget.takeWhenFits(bytes, { signal, timeoutMs: fixedLimits.unpackWaitMs, clock: this.#parts.clock })
    if (!taken) throw new NoUnpackMemory()
  }

  /** Undefined if the records are larger. What has begun is not interrupted: another thread may be reading the bytes. */
  async #unpacked(codec: CodecName, packed: Uint8Array, maxBytes: number): Promise<Uint8Array | undefined> {
    const { codecs, remoteCodecs } = this.#parts
    const remote = remoteCodecs?.[codec]
    try {
      if (remote === undefined) return decompress(codec, packed, codecs, maxBytes)
      return await this.#slots.run(() => remote(packed, maxBytes), this.#never)
    } catch (error) {
      if (error instanceof UnpackedSizeError || error instanceof RangeError) return undefined
      throw error instanceof ProtocolError || error instanceof CodecThreadError ? error : decompressionError(codec, error, maxBytes)
    }
  }
}

/** Where the records do not declare their size. JSON is packed to a tenth. */
const usualRatio = 10

function expectedSize(codec: CodecName, packed: Uint8Array): number {
  return Math.min(declaredSize(codec, packed) ?? packed.length * usualRatio, fixedLimits.decompressedBytes)
}
