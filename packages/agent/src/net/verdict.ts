// Carries out an interceptor's verdict on one request, in the order of its connection, and reports the outcome to the interceptor.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import { onAbort, orAborted } from '../time/abort.ts'
import type { Clock } from '../time/clock.ts'
import { sleep } from '../time/sleep.ts'
import { type Answer, type Handled, isStopping } from './connection.ts'
import type { Act, End, Interception, RequestFate } from './interceptor.ts'

/** The possible acts on one request. It refers to the request's bytes, so nothing may keep it while an answer is awaited. */
export interface Interceptable {
  /** Handles the request as without an interceptor. Never rejects. */
  handle(): Promise<Handled>
  refuse(error: KafkaErrorName, message: string | undefined): Handled
  throttle(forMs: number): void
}

/** The sources of a request's end. It does not refer to the request's bytes. */
export interface Watched {
  readonly clock: Clock
  /** The connection's signal. */
  readonly signal: AbortSignal
  readonly startedAtMs: number
  /** The last answer; undefined before there is one. */
  readonly response: () => object | undefined
}

export async function carryOut(interception: Interception, request: Interceptable, watched: Watched): Promise<Handled> {
  const { clock, signal } = watched
  const { act, waitMs = 0, throttleMs = 0 } = await decided(interception.verdict, signal)
  if (throttleMs > 0) request.throttle(throttleMs)
  // The request is still handled when its client has disconnected: it reached the server.
  if (waitMs > 0) await sleep(clock, waitMs, signal).catch(ended(signal))
  return await done(act, request, { signal, settled: settledOf(interception, watched) })
}

/** When the connection ends before the verdict, the request is dropped: a verdict that never comes must not keep a connection open. */
async function decided(verdict: RequestFate | Promise<RequestFate>, signal: AbortSignal): Promise<RequestFate> {
  if (!('then' in verdict)) return verdict
  return await orAborted(verdict, signal, () => ({ act: { kind: 'drop' } }))
}

function settledOf(interception: Interception, { clock, startedAtMs, response }: Watched): Settled {
  return (outcome) =>
    interception.settled({
      outcome,
      response: outcome === 'answered' || outcome === 'lost' ? response() : undefined,
      durationMs: clock.monotonic() - startedAtMs,
    })
}

type Settled = (outcome: End['outcome']) => void

interface Reporting {
  readonly signal: AbortSignal
  readonly settled: Settled
}

async function done(act: Act, request: Interceptable, { signal, settled }: Reporting): Promise<Handled> {
  switch (act.kind) {
    case 'pass':
      return reported(await request.handle(), signal, settled)
    case 'fail':
      return reported(request.refuse(act.error, act.message), signal, settled)
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
      return { kind: 'close', reason: 'a fault' }
    case 'duplicate':
      return reported(second(await request.handle(), await request.handle()), signal, settled)
    case 'lose ack':
      return lost(await request.handle(), settled)
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
function second(first: Handled, again: Handled): Handled {
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
