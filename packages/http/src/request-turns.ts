// Spreads requests that arrive at once over several turns of the event loop, so that a hundred of them block neither one another nor the Kafka port.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Clock } from '@local-kafka-service/agent'
import { httpLimits } from './limits.ts'

interface Arrived {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly handle: RequestListener
}

/** Shared by both planes. It counts turns only on demand, so idle planes cause none. */
export class RequestTurns {
  readonly #clock: Pick<Clock, 'soon'>
  /** First requests of connections, and requests of connections that have had an earlier one: neither wait for the others. */
  readonly #first: Arrived[] = []
  readonly #further: Arrived[] = []
  readonly #known = new WeakSet<object>()
  #begun = 0
  #ending = false

  constructor(clock: Pick<Clock, 'soon'>) {
    this.#clock = clock
  }

  /** The listener that begins each request in a turn with room for it. The body of a request that waits stays in its socket. A request whose connection ends meanwhile never begins. */
  listener(handle: RequestListener): RequestListener {
    return (request, response) => {
      const queue = this.#known.has(request.socket) ? this.#further : this.#first
      this.#known.add(request.socket)
      queue.push({ request, response, handle })
      this.#beginSome()
    }
  }

  #beginSome(): void {
    while (this.#begun < httpLimits.requestsPerTurn) {
      const [one, other] = this.#begun % 2 === 0 ? [this.#further, this.#first] : [this.#first, this.#further]
      const arrived = one.shift() ?? other.shift()
      if (arrived === undefined) return
      const { request, response, handle } = arrived
      if (request.socket.destroyed) continue
      this.#begun += 1
      this.#endLater()
      handle(request, response)
    }
  }

  #endLater(): void {
    if (this.#ending) return
    this.#ending = true
    this.#clock.soon(() => {
      this.#ending = false
      this.#begun = 0
      this.#beginSome()
    })
  }
}
