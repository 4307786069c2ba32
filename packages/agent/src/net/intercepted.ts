// A connection whose interceptor sees every request and may fail it: the faults of a test, injected in front of the gate and the handler.
import { errors } from '@local-kafka-service/protocol'
import type { TopicId } from '../core/ids.ts'
import { onAbort, orAborted } from '../time/abort.ts'
import { sleep } from '../time/sleep.ts'
import { isStopping } from './connection.ts'
import type { AnyRequest, Exchange, Handle } from './exchange.ts'
import type { Answer, Handled } from './handled.ts'
import type { Act, ConnectionInterceptor, End, InterceptedRequest, Interception, RequestFate } from './interceptor.ts'
import { requestNames } from './request-names.ts'

/** Nothing but the verdict's wait and `handle` may hold the request: no closure of this file that outlives them refers to it. */
export function intercepted(handle: Handle, interceptor: Pick<ConnectionInterceptor, 'request'>): Handle {
  return async (request, exchange) => {
    const { signal, services } = exchange.parts
    const interception = interceptor.request(askedOf(request, exchange))
    const { act, waitMs = 0, throttleMs = 0 } = await decided(interception.verdict, signal)
    if (throttleMs > 0) exchange.throttle(throttleMs)
    // The request is still handled when its client has disconnected: it reached the server.
    if (waitMs > 0) await sleep(services.clock, waitMs, signal).catch(ended(signal))
    return await carriedOut(act, request, { handle, exchange, settled: settledOf(interception, exchange) })
  }
}

function askedOf(request: AnyRequest, { parts: { handler, services }, context: { client, apiVersion } }: Exchange): InterceptedRequest {
  return {
    api: handler.api.name,
    version: apiVersion,
    client,
    atMs: services.clock.now(),
    ...requestNames(request, services),
    nameOf: (id) => services.catalog.byId(id as TopicId)?.name,
    body: request,
  }
}

/** When the connection ends before the verdict, the request is dropped: a verdict that never comes must not keep a connection open. */
async function decided(verdict: RequestFate | Promise<RequestFate>, signal: AbortSignal): Promise<RequestFate> {
  if (!('then' in verdict)) return verdict
  return await orAborted(verdict, signal, () => ({ act: { kind: 'drop' } }))
}

type Settled = (outcome: End['outcome']) => void

function settledOf(interception: Interception, exchange: Exchange): Settled {
  return (outcome) =>
    interception.settled({
      outcome,
      response: outcome === 'answered' || outcome === 'lost' ? exchange.response : undefined,
      durationMs: exchange.parts.services.clock.monotonic() - exchange.startedAtMs,
    })
}

interface Carrying {
  readonly handle: Handle
  readonly exchange: Exchange
  readonly settled: Settled
}

async function carriedOut(act: Act, request: AnyRequest, { handle, exchange, settled }: Carrying): Promise<Handled> {
  const { signal } = exchange.parts
  switch (act.kind) {
    case 'pass':
      return reported(await handle(request, exchange), signal, settled)
    case 'fail': {
      const { code, message } = errors[act.error]
      return reported(await exchange.reject(request, { code, message: act.message ?? message }), signal, settled)
    }
    case 'drop':
      settled('dropped')
      return { kind: 'none', close: false }
    case 'hang':
      // The frame keeps its permit, because it is still in memory.
      settled('dropped')
      await new Promise<void>((resolve) => onAbort(signal, resolve))
      return { kind: 'none', close: false }
    case 'close':
      settled('closed')
      return { kind: 'close', cause: 'asked', reason: 'a fault' }
    case 'duplicate':
      return reported(repeated(await handle(request, exchange), await handle(request, exchange)), signal, settled)
    case 'lose ack':
      return lost(await handle(request, exchange), settled)
  }
}

function reported(handled: Handled, signal: AbortSignal, settled: Settled): Handled {
  const gone = (): boolean => signal.aborted && !isStopping(signal)
  const report = (answer: Answer): Answer => {
    settled(gone() ? 'gone' : answer.chunks.length === 0 ? 'closed' : 'answered')
    return answer
  }
  switch (handled.kind) {
    case 'now':
      return { kind: 'now', answer: report(handled.answer) }
    case 'later':
      return { kind: 'later', answer: handled.answer.then(report) }
    case 'none':
      return { kind: 'none', close: closing(handled.close, (close) => settled(close ? 'closed' : 'unanswered')) }
    case 'close':
      settled('closed')
      return handled
  }
}

/** The answer of a client that sent its request again: the second one, once both are handled. */
function repeated(first: Handled, again: Handled): Handled {
  if (first.kind === 'close') return first
  if (again.kind === 'none' && first.kind === 'none')
    return { kind: 'none', close: Promise.all([first.close, again.close]).then(([one, two]) => one || two) }
  if (first.kind === 'later' && (again.kind === 'later' || again.kind === 'now'))
    return {
      kind: 'later',
      answer: Promise.all([first.answer, again.answer]).then(([unsent, answer]) => {
        unsent.sent?.()
        return answer
      }),
    }
  if (first.kind === 'now') first.answer.sent?.()
  return again
}

/** Keeps its place in the order of the answers: earlier answers are sent, later ones never are. */
function lost(handled: Handled, settled: Settled): Handled {
  const lose = (answer: Answer): Answer => {
    answer.sent?.()
    settled('lost')
    return { chunks: [], sizeBytes: 0, thenClose: true, throttleMs: 0 }
  }
  switch (handled.kind) {
    case 'now':
      return { kind: 'now', answer: lose(handled.answer) }
    case 'later':
      return { kind: 'later', answer: handled.answer.then(lose) }
    case 'none':
      return { kind: 'none', close: closing(handled.close, () => settled('lost')).then(() => true) }
    case 'close':
      settled('closed')
      return handled
  }
}

async function closing(close: Promise<boolean> | boolean, settled: (close: boolean) => void): Promise<boolean> {
  const closes = await close
  settled(closes)
  return closes
}

function ended(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!signal.aborted) throw error
  }
}
