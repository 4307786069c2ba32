// Distributes the agent's events to waits: a list of listeners, and which clients are connected and have started to fetch.
import type { AgentEvent, EventHook } from '@local-kafka-service/agent'

/** A connected client, with what it has sent about itself so far. */
export interface ConnectedClient {
  readonly clientId: string
  readonly fetches: boolean
}

export class EventListeners {
  readonly #listeners = new Set<EventHook>()
  readonly #clients = new Map<number, { clientId: string; fetches: boolean }>()

  /** The agent's hook. The state of clients is updated before the listeners are called. */
  readonly onEvent: EventHook = (event) => {
    if (event.kind === 'request') this.#note(event)
    else if (event.kind === 'connection closed') this.#clients.delete(event.connectionId)
    for (const listener of this.#listeners) listener(event)
  }

  /** Until the returned function is called. */
  listen(listener: EventHook): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  get clients(): readonly ConnectedClient[] {
    return [...this.#clients.values()]
  }

  #note({ connectionId, clientId, api }: Extract<AgentEvent, { readonly kind: 'request' }>): void {
    const known = this.#clients.get(connectionId)
    const fetches = api === 'Fetch'
    if (known === undefined) this.#clients.set(connectionId, { clientId: clientId ?? '', fetches })
    else if (fetches) known.fetches = true
  }
}
