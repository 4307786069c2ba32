// One client's connection, without I/O of its own: it takes requests one at a time, and sends answers strictly in the order of the requests.
import { FrameSplitter, ProtocolError } from '@local-kafka-service/protocol'
import { fixedLimits, type Limits } from '../limits.ts'
import type { Held } from '../observe/events.ts'
import type { Clock, Timer } from '../time/clock.ts'
import type { FramePool, Pin } from './frame-pin.ts'
import type { Answer, Closing, Handled } from './handled.ts'
import type { Socket, SocketEvents } from './network.ts'
import type { Claim, Permits } from './permits.ts'
import type { TurnCounter, TurnShare } from './turn-counter.ts'

export interface ConnectionParts {
  readonly socket: Socket
  readonly clock: Clock
  /** Small frames have their own pool, so that a heartbeat never waits for produce requests. */
  readonly permits: { readonly small: Permits; readonly large: Permits }
  readonly memory: FramePool
  readonly limits: Pick<Limits, 'smallFrameBytes' | 'requestsInFlightPerConnection' | 'socketPendingBytes' | 'socketReadAheadBytes'>
  readonly idleMs: number
  /** Shared by all connections that must not block each other. */
  readonly turns: TurnCounter
  /**
   * Handles one request, without its size prefix. Settles when the connection may take its next request; never rejects. The handler may release the pin
   * earlier; settling does so at the latest, and then the next frame may overwrite the bytes.
   */
  readonly handle: (frame: Uint8Array, signal: AbortSignal, pin: Pin) => Promise<Handled>
  readonly onProtocolError: (error: ProtocolError) => void
  /** The connection is closed because others waited for resources that it held without progress. `onClosed` follows. */
  readonly onGaveWay: (held: Held, message: string) => void
  /** Called exactly once. */
  readonly onClosed: (closing: Closing) => void
}

interface Slot {
  answer: Answer | undefined
}

/** A frame's first reservation. Each further one doubles the total, but adds at most `largestStepBytes`. */
const firstStepBytes = 512
const largestStepBytes = 256 * 1024

/** The reason of the signal of a connection that was closed. Made once: thousands may be closed in one turn. */
const gone = new Error('the connection was closed')

/** The reason of the signals of all connections, by identity, when the agent stops. */
const stopping = new Error('the agent stops')

/** Whether the connection's signal was aborted because the agent stops: requests that it took are still answered. */
export function isStopping(signal: AbortSignal): boolean {
  return signal.reason === stopping
}

