// A connection between a fake socket and handlers that a test settles itself, and the frames to feed it.
import { defaultLimits } from '../../limits.ts'
import { aPool } from '../../memory/testing/a-pool.ts'
import type { Clock } from '../../time/clock.ts'
import { ManualClock } from '../../time/testing/manual-clock.ts'
import { Connection } from '../connection.ts'
import { FramePool } from '../frame-pin.ts'
import type { Answer, Handled } from '../handled.ts'
import { Permits } from '../permits.ts'
import { TurnCounter } from '../turn-counter.ts'
import { FakeSocket } from './fake-socket.ts'

export const idleMs = 600_000

export interface Request {
  readonly text: string
  readonly signal: AbortSignal
  readonly unpin: () => void
  readonly settle: (handled: Handled) => void
}

export function aConnection(
  options: {
    readonly capacityBytes?: number
    readonly timersEarlyByMs?: number
    readonly turns?: TurnCounter
    readonly clock?: ManualClock
    readonly permits?: { small: Permits; large: Permits }
  } = {},
) {
  const socket = new FakeSocket()
  const clock = options.clock ?? new ManualClock()
  const capacity = options.capacityBytes ?? 1024 * 1024
  const permits = options.permits ?? aBudget(capacity, capacity, clock)
  const memory = aPool()
  const requests: Request[] = []
  const events: string[] = []
  const connection = new Connection({
    socket,
    clock: options.timersEarlyByMs === undefined ? clock : earlyBy(options.timersEarlyByMs, clock),
    permits,
    limits: defaultLimits,
    idleMs,
    turns: options.turns ?? new TurnCounter(nextTurns),
    memory: new FramePool(memory, defaultLimits),
    handle: (frame, signal, pin) =>
      new Promise((settle) => requests.push({ text: Buffer.from(frame).toString('latin1'), signal, unpin: () => pin.release(), settle })),
    onProtocolError: ({ message }) => events.push(`protocol error: ${message}`),
    onGaveWay: (held, message) => events.push(`gave way its ${held}: ${message}`),
    onClosed: ({ reason }) => events.push(`closed: ${reason}`),
  })
  return { connection, socket, clock, permits, memory, requests, events }
}

/** Turns of the real event loop. */
const nextTurns: Clock = earlyBy(0, new ManualClock(), setImmediate)

export function aBudget(small: number, large: number, clock = new ManualClock()): { readonly small: Permits; readonly large: Permits } {
  return { small: new Permits({ capacityBytes: small, clock }), large: new Permits({ capacityBytes: large, clock }) }
}

export function earlyBy(earlyMs: number, clock: ManualClock, soon: Clock['soon'] = (callback) => clock.soon(callback)): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (delayMs, callback) => clock.after(delayMs - earlyMs, callback),
    soon,
  }
}

export function frame(body: string | Uint8Array): Uint8Array {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
  const whole = Buffer.alloc(4 + bytes.length)
  whole.writeInt32BE(bytes.length)
  whole.set(bytes, 4)
  return whole
}

export function prefix(sizeBytes: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(sizeBytes)
  return bytes
}

export function answer(text: string, more: Partial<Answer> = {}): Answer {
  const chunk = Buffer.from(text, 'latin1')
  return { chunks: [chunk], sizeBytes: chunk.length, thenClose: false, throttleMs: 0, ...more }
}

export const now = (text: string, more: Partial<Answer> = {}): Handled => ({ kind: 'now', answer: answer(text, more) })

/** Lets all pending promise callbacks run. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
