// The common part of all clients of a world: a connection that is reopened after a loss, and the topic that it works on.
import type { TopicId } from '@local-kafka-service/agent/simulation'
import type { Chance } from './chance.ts'
import { ClientConnection, ConnectionLost } from './client.ts'
import type { Checker } from './invariants.ts'
import type { VirtualTime } from './sim-clock.ts'
import type { SimNetwork } from './sim-network.ts'
import type { Trace } from './trace.ts'

export interface ClientParts {
  readonly time: VirtualTime
  readonly chance: Chance
  readonly network: SimNetwork
  readonly trace: Trace
  readonly checker: Checker
  /** Those of all agents. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
  readonly topic: { readonly name: string; readonly topicId: TopicId; readonly partitions: number }
}

/** Kafka's own retry.backoff.ms. */
export const retryBackoffMs = 100

export class Reconnecting {
  readonly #parts: ClientParts
  readonly #clientId: string
  readonly #requestTimeoutMs: number
  #connection: ClientConnection | undefined
  #opened = 0

  constructor(parts: ClientParts, clientId: string, requestTimeoutMs = 30_000) {
    this.#parts = parts
    this.#clientId = clientId
    this.#requestTimeoutMs = requestTimeoutMs
  }

  /** The number of connections so far, including the current one. */
  get opened(): number {
    return this.#opened
  }

  /** The connection, after as many attempts as it takes; undefined once `until` says that it is no longer needed. */
  async open(until: () => boolean): Promise<ClientConnection | undefined> {
    for (;;) {
      if (this.#connection !== undefined && !this.#connection.closed) return this.#connection
      if (until()) return undefined
      try {
        const { time, network, addresses, chance } = this.#parts
        const [first] = addresses
        if (first === undefined) throw new Error('a world has an agent')
        const address = addresses.length === 1 ? first : chance.pick(addresses)
        this.#connection = await ClientConnection.open(
          { time, network, clientId: this.#clientId, requestTimeoutMs: this.#requestTimeoutMs },
          address,
        )
        this.#opened += 1
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
        await this.#parts.time.sleep(retryBackoffMs * (0.8 + 0.4 * this.#parts.chance.next()))
      }
    }
  }

  /** The agent that answered is not the leader: the next connection goes to any agent. With one agent it stays, as its successor is at the same address. */
  tryAnother(): void {
    if (this.#parts.addresses.length > 1) this.close()
  }

  close(): void {
    this.#connection?.close()
  }
}
