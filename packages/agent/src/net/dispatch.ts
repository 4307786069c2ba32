// Turns a frame into an exchange: header, handler, body. A frame that is not a request that the server serves ends its connection.
import {
  type Api,
  ApiVersions,
  decodeRequest,
  decodeRequestHeader,
  decodeRequestInSteps,
  Produce,
  ProtocolError,
  type RequestHeader,
} from '@local-kafka-service/protocol'
import type { AnyHandler } from '../api/handler.ts'
import { fixedLimits } from '../limits.ts'
import type { Misunderstanding } from '../observe/events.ts'
import type { Services } from '../services.ts'
import { finished } from '../time/turns.ts'
import { Exchange, type ExchangeParts, type Peer, tooNew } from './exchange.ts'
import type { Pin } from './frame-pin.ts'
import type { Handled } from './handled.ts'
import { notKafka, notServed, unreadable } from './misunderstanding.ts'

/** Never rejects. */
export type Dispatch = (frame: Uint8Array, peer: Peer, signal: AbortSignal, pin: Pin) => Promise<Handled>

export function dispatcher(handlers: readonly AnyHandler[], services: Services): Dispatch {
  const byKey = new Map(handlers.map((handler) => [handler.api.key, handler]))
  const served = handlers.map(({ api }) => api)
  return async (frame, peer, signal, pin) => {
    let header: RequestHeader | undefined
    try {
      header = decodeRequestHeader(frame)
      const handler = byKey.get(header.apiKey)
      if (handler !== undefined && speaks(handler.api, header.apiVersion))
        return await exchanged(frame, { handler, header, peer, signal, services, served }, pin)
      if (header.apiKey === ApiVersions.key) return { kind: 'now', answer: tooNew(header, served) }
      return misunderstood(notServed(header, handler?.api), { peer, services, clientId: header.clientId })
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        services.emit({ kind: 'defect', where: 'the Kafka port', error })
        return { kind: 'close', cause: 'failed request', reason: 'a defect of the server' }
      }
      const why = header === undefined ? notKafka(error) : unreadable(header, error)
      return misunderstood(why, { peer, services, clientId: header?.clientId })
    }
  }
}

/** Reports why the connection is closed. */
export function misunderstood(
  why: Misunderstanding,
  of: { readonly peer: Peer; readonly services: Pick<Services, 'emit' | 'clock'>; readonly clientId?: string | null | undefined },
): Extract<Handled, { kind: 'close' }> {
  const { peer, services, clientId } = of
  const client = { id: clientId, software: peer.software, address: peer.address }
  services.emit({ kind: 'protocol error', connectionId: peer.connectionId, client, ...why })
  peer.onMisunderstood?.({ request: why.request, message: why.message, client, atMs: services.clock.now() })
  return { kind: 'close', cause: 'misunderstood', reason: why.message }
}

/** Rejects with a ProtocolError only. */
async function exchanged(frame: Uint8Array, parts: ExchangeParts, pin: Pin): Promise<Handled> {
  const { handler, header, peer, services } = parts
  const { clientId, apiVersion: version } = header
  services.emit({ kind: 'request', connectionId: peer.connectionId, clientId, api: handler.api.name, version, sizeBytes: frame.length })
  const exchange = new Exchange(parts)
  const { api } = handler
  // Decoding gives the loop back, but no other request of this connection runs meanwhile.
  const request =
    frame.length <= fixedLimits.decodedInTurnBytes
      ? decodeRequest(api, version, frame, header.bodyAt)
      : await finished(decodeRequestInSteps(api, version, frame, header.bodyAt), services.turns, fixedLimits.elementsPerUnit)
  // Record batches are slices of the frame until their admission. Other requests may keep slices (a member's metadata), and need no budget: they are small.
  if (handler.api.key !== Produce.key) {
    pin.abandonMemory()
    pin.release()
  }
  return await peer.handle(request, exchange)
}

function speaks(api: Api, version: number): boolean {
  return version >= api.versions[0] && version <= api.versions[1]
}
