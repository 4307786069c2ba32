// Carries out what an interceptor decides about one request, in the order of its connection, and tells it what became of the request.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import type { Clock } from '../time/clock.ts'
import { type Answer, type Handled, isStopping } from './connection.ts'
import type { Act, End, Interception } from './interceptor.ts'

/** What can be done with one request. */
export interface Interceptable {
  readonly clock: Clock
  /** Of the connection. */
  readonly signal: AbortSignal
  readonly startedAtMs: number
  /** As without an interceptor. Never rejects. */
  handle(): Promise<Handled>
  refuse(error: KafkaErrorName, message: string | undefined): Handled
  /** Gives the frame's permit back: nothing refers to its bytes any more. */
  unpin(): void
  throttle(forMs: number): void
  /** The answer that was made last; undefined before there is one. */
  response(): object | undefined
}

export async function carryOut(interception: Interception, request: Interceptable): Promise<Handled> {
  const { act, waitMs = 0, throttleMs = 0 } = await interception.verdict
  const { clock, signal, startedAtMs } = request
  const settled: Settled = (outcome) =>
    interception.settled({
      outcome,
      response: outcome === 'answered' || outcome === 'lost' ? request.response() : undefined,
      durationMs: clock.monotonic() - startedAtMs,
    })
  if (throttleMs > 0) request.throttle(throttleMs)
  // What a client sent before it went is done all the same: it reached the server.
  if (waitMs > 0) await clock.sleep(waitMs, signal).catch(ended(signal))
  return await done(act, request, settled)
}

type Settled = (outcome: End['outcome']) => void

async function done(act: Act, request: Interceptable, settled: Settled): Promise<Handled> {
  const { signal } = request
  switch (act.kind) {
    case 'pass':
      return told(await request.handle(), signal, settled)
    case 'fail':
      return told(request.refuse(act.error, act.message), signal, settled)
    case 'drop':
      settled('dropped')
      return { kind: 'none', close: false }
    case 'hang':
      request.unpin()
      settled('dropped')
      await aborted(signal)
      return { kind: 'none', close: false }
    case 'close':
      settled('closed')
      return { kind: 'close', reason: 'a fault' }
    case 'duplicate':
      return told(second(await request.handle(), await request.handle()), signal, settled)
    case 'lose ack':
      return lost(await request.handle(), settled)
  }
}

function told(handled: Handled, signal: AbortSignal, settled: Settled): Handled {
  const gone = (): boolean => signal.aborted && !isStopping(signal)
  const heard = (answer: Answer): Answer => {
    settled(gone() ? 'gone' : answer.chunks.length === 0 ? 'closed' : 'answered')
    return answer
  }
  switch (handled.kind) {
    case 'now':
      return { kind: 'now', answer: heard(handled.answer) }
    case 'later':
      return { kind: 'later', answer: handled.answer.then(heard) }
    case 'none':
      return { kind: 'none', close: closing(handled.close, (close) => settled(close ? 'closed' : 'unanswered')) }
    case 'close':
      settled('closed')
      return handled
  }
}

/** What a client hears that sent its request again: the answer to that, once both are done. */
function second(first: Handled, again: Handled): Handled {
  if (first.kind === 'close') return first
  if (again.kind === 'none' && first.kind === 'none')
    return { kind: 'none', close: Promise.all([first.close, again.close]).then(([one, two]) => one || two) }
  if (first.kind === 'later' && (again.kind === 'later' || again.kind === 'now'))
    return { kind: 'later', answer: Promise.all([first.answer, again.answer]).then(([, answer]) => answer) }
  return again
}

/** Holds its place in the order of the answers: those before it are sent, those behind it never are. */
function lost(handled: Handled, settled: Settled): Handled {
  const lose = (): Answer => {
    settled('lost')
    return { chunks: [], sizeBytes: 0, thenClose: true, throttleMs: 0 }
  }
  switch (handled.kind) {
    case 'now':
      return { kind: 'now', answer: lose() }
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

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
