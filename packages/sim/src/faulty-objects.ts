// The bucket of a world: memory behind a network that delays, loses, repeats late, truncates and corrupts.
import { onAbort } from '@local-kafka-service/agent'
import {
  abortedError,
  type ByteRange,
  type ListedObject,
  MemoryObjects,
  type ObjectStore,
  ObjectStoreError,
  type PutIfAbsent,
  type RemoveResult,
} from '@local-kafka-service/agent/simulation'
import { batchLayout, batchSizeAt } from '@local-kafka-service/protocol'
import type { Chance, Range } from './chance.ts'
import type { Life } from './life.ts'
import type { VirtualTime } from './sim-clock.ts'
import type { Trace } from './trace.ts'

export interface BucketFaults {
  readonly latencyMs: Range
  /** A slow put. */
  readonly slow: { readonly chance: number; readonly latencyMs: Range }
  /** A slow read. */
  readonly slowRead: { readonly chance: number; readonly latencyMs: Range }
  /** Rejected before anything was done. */
  readonly rejected: number
  /** Done, but the response is lost: the caller gets a time-out. */
  readonly lostReply: number
  /** The caller gets a time-out, and the put lands this much later. */
  readonly late: { readonly chance: number; readonly byMs: Range }
  /** The caller gets a time-out, and nothing was or will be done. */
  readonly never: number
  /** A read with one bit flipped. */
  readonly bitFlip: number
  /** A read that ended too early. The adapter reports it as 'corrupt'. */
  readonly shortRead: number
  /** Lists omit objects that were put within so many milliseconds. */
  readonly staleListMs: number
}

export const faultlessStore: BucketFaults = {
  latencyMs: [5, 20],
  slow: { chance: 0, latencyMs: [0, 0] },
  slowRead: { chance: 0, latencyMs: [0, 0] },
  rejected: 0,
  lostReply: 0,
  late: { chance: 0, byMs: [0, 0] },
  never: 0,
  bitFlip: 0,
  shortRead: 0,
  staleListMs: 0,
}

/** The fate of one put; a scenario may choose it itself. */
export type PutFate =
  | { readonly kind: 'stored'; readonly afterMs: number }
  | { readonly kind: 'rejected'; readonly afterMs: number }
  /** Lands after `landsMs` if that is given; the caller gets a time-out after `afterMs`. */
  | { readonly kind: 'unknown'; readonly afterMs: number; readonly landsMs?: number }

export interface BucketParts {
  readonly time: VirtualTime
  readonly chance: Chance
  readonly trace: Trace
  /** A key was given a second content, which no caller may ever do. */
  readonly secondContent: (key: string, life: string) => void
}

export class Bucket {
  faults: BucketFaults = faultlessStore
  /** While it is away every operation fails: half of them at once, half of them after the caller's time-out. */
  away = false
  /** A scenario's choice for one put; undefined leaves it to chance. */
  decide: ((key: string, puts: number) => PutFate | undefined) | undefined
  /** Until when a put whose caller got no answer may land. */
  latestLandingMs = 0
  readonly #parts: BucketParts
  readonly #stored = new MemoryObjects()
  readonly #storedAtMs = new Map<string, number>()
  #puts = 0

  constructor(parts: BucketParts) {
    this.#parts = parts
  }

  /** The real content, for the checker: without delay and fault. */
  get stored(): ObjectStore {
    return this.#stored
  }

  /** The bucket as one life reaches it. */
  of(life: Life): ObjectStore {
    return {
      put: (key, body, signal) => this.#put(life, key, body, signal),
      putIfAbsent: (key, body, signal) => this.#putIfAbsent(life, key, body, signal),
      read: (key, range, signal) => this.#read(life, key, range, signal),
      remove: (keys, signal) => this.#remove(life, keys, signal),
      list: (prefix, options) => this.#list(life, prefix, options),
      close: async () => {},
    }
  }

