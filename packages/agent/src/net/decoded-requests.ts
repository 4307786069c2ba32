// The memory of decoded requests, from their decoding to their answers. Small requests never wait. Large ones are decoded one at a time, and wait for their memory before they are handled.
import { type Api, decodeRequest, decodeRequestInSteps, Produce, type RequestOf } from '@local-kafka-service/protocol'
import type { WantedMemory } from '../api/request-context.ts'
import { fixedLimits, type Limits } from '../limits.ts'
import { ByteBudget, type ByteGauge } from '../observe/byte-budget.ts'
import type { Clock } from '../time/clock.ts'
import { Slots } from '../time/slots.ts'
import { finished, type Turns } from '../time/turns.ts'

export interface DecodedRequestsParts {
  readonly clock: Clock
  readonly turns: Turns
  readonly limits: Pick<Limits, 'decodedRequestBytes' | 'admissionWaitMs'>
}

/** Where a request begins in its frame. */
export interface EncodedRequest {
  readonly api: Api
  readonly version: number
  readonly frame: Uint8Array
  readonly bodyAt: number
}

export interface DecodedRequest {
  readonly request: RequestOf<Api>
  /** Undefined: there was no memory in time, so the request must be rejected. */
  readonly memory: RequestMemory | undefined
}

/** What one request holds until it is answered. A small one is never wanted. */
export interface RequestMemory extends WantedMemory {
  /** Idempotent. */
  release(): void
}

export class DecodedRequests {
  readonly #parts: DecodedRequestsParts
  readonly #limitBytes: number
  /** One large request always fits when no other is held. */
  readonly #large: ByteBudget
  readonly #decoding = new Slots(1)
  /** The number of connections bounds them. */
  #smallBytes = 0
  #waiting = 0
  readonly #watchers = new Set<() => void>()

  constructor(parts: DecodedRequestsParts) {
    this.#parts = parts
    this.#limitBytes = parts.limits.decodedRequestBytes
    this.#large = new ByteBudget(Math.floor(this.#limitBytes * fixedLimits.largeRequestsPart))
  }

  get gauge(): ByteGauge {
    return { usedBytes: this.#large.usedBytes + this.#smallBytes, limitBytes: this.#limitBytes }
  }

  /** Throws, or rejects with, a ProtocolError if the bytes are not such a request, and the signal's reason if it aborts before its turn. */
  decode(encoded: EncodedRequest, signal: AbortSignal): DecodedRequest | Promise<DecodedRequest> {
    const { api, version, frame, bodyAt } = encoded
    if (frame.length <= fixedLimits.decodedInTurnBytes)
      return { request: decodeRequest(api, version, frame, bodyAt), memory: this.#small(encoded) }
    const steps = decodeRequestInSteps(api, version, frame, bodyAt)
    const first = steps.next()
    if (first.done === true) return { request: first.value, memory: this.#small(encoded) }
    return this.#decoding.run(() => this.#decodeLarge(steps, first.value, signal), signal)
  }

  async #decodeLarge(steps: Iterator<number, RequestOf<Api>>, began: number, signal: AbortSignal): Promise<DecodedRequest> {
    const counted = new CountedSteps(steps, began)
    const request = await finished(counted, this.#parts.turns, fixedLimits.elementsPerUnit)
    const bytes = Math.min(counted.elements * fixedLimits.decodedElementBytes, Math.floor(this.#limitBytes * fixedLimits.largeRequestsPart))
    return { request, memory: (await this.#take(bytes, signal)) ? this.#holding(bytes) : undefined }
  }

  async #take(bytes: number, signal: AbortSignal): Promise<boolean> {
    if (this.#large.tryTake(bytes)) return true
    const { clock, limits } = this.#parts
    this.#waiting += 1
    for (const wake of new Set(this.#watchers)) wake()
    const taken = await this.#large.takeWhenFits(bytes, { signal, timeoutMs: limits.admissionWaitMs, clock })
    this.#waiting -= 1
    return taken
  }

  #holding(bytes: number): RequestMemory {
    const isWanted = (): boolean => this.#waiting > 0
    let isHeld = true
    return {
      get isWanted() {
        return isWanted()
      },
      onWanted: (wake) => {
        this.#watchers.add(wake)
        return () => void this.#watchers.delete(wake)
      },
      release: () => {
        if (isHeld) this.#large.release(bytes)
        isHeld = false
      },
    }
  }

  #small({ api, frame }: EncodedRequest): RequestMemory {
    // Most bytes of a Produce are records, which other budgets count.
    const perByte = api.key === Produce.key ? 0 : fixedLimits.decodedBytesPerByte
    const bytes = Math.min(frame.length, fixedLimits.decodedInTurnBytes) * perByte
    this.#smallBytes += bytes
    let isHeld = true
    return {
      ...neverWanted,
      release: () => {
        if (isHeld) this.#smallBytes -= bytes
        isHeld = false
      },
    }
  }
}

const neverWanted: WantedMemory = { isWanted: false, onWanted: () => () => {} }

/** The steps of a decoder, of which the first is done, with the number of elements so far. */
class CountedSteps implements Iterator<number, RequestOf<Api>> {
  readonly #steps: Iterator<number, RequestOf<Api>>
  elements: number

  constructor(steps: Iterator<number, RequestOf<Api>>, elements: number) {
    this.#steps = steps
    this.elements = elements
  }

  next(): IteratorResult<number, RequestOf<Api>> {
    const step = this.#steps.next()
    if (step.done !== true) this.elements += step.value
    return step
  }
}