export class Connection implements SocketEvents {
  readonly #parts: ConnectionParts
  readonly #frames: FrameSplitter
  readonly #gone = new AbortController()
  readonly #slots: Slot[] = []
  #state: 'open' | 'draining' | 'ending' | 'closed' = 'open'
  #closing: Closing = { cause: 'client', reason: 'closed by the client' }
  #claim: Claim | undefined
  #handling = false
  /** The number of requests without an answer whose outcome is still unknown. */
  #silent = 0
  /** The bytes of answers that wait for an earlier one. */
  #heldBytes = 0
  /** The callbacks to call when the operating system has everything that was written. */
  readonly #unsent: (() => void)[] = []
  /** All bytes that were ever written. */
  #writtenBytes = 0
  /** The bytes that the operating system had accepted at the last progress, and its time. */
  #accepted = { bytes: 0, atMs: 0 }
  readonly #turns: TurnShare
  #paused = false
  #mutedUntilMs = 0
  #activeAtMs: number
  #dataAtMs: number
  readonly #timers: { idle?: Timer; stall?: Timer; mute?: Timer; linger?: Timer } = {}

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    this.#frames = new FrameSplitter({ maxBytes: fixedLimits.requestBytes, memory: parts.memory })
    this.#turns = parts.turns.share(() => this.#advance())
    this.#activeAtMs = parts.clock.monotonic()
    this.#dataAtMs = this.#activeAtMs
    this.#watchIdle()
  }

  /** True until the connection has sent a whole request. */
  get silent(): boolean {
    return this.#turns.taken === 0
  }

  /** The start of the idle time, on the monotonic clock; undefined while a request is being handled or an answer is not sent. */
  get idleSinceMs(): number | undefined {
    return this.#busy || this.#parts.socket.pendingBytes > 0 ? undefined : this.#activeAtMs
  }

  /** The time since which the operating system has accepted no bytes of the answers that this connection holds, on the monotonic clock; undefined when it holds none. */
  get stalledSinceMs(): number | undefined {
    const { socket, clock } = this.#parts
    if (this.#state !== 'open' || this.#unsent.length === 0) return undefined
    const bytes = this.#writtenBytes - socket.pendingBytes
    if (bytes > this.#accepted.bytes) this.#accepted = { bytes, atMs: clock.monotonic() }
    return this.#accepted.atMs
  }

  data(chunk: Uint8Array): void {
    if (this.#state !== 'open') return
    this.#dataAtMs = this.#parts.clock.monotonic()
    this.#frames.push(chunk)
    this.#advance()
  }

  drained(): void {
    this.#accepted = { bytes: this.#writtenBytes, atMs: this.#parts.clock.monotonic() }
    this.#activeAtMs = this.#parts.clock.monotonic()
    this.#tellSent()
    this.#advance()
  }

  closed(error?: Error): void {
    if (this.#state === 'closed') return
    const closing: Closing = this.#state === 'open' && error !== undefined ? { cause: 'network', reason: error.message } : this.#closing
    this.#state = 'closed'
    this.#gone.abort(gone)
    this.#claim?.release()
    this.#frames.clear()
    for (const timer of Object.values(this.#timers)) timer.cancel()
    this.#tellSent()
    for (const { answer } of this.#slots.splice(0)) answer?.sent?.()
    this.#parts.onClosed(closing)
  }

  /** Takes no more requests, ends long polls, and closes once every admitted request is answered. */
  drain(): void {
    if (this.#state !== 'open') return
    this.#state = 'draining'
    this.#closing = { cause: 'stop', reason: stopping.message }
    this.#claim?.release()
    this.#claim = undefined
    this.#gone.abort(stopping)
    this.#endWhenAnswered()
  }

  /** Sends everything that was written, then closes. */
  end(reason: string): void {
    this.#end({ cause: 'asked', reason })
  }

  /** Closes at once; unsent answers are lost. */
  destroy(closing: Closing): void {
    if (this.#state === 'closed') return
    if (this.#state === 'open') this.#closing = closing
    this.#state = 'ending'
    this.#parts.socket.destroy()
  }

  /** Closes at once, to free resources for other connections. */
  giveWay(held: Held, reason: string): void {
    if (this.#state !== 'open') return
    this.#parts.onGaveWay(held, reason)
    this.destroy({ cause: 'gave way', reason })
    this.#claim?.release()
  }

  get #busy(): boolean {
    return this.#handling || this.#slots.length > 0 || this.#silent > 0
  }

  /** Takes the next request if it has arrived and there is room for it. Called after every change that may allow it. */
  #advance(): void {
    if (this.#state !== 'open') return
    const frame = this.#mayTake() && this.#turns.free() ? this.#nextFrame() : undefined
    if (frame !== undefined) void this.#take(frame)
    this.#regulate()
  }

  #mayTake(): boolean {
    const { socket, limits } = this.#parts
    return (
      !this.#handling &&
      this.#slots.length + this.#silent < limits.requestsInFlightPerConnection &&
      this.#heldBytes + socket.pendingBytes < limits.socketPendingBytes &&
      this.#mutedUntilMs === 0
    )
  }

  #nextFrame(): Uint8Array | undefined {
    try {
      const sizeBytes = this.#frames.size()
      if (sizeBytes === undefined || !this.#reserve(sizeBytes)) return undefined
      if (this.#frames.bodyBytes === sizeBytes) {
        this.#claim?.complete()
        if (!this.#turns.freeFor(sizeBytes)) return undefined
      }
      const frame = this.#frames.take()
      if (frame === undefined) this.#watchStall()
      return frame
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#parts.onProtocolError(error)
      this.#end({ cause: 'misunderstood', reason: error.message })
      return undefined
    }
  }

  /** Returns false while the frame waits for permits; `#advance` then runs again. */
  #reserve(sizeBytes: number): boolean {
    const { permits, limits } = this.#parts
    this.#claim ??= (sizeBytes <= limits.smallFrameBytes ? permits.small : permits.large).claim(() => this.#tooSlow(sizeBytes))
    const claim = this.#claim
    if (claim.waits) return false
    const { bodyBytes } = this.#frames
    const granted = (): void => this.#advance()
    if (bodyBytes === sizeBytes) return claim.heldBytes === sizeBytes || claim.reserve(sizeBytes - claim.heldBytes, granted, 'whole')
    // Reserves at least one step ahead, so that bytes are reserved before they are read.
    while (claim.heldBytes < sizeBytes && claim.heldBytes <= bodyBytes) {
      const step = Math.min(Math.max(firstStepBytes, claim.heldBytes), largestStepBytes)
      if (!claim.reserve(Math.min(step, sizeBytes - claim.heldBytes), granted)) return false
    }
    return true
  }

  #tooSlow(sizeBytes: number): void {
    const { bodyBytes } = this.#frames
    this.giveWay(
      'request',
      `only ${bodyBytes} of the ${sizeBytes} bytes of its request had arrived, and other requests waited for the memory`,
    )
  }

  #stalled(): void {
    const { bodyBytes } = this.#frames
    const seconds = fixedLimits.frameStallMs / 1000
    this.giveWay('request', `only ${bodyBytes} bytes of its request had arrived, and no more came for ${seconds} s`)
  }

  async #take(frame: Uint8Array): Promise<void> {
    this.#handling = true
    this.#activeAtMs = this.#parts.clock.monotonic()
    this.#turns.take(frame.length)
    const pin = this.#parts.memory.pin(frame, this.#claim)
    this.#claim = undefined
    const handled = await this.#parts.handle(frame, this.#gone.signal, pin)
    pin.release()
    this.#handling = false
    this.#settle(handled)
    this.#endWhenAnswered()
    this.#advance()
  }

  #settle(handled: Handled): void {
    switch (handled.kind) {
      case 'now':
        this.#fill(this.#slot(), handled.answer)
        return
      case 'later': {
        const slot = this.#slot()
        void handled.answer.then((answer) => {
          this.#fill(slot, answer)
          this.#endWhenAnswered()
          this.#advance()
        })
        return
      }
      case 'none':
        void this.#awaitSilently(handled.close)
        return
      case 'close':
        this.#end(handled)
    }
  }

  async #awaitSilently(close: Promise<boolean> | boolean): Promise<void> {
    this.#silent += 1
    const closes = await close
    this.#silent -= 1
    if (closes) this.#end({ cause: 'failed request', reason: 'a request that expects no answer failed' })
    this.#endWhenAnswered()
    this.#advance()
  }

  #slot(): Slot {
    const slot: Slot = { answer: undefined }
    this.#slots.push(slot)
    return slot
  }

  #fill(slot: Slot, answer: Answer): void {
    if (this.#state === 'closed') {
      answer.sent?.()
      return
    }
    slot.answer = answer
    this.#heldBytes += answer.sizeBytes
    this.#send()
  }

  /** Sends the answers that are ready at the head of the queue, in one write. */
  #send(): void {
    if (this.#state !== 'open' && this.#state !== 'draining') return
    const chunks: Uint8Array[] = []
    let thenClose = false
    while (this.#slots[0]?.answer !== undefined && !thenClose) {
      const { answer } = this.#slots[0]
      this.#slots.shift()
      this.#heldBytes -= answer.sizeBytes
      for (const chunk of answer.chunks) chunks.push(chunk)
      if (answer.sent !== undefined) this.#unsent.push(answer.sent)
      thenClose = answer.thenClose
      if (answer.throttleMs > 0) this.#mute(answer.throttleMs)
    }
    if (chunks.length > 0) this.#write(chunks)
    if (thenClose)
      this.#end({ cause: 'failed request', reason: 'a request failed, so later requests of the connection must not be answered' })
  }

  #write(chunks: readonly Uint8Array[]): void {
    const { socket, clock } = this.#parts
    this.#activeAtMs = clock.monotonic()
    // A write counts as progress only if the socket has no earlier bytes pending.
    if (socket.pendingBytes === 0) this.#accepted = { bytes: this.#writtenBytes, atMs: this.#activeAtMs }
    for (const chunk of chunks) this.#writtenBytes += chunk.length
    if (socket.write(chunks)) this.#tellSent()
  }

  #tellSent(): void {
    for (const sent of this.#unsent.splice(0)) sent()
  }

  #mute(forMs: number): void {
    const { clock } = this.#parts
    this.#mutedUntilMs = Math.max(this.#mutedUntilMs, clock.monotonic() + forMs)
    this.#timers.mute?.cancel()
    // The timer decides, not the time: a real timer may fire some microseconds early, and there is no later check.
    this.#timers.mute = clock.after(this.#mutedUntilMs - clock.monotonic(), () => {
      this.#mutedUntilMs = 0
      this.#advance()
    })
  }

  /** Sends everything that was written, then closes; a client that does not read it is disconnected after `fixedLimits.lingerMs`. */
  #end({ cause, reason }: Closing): void {
    if (this.#state === 'ending' || this.#state === 'closed') return
    if (this.#state === 'open') this.#closing = { cause, reason }
    this.#state = 'ending'
    this.#gone.abort(new Error(reason))
    const { socket, clock } = this.#parts
    socket.end()
    this.#timers.linger = clock.after(fixedLimits.lingerMs, () => socket.destroy())
    // Further bytes are dropped, but must be read: a paused socket does not detect that the client has disconnected.
    if (this.#paused) socket.resume()
  }

  #endWhenAnswered(): void {
    if (this.#state === 'draining' && !this.#handling && this.#slots.length === 0 && this.#silent === 0) this.#end(this.#closing)
  }

  /** Reads while the next frame needs more bytes, and otherwise a little ahead, so that a long poll detects the end of its connection. */
  #regulate(): void {
    if (this.#state !== 'open') return
    const waitsForPermits = this.#claim?.waits === true
    const wanted = this.#mayTake() ? !waitsForPermits : this.#frames.bufferedBytes < this.#parts.limits.socketReadAheadBytes
    if (wanted === !this.#paused) return
    this.#paused = !wanted
    if (wanted) this.#parts.socket.resume()
    else this.#parts.socket.pause()
  }

  /** One timer that checks again, instead of one per request. */
  #watchIdle(): void {
    const { clock, idleMs } = this.#parts
    const leftMs = this.#activeAtMs + idleMs - clock.monotonic()
    this.#timers.idle = clock.after(Math.max(1, leftMs), () => {
      if (this.#busy) this.#activeAtMs = clock.monotonic()
      if (clock.monotonic() - this.#activeAtMs >= idleMs) this.destroy({ cause: 'idle', reason: 'idle' })
      else this.#watchIdle()
    })
  }

  /** A frame that stops arriving must not hold its bytes indefinitely. */
  #watchStall(): void {
    if (this.#timers.stall !== undefined) return
    const { clock } = this.#parts
    const leftMs = this.#dataAtMs + fixedLimits.frameStallMs - clock.monotonic()
    this.#timers.stall = clock.after(Math.max(1, leftMs), () => {
      delete this.#timers.stall
      if (this.#claim === undefined || this.#handling) return
      if (this.#paused) this.#dataAtMs = clock.monotonic()
      if (clock.monotonic() - this.#dataAtMs >= fixedLimits.frameStallMs) this.#stalled()
      else this.#watchStall()
    })
  }
}