  #put(life: Life, key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    const sizeBytes = body.reduce((sum, { length }) => sum + length, 0)
    let sent: Buffer | undefined
    // Reads the body at the end of the request, and not again after it: then its memory belongs to the caller.
    const send = (): Buffer => (sent ??= Buffer.concat(body))
    return this.#write(life, { what: `put ${key} (${sizeBytes} bytes)`, key, signal, send, land: () => this.#land(life, key, send()) })
  }

  #putIfAbsent(life: Life, key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<PutIfAbsent> {
    const land = async (): Promise<PutIfAbsent> => {
      const created = await this.#stored.putIfAbsent(key, body)
      this.#parts.trace.write('bucket', `${key} of ${life.name}: ${created}`)
      return created
    }
    return this.#write(life, { what: `create ${key}`, key, signal, send() {}, land })
  }

  /** Lands when its fate says so, even if the caller no longer waits for it. */
  async #write<T>(
    life: Life,
    {
      what,
      key,
      signal,
      send,
      land,
    }: {
      readonly what: string
      readonly key: string
      readonly signal: AbortSignal | undefined
      readonly send: () => void
      readonly land: () => Promise<T>
    },
  ): Promise<T> {
    const { time, trace } = this.#parts
    if (life.state === 'dead') return await never()
    this.#puts += 1
    const fate = this.decide?.(key, this.#puts) ?? this.#fate()
    trace.write(life.name, `${what}: ${fate.kind} after ${fate.afterMs.toFixed(1)} ms`)
    const landed = fate.kind === 'stored' ? time.sleep(fate.afterMs).then(land) : undefined
    if (fate.kind === 'unknown' && fate.landsMs !== undefined) {
      this.latestLandingMs = Math.max(this.latestLandingMs, time.nowMs + fate.landsMs)
      time.after(fate.landsMs, () => void land())
    }
    onAbort(signal, send)
    return await this.#answer(life, what, {
      afterMs: fate.afterMs,
      applied: 'unknown',
      signal,
      answer: async () => {
        send()
        if (landed !== undefined) return await landed
        if (fate.kind === 'rejected') throw new ObjectStoreError('unavailable', 'no', `${what}: 503`)
        throw new ObjectStoreError('timeout', 'unknown', `${what}: no response`)
      },
    })
  }

  #read(life: Life, key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    const { chance, trace } = this.#parts
    const { slowRead } = this.faults
    // Worlds without slow reads draw nothing for them.
    const isSlow = slowRead.chance > 0 && chance.happens(slowRead.chance)
    return this.#answer(life, `read ${key}`, {
      afterMs: isSlow ? chance.between(slowRead.latencyMs) : this.#latency(),
      applied: 'no',
      signal,
      answer: async () => {
        if (this.away || chance.happens(this.faults.rejected)) throw new ObjectStoreError('unavailable', 'no', `read ${key}: 503`)
        const bytes = await this.#stored.read(key, range)
        if (chance.happens(this.faults.shortRead)) {
          trace.write(life.name, `read ${key}: truncated`)
          throw new ObjectStoreError('corrupt', 'no', `read ${key}: the response ended too early`)
        }
        if (!chance.happens(this.faults.bitFlip) || bytes.length === 0) return bytes
        const flipped = Uint8Array.from(bytes)
        const at = chance.pick([chance.whole([0, flipped.length - 1]), worstByte(flipped, chance)])
        flipped[at] = (flipped[at] ?? 0) ^ (1 << chance.whole([0, 7]))
        trace.write(life.name, `read ${key}: a bit of byte ${at} flipped`)
        return flipped
      },
    })
  }

  #remove(life: Life, keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    return this.#answer(life, 'remove', {
      afterMs: this.#latency(),
      applied: 'unknown',
      signal,
      answer: () => this.#stored.remove(keys),
    })
  }

  async *#list(
    life: Life,
    prefix: string,
    options: { readonly after?: string; readonly signal?: AbortSignal } = {},
  ): AsyncIterable<ListedObject> {
    const { time } = this.#parts
    const listed = await this.#answer(life, `list ${prefix}`, {
      afterMs: this.#latency(),
      applied: 'no',
      signal: options.signal,
      answer: async () => {
        if (this.away) throw new ObjectStoreError('unavailable', 'no', `list ${prefix}: 503`)
        const found: ListedObject[] = []
        for await (const object of this.#stored.list(prefix, options.after === undefined ? {} : { after: options.after }))
          if (time.nowMs - (this.#storedAtMs.get(object.key) ?? Number.NEGATIVE_INFINITY) >= this.faults.staleListMs) found.push(object)
        return found
      },
    })
    yield* listed
  }

  async #land(life: Life, key: string, bytes: Buffer): Promise<void> {
    const { time, trace } = this.#parts
    trace.write('bucket', `${key} of ${life.name} is there`)
    if (!this.#storedAtMs.has(key)) this.#storedAtMs.set(key, time.nowMs)
    const there = await this.#stored.read(key).catch(() => undefined)
    if (there !== undefined && !bytes.equals(there)) this.#parts.secondContent(key, life.name)
    else await this.#stored.put(key, [bytes])
  }

  #fate(): PutFate {
    const { chance } = this.#parts
    const { faults } = this
    const afterMs = this.#latency()
    if (this.away)
      return chance.happens(0.5) ? { kind: 'rejected', afterMs } : { kind: 'unknown', afterMs: afterMs + chance.between([1_000, 8_000]) }
    if (chance.happens(faults.rejected)) return { kind: 'rejected', afterMs }
    if (chance.happens(faults.lostReply)) return { kind: 'unknown', afterMs: afterMs + chance.between([200, 4_000]), landsMs: afterMs }
    if (chance.happens(faults.late.chance)) return { kind: 'unknown', afterMs, landsMs: afterMs + chance.between(faults.late.byMs) }
    if (chance.happens(faults.never)) return { kind: 'unknown', afterMs: afterMs + chance.between([200, 4_000]) }
    if (chance.happens(faults.slow.chance)) return { kind: 'stored', afterMs: chance.between(faults.slow.latencyMs) }
    return { kind: 'stored', afterMs }
  }

  #latency(): number {
    return this.#parts.chance.between(this.faults.latencyMs)
  }

  /** The response reaches the life through its gate; its signal ends the wait, not the operation. */
  #answer<T>(
    life: Life,
    what: string,
    options: {
      readonly afterMs: number
      readonly applied: 'no' | 'unknown'
      readonly signal: AbortSignal | undefined
      readonly answer: () => Promise<T>
    },
  ): Promise<T> {
    const { signal, applied } = options
    if (life.state === 'dead') return never()
    if (signal?.aborted === true) return Promise.reject(abortedError('no', what))
    return new Promise((resolve, reject) => {
      const release = onAbort(signal, () => reject(abortedError(applied, what)))
      const settle = (callback: () => void): void =>
        life.deliver(() => {
          release()
          callback()
        })
      this.#parts.time.after(options.afterMs, () => {
        options.answer().then(
          (value) => settle(() => resolve(value)),
          (error: unknown) => settle(() => reject(error)),
        )
      })
    })
  }
}

/** A dead life sends nothing and receives nothing. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => {})
}

const { length, lastOffsetDelta } = batchLayout
/** The last byte of the length, and all bytes of the last offset delta. */
const decisiveBytes = [length + 3, ...[0, 1, 2, 3].map((byte) => lastOffsetDelta + byte)]

/** A byte of a batch's length or of its last offset delta, which determine where the next batch begins and which offsets it has. Any byte if there is no batch. */
function worstByte(bytes: Uint8Array, chance: Chance): number {
  const headers: number[] = []
  for (let at = 0; at + batchLayout.records <= bytes.length; at += 1) {
    const size = bytes[at + batchLayout.magic] === 2 ? batchSizeAt(bytes, at) : undefined
    if (size !== undefined && at + size <= bytes.length) headers.push(at)
  }
  if (headers.length === 0) return 0
  return chance.pick(headers) + chance.pick(decisiveBytes)
}
