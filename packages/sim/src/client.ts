// One Kafka client's connection over the simulated network: it sends requests and matches responses in order; all open requests end with the connection.

import { errorText } from '@local-kafka-service/agent'
import type { ListenAddress } from '@local-kafka-service/agent/simulation'
import { type Api, type DecodedResponseOf, decodeResponse, encodeRequest, type RequestInputOf } from '@local-kafka-service/protocol'
import type { VirtualTime } from './sim-clock.ts'
import type { SimNetwork, Wire } from './sim-network.ts'

/** The connection was lost, or its response did not arrive in time: the server may have executed the request. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

export interface ClientConnectionParts {
  readonly time: VirtualTime
  readonly network: SimNetwork
  readonly clientId: string
  readonly requestTimeoutMs: number
}

interface PendingRequest {
  readonly correlationId: number
  readonly answer: (frame: Uint8Array) => void
  readonly lost: (error: ConnectionLost) => void
}

export class ClientConnection {
  readonly #parts: ClientConnectionParts
  readonly #waiting: PendingRequest[] = []
  #wire: Wire | undefined
  #received: Uint8Array = new Uint8Array(0)
  #correlation = 0
  #closed = false

  private constructor(parts: ClientConnectionParts) {
    this.#parts = parts
  }

  static async open(parts: ClientConnectionParts, to: ListenAddress): Promise<ClientConnection> {
    const connection = new ClientConnection(parts)
    try {
      connection.#wire = await parts.network.connect(parts.clientId, to, {
        data: (chunk) => connection.#read(chunk),
        closed: () => connection.#lose('the connection was closed'),
      })
    } catch (error) {
      throw new ConnectionLost(errorText(error))
    }
    return connection
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Sends at once; resolves with the response. Rejects with ConnectionLost. */
  request<A extends Api>(api: A, version: number, body: RequestInputOf<A>): Promise<DecodedResponseOf<A>> {
    return new Promise((resolve, reject) => {
      const lost = new ConnectionLost('the connection is closed')
      if (this.#closed) return reject(lost)
      const correlationId = this.#send(api, version, body)
      const timer = this.#parts.time.after(this.#parts.requestTimeoutMs, () =>
        this.#lose(`no response in ${this.#parts.requestTimeoutMs} ms`),
      )
      this.#waiting.push({
        correlationId,
        answer: (frame) => {
          timer.cancel()
          const { correlationId: answered, response } = decodeResponse(api, version, frame)
          if (answered !== correlationId) throw new Error(`response ${answered} arrived where ${correlationId} was due`)
          resolve(response)
        },
        lost: (error) => {
          timer.cancel()
          reject(error)
        },
      })
    })
  }

  /** For requests without a response (acks = 0). */
  send<A extends Api>(api: A, version: number, body: RequestInputOf<A>): void {
    if (!this.#closed) this.#send(api, version, body)
  }

  close(): void {
    this.#lose('closed by the client')
  }

  #send<A extends Api>(api: A, version: number, body: RequestInputOf<A>): number {
    const correlationId = (this.#correlation += 1)
    this.#wire?.send(Buffer.concat(encodeRequest(api, { version, correlationId, clientId: this.#parts.clientId }, body)))
    return correlationId
  }

  #read(chunk: Uint8Array): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    while (!this.#closed && this.#received.length >= 4) {
      const size = new DataView(this.#received.buffer, this.#received.byteOffset).getInt32(0)
      if (this.#received.length < 4 + size) return
      const frame = Uint8Array.from(this.#received.subarray(4, 4 + size))
      this.#received = this.#received.subarray(4 + size)
      const next = this.#waiting.shift()
      if (next === undefined) throw new Error('a response without a request')
      next.answer(frame)
    }
  }

  #lose(why: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#wire?.close()
    for (const { lost } of this.#waiting.splice(0)) lost(new ConnectionLost(why))
  }
}
