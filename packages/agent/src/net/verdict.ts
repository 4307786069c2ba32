// Carries out what an interceptor decides about one request, in the order of its connection, and tells it what became of the request.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import type { Clock } from '../time/clock.ts'
import { type Answer, type Handled, isStopping } from './connection.ts'
import type { Act, End, Interception, Verdict } from './interceptor.ts'

/** What can be done with one request. It refers to the request's bytes: nothing that waits for an answer may keep it. */
export interface Interceptable {
  /** As without an interceptor. Never rejects. */
  handle(): Promise<Handled>
  refuse(error: KafkaErrorName, message: string | undefined): Handled
  throttle(forMs: number): void
}

/** What its end is told from. It refers to none of the request's bytes. */
export interface Watched {
  readonly clock: Clock
  /** Of the connection. */
  readonly signal: AbortSignal
  readonly startedAtMs: number
  /** The answer that was made last; undefined before there is one. */
  readonly response: () => object | undefined
}

export async function carryOut(interception: Interception, request: Interceptable, watched: Watched): Promise<Handled> {
  const { clock, signal } = watched
  const { act, waitMs = 0, throttleMs = 0 } = await decided(interception.verdict, signal)
  if (throttleMs > 0) request.throttle(throttleMs)
  // What a client sent before it went is done all the same: it reached the server.
  if (waitMs > 0) await clock.sleep(waitMs, signal).catch(ended(signal))
  return await done(act, request, { signal, settled: tellingEnd(interception, watched) })
}

/** Whoever decides for ever keeps no connection from its end: then nothing was decided, and nothing is done. */
async function decided(verdict: Verdict | Promise<Verdict>, signal: AbortSignal): Promise<Verdict> {
  if (!('then' in verdict)) return verdict
  const over = Promise.withResolvers<Verdict>()
  const give = (): void => over.resolve({ act: { kind: 'drop' } })
  if (signal.aborted) give()
  signal.addEventListener('abort', give, { once: true })
  try {
    return await Promise.race([verdict, over.promise])
  } finally {
    signal.removeEventListener('abort', give)
  }
}

function tellingEnd(interception: Interception, { clock, startedAtMs, response }: Watched): Settled {
  return (outcome) =>
    interception.settled({
      outcome,
      response: outcome === 'answered' || outcome === 'lost' ? response() : undefined,
      durationMs: clock.monotonic() - startedAtMs,
    })
}

type Settled = (outcome: End['outcome']) => void

interface Telling {
  readonly signal: AbortSignal
  readonly settled: Settled
}

async function done(act: Act, request: Interceptable, { signal, settled }: Telling): Promise<Handled> {
  switch (act.kind) {
    case 'pass':
      return told(await request.handle(), signal, settled)
    case 'fail':
      return told(request.refuse(act.error, act.message), signal, settled)
    case 'drop':
      settled('dropped')
      return { kind: 'none', close: false }
    case 'hang':
      // The frame keeps its permit: it is still here.
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
    return {
      kind: 'later',
      answer: Promise.all([first.answer, again.answer]).then(([unheard, answer]) => {
        unheard.sent?.()
        return answer
      }),
    }
  if (first.kind === 'now') first.answer.sent?.()
  return again
}

/** Holds its place in the order of the answers: those before it are sent, those behind it never are. */
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

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
