// Requests that this agent sends on to other agents: each connection of a client has its own to each of them, so that its requests stay in order and end with it.
import type { Api, DecodedResponseOf, RequestInputOf, RequestOf } from '@local-kafka-service/protocol'
import type { Forwarded, Forwarder, ForwardTo } from '../api/forwarder.ts'
import type { IncarnationId } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import { errorText } from '../native-error.ts'
import { onAbort } from '../time/abort.ts'
import type { Clock } from '../time/clock.ts'
import type { Owners } from '../view/owners.ts'
import { AgentLink } from './agent-link.ts'
import { isStopping } from './connection.ts'
import { forwardedClientId } from './forwarded-client.ts'
import type { Network } from './network.ts'

interface LinkToAgent {
  readonly opening: Promise<AgentLink>
  readonly incarnation: IncarnationId
}

export interface ForwardsParts {
  readonly network: Pick<Network, 'connect'>
  readonly owners: Pick<Owners, 'members'>
  readonly clock: Clock
}

export class Forwards implements Forwarder {
  readonly #parts: ForwardsParts
  /** By the id of the client's connection, then by broker id. */
  readonly #links = new Map<number, Map<number, LinkToAgent>>()
  #open = 0

  constructor(parts: ForwardsParts) {
    this.#parts = parts
  }

  /** Call it when slots have moved: what was sent to an agent that has ended is not answered any more. */
  slotsMoved(): void {
    const living = new Set([...this.#parts.owners.members].map(({ incarnation }) => incarnation))
    for (const links of this.#links.values())
      for (const { opening, incarnation } of links.values())
        if (!living.has(incarnation))
          void opening.then(
            (link) => link.close('it has ended'),
            () => {},
          )
  }

  /** Connections to other agents. */
  get connections(): number {
    return this.#open
  }

  async forward<A extends Api>(
    api: A,
    request: RequestOf<A>,
    { to, timeoutMs, context }: ForwardTo,
  ): Promise<Forwarded<DecodedResponseOf<A>>> {
    const link = await this.#link(to, context)
    if (typeof link === 'string') return { kind: 'not sent', why: link }
    const clientId = forwardedClientId(context.client.id)
    // The cast: a decoded request has every field of one to encode.
    return await link.request(api, request as RequestInputOf<A>, { version: context.apiVersion, clientId, timeoutMs })
  }

  /** The open link, or the reason why there is none. */
  async #link(to: number, { client: { connectionId }, signal }: ForwardTo['context']): Promise<AgentLink | string> {
    if (signal.aborted && !isStopping(signal)) return 'the client has closed its connection'
    let links = this.#links.get(connectionId)
    if (links === undefined) {
      links = new Map()
      this.#links.set(connectionId, links)
      onAbort(signal, () => this.#clientGone(connectionId, signal))
    }
    const known = links.get(to)
    if (known !== undefined) {
      const link = await known.opening.catch(() => undefined)
      if (link?.isOpen === true) return link
      if (links.get(to) === known) links.delete(to)
    }
    const member = [...this.#parts.owners.members].find(({ brokerId }) => brokerId === to)
    if (member === undefined) return `broker ${to} is not alive`
    if (this.#open >= fixedLimits.forwardConnections) return 'there are too many connections to other agents'
    this.#open += 1
    const opening = AgentLink.open(member, { ...this.#parts, onClosed: () => (this.#open -= 1) })
    links.set(to, { opening, incarnation: member.incarnation })
    try {
      return await opening
    } catch (error) {
      this.#open -= 1
      if (links.get(to)?.opening === opening) links.delete(to)
      return errorText(error)
    }
  }

  #clientGone(connectionId: number, signal: AbortSignal): void {
    const links = this.#links.get(connectionId)
    this.#links.delete(connectionId)
    if (links === undefined) return
    for (const { opening } of links.values())
      void opening.then(
        // A request that was taken before the agent stops is still answered.
        (link) => (isStopping(signal) ? link.closeWhenIdle() : link.close('the client has closed its connection')),
        () => {},
      )
  }
}
