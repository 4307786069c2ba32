// A connection to another agent, as a Kafka client of it: it sends requests, and gets the answers in their order.
import {
  type Api,
  type DecodedResponseOf,
  decodeResponse,
  encodeRequest,
  FrameSplitter,
  ProtocolError,
  type RequestInputOf,
} from '@local-kafka-service/protocol'
import type { Forwarded } from '../api/forwarder.ts'
import { fixedLimits } from '../limits.ts'
import { errorText } from '../native-error.ts'
import type { Clock } from '../time/clock.ts'
import { orLate } from '../time/or-late.ts'
import type { ListenAddress, Network, Socket } from './network.ts'

export interface AgentLinkParts {
  readonly network: Pick<Network, 'connect'>
  readonly clock: Clock
  /** Called once. */
  readonly onClosed: () => void
}

interface AwaitedAnswer {
  readonly answer: (frame: Uint8Array) => void
  readonly lost: (why: string) => void
}

export class AgentLink {
  readonly #parts: AgentLinkParts
  readonly #frames = new FrameSplitter({ maxBytes: fixedLimits.requestBytes })
  readonly #pending: AwaitedAnswer[] = []
  #socket: Socket | undefined
  #lastCorrelationId = 0
  #closed: string | undefined
  #closesWhenIdle = false

  private constructor(parts: AgentLinkParts) {
    this.#parts = parts
  }

  /** Rejects with the network's error, or when the agent did not accept in time. */
  static async open(to: ListenAddress, parts: AgentLinkParts): Promise<AgentLink> {
    const link = new AgentLink(parts)
    const giveUp = new AbortController()
    const connecting = parts.network.connect(
      to,
      {
        data: (chunk) => link.#read(chunk),
        drained() {},
        closed: (error) => link.#end(error?.message ?? 'it closed the connection'),
      },
      giveUp.signal,
    )
    const socket = await orLate(connecting, { clock: parts.clock, afterMs: fixedLimits.forwardConnectMs }, undefined)
    if (socket === undefined) {
      giveUp.abort()
      throw new Error(`it did not accept a connection in ${fixedLimits.forwardConnectMs} ms`)
    }
    link.#socket = socket
    return link
  }

  get isOpen(): boolean {
    return this.#closed === undefined
  }

  /** Never rejects. A time-out closes the link: a later answer would be taken for that of a later request. */
  request<A extends Api>(
    api: A,
    request: RequestInputOf<A>,
    { version, clientId, timeoutMs }: { readonly version: number; readonly clientId: string; readonly timeoutMs: number },
  ): Promise<Forwarded<DecodedResponseOf<A>>> {
    const socket = this.#socket
    if (socket === undefined || this.#closed !== undefined)
      return Promise.resolve({ kind: 'not sent', why: this.#closed ?? 'it is not open' })
    this.#lastCorrelationId += 1
    const correlationId = this.#lastCorrelationId
    const { promise, resolve } = Promise.withResolvers<Forwarded<DecodedResponseOf<A>>>()
    const timer = this.#parts.clock.after(timeoutMs, () => this.close(`no answer in ${timeoutMs} ms`))
    this.#pending.push({
      answer(frame) {
        timer.cancel()
        const answered = decodeResponse(api, version, frame)
        if (answered.correlationId !== correlationId) throw new ProtocolError('an answer is out of order')
        resolve({ kind: 'answered', response: answered.response })
      },
      lost(why) {
        timer.cancel()
        resolve({ kind: 'lost', why })
      },
    })
    // The chunks may be views of the frame of the client's request, which stays as it is until the answer is here.
    socket.write(encodeRequest(api, { version, correlationId, clientId }, request))
    return promise
  }

  /** Ends it at once. */
  close(why: string): void {
    this.#socket?.destroy()
    this.#end(why)
  }

  /** Ends it as soon as no answer is awaited. */
  closeWhenIdle(): void {
    this.#closesWhenIdle = true
    if (this.#pending.length === 0) this.close('it is not needed any more')
  }

  #read(chunk: Uint8Array): void {
    if (this.#closed !== undefined) return
    this.#frames.push(chunk)
    try {
      for (let frame = this.#frames.take(); frame !== undefined; frame = this.#frames.take()) {
        const next = this.#pending.shift()
        if (next === undefined) throw new ProtocolError('an answer without a request')
        try {
          next.answer(frame)
        } catch (error) {
          next.lost(errorText(error))
          throw error
        }
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.close(`its answer is not valid: ${error.message}`)
    }
    if (this.#closesWhenIdle && this.#pending.length === 0) this.close('it is not needed any more')
  }

  #end(why: string): void {
    if (this.#closed !== undefined) return
    this.#closed = why
    this.#frames.clear()
    for (const { lost } of this.#pending.splice(0)) lost(why)
    this.#parts.onClosed()
  }
}
