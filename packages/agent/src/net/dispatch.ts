// Turns a frame into an exchange: header, handler, body. A frame that is not a request that the server serves ends its connection.
import {
  type Api,
  ApiVersions,
  decodeRequestHeader,
  errors,
  Produce,
  ProtocolError,
  type RequestHeader,
} from '@local-kafka-service/protocol'
import type { AnyHandler } from '../api/handler.ts'
import type { Misunderstanding } from '../observe/events.ts'
import type { Services } from '../services.ts'
import type { RequestMemory } from './decoded-requests.ts'
import { Exchange, type ExchangeParts, type Peer, tooNew } from './exchange.ts'
import type { Pin } from './frame-pin.ts'
import type { Handled } from './handled.ts'
import { notKafka, notServed, unreadable } from './misunderstanding.ts'
import { retriableError } from './retriable-error.ts'

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
      // The request waited for its turn to be decoded.
      if (signal.aborted && error === signal.reason) return { kind: 'close', cause: 'stop', reason: 'the connection ends' }
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
  // Decoding gives the loop back, but no other request of this connection runs meanwhile.
  const decoded = services.decodedRequests.decode({ api: handler.api, version, frame, bodyAt: header.bodyAt }, parts.signal)
  const { request, memory } = decoded instanceof Promise ? await decoded : decoded
  // Record batches are slices of the frame until their admission. Other requests may keep slices (a member's metadata), and need no budget: they are small.
  if (handler.api.key !== Produce.key) {
    pin.abandonMemory()
    pin.release()
  }
  const exchange = new Exchange(parts, memory)
  if (memory === undefined)
    return await exchange.reject(request, { code: errors[retriableError(handler, 'not done')].code, message: noMemory })
  return heldUntilAnswered(memory, await peer.handle(request, exchange))
}

const noMemory = 'Other large requests hold the memory of decoded requests. Send the request again, or one with fewer partitions or names.'

/** Releases the memory of a request when its answer is encoded. */
function heldUntilAnswered(memory: RequestMemory, handled: Handled): Handled {
  if (handled.kind === 'later') void handled.answer.then(() => memory.release())
  else memory.release()
  return handled
}

function speaks(api: Api, version: number): boolean {
  return version >= api.versions[0] && version <= api.versions[1]
}
