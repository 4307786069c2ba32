// The memory of requests from their decoding to their answers.
import { type Api, encodeRequest, Heartbeat, Metadata, ProtocolError, type RequestInputOf } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { fixedLimits } from '../limits.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { Turns } from '../time/turns.ts'
import { DecodedRequests, type EncodedRequest } from './decoded-requests.ts'

const bodyAt = 10
const never = new AbortController().signal
const waitMs = 10_000

/** With room for one request of 4,000 names, and not for two. */
function someRequests(): { readonly requests: DecodedRequests; readonly clock: ManualClock } {
  const clock = new ManualClock()
  const decodedRequestBytes = 7_000 * fixedLimits.decodedElementBytes
  return {
    requests: new DecodedRequests({ clock, turns: new Turns(clock), limits: { decodedRequestBytes, admissionWaitMs: waitMs } }),
    clock,
  }
}

function encoded<A extends Api>(api: A, version: number, request: RequestInputOf<A>): EncodedRequest {
  const frame = Buffer.concat(encodeRequest(api, { version, correlationId: 1, clientId: null }, request)).subarray(4)
  return { api, version, frame, bodyAt }
}

function wide(names: number): EncodedRequest {
  const topics = Array.from({ length: names }, (_, at) => ({ name: `a-topic-with-a-long-name-${at}` }))
  return encoded(Metadata, 1, { topics })
}

/** Whether the promise has settled, after all work that needs no time. */
async function settled(promise: Promise<unknown>, clock: ManualClock): Promise<boolean> {
  let done = false
  void promise.then(
    () => (done = true),
    () => (done = true),
  )
  await clock.advance(100)
  return done
}

test('a small request is decoded in the turn, and counted by its bytes', () => {
  const { requests } = someRequests()
  const heartbeat = encoded(Heartbeat, 0, { groupId: 'g', generationId: 1, memberId: 'm' })
  const decoded = requests.decode(heartbeat, never)
  if (decoded instanceof Promise) throw new Error('a small request waits')
  expect(decoded.request).toMatchObject({ groupId: 'g', memberId: 'm' })
  expect(requests.gauge.usedBytes).toBe(heartbeat.frame.length * fixedLimits.decodedBytesPerByte)
  expect(decoded.memory?.isWanted).toBe(false)
  decoded.memory?.release()
  decoded.memory?.release()
  expect(requests.gauge.usedBytes).toBe(0)
})

test('a large request is counted by its elements, and the next one waits until there is memory for it', async () => {
  const { requests, clock } = someRequests()
  const first = await atOnce(requests.decode(wide(4_000), never), clock)
  expect(requests.gauge.usedBytes).toBeGreaterThan(3_000 * fixedLimits.decodedElementBytes)
  expect(requests.gauge.usedBytes).toBeLessThanOrEqual(4_000 * fixedLimits.decodedElementBytes)
  const second = Promise.resolve(requests.decode(wide(4_000), never))
  expect(await settled(second, clock)).toBe(false)
  // Others go on.
  expect(requests.decode(encoded(Heartbeat, 0, { groupId: 'g', generationId: 1, memberId: 'm' }), never)).not.toBeInstanceOf(Promise)
  first.memory?.release()
  expect((await second).memory).toBeDefined()
})

test('a request that holds memory learns that others wait for it', async () => {
  const { requests, clock } = someRequests()
  const { memory } = await atOnce(requests.decode(wide(4_000), never), clock)
  let woken = 0
  const unwatch = memory?.onWanted(() => (woken += 1))
  expect([woken, memory?.isWanted]).toEqual([0, false])
  const second = Promise.resolve(requests.decode(wide(4_000), never))
  await settled(second, clock)
  expect([woken, memory?.isWanted]).toEqual([1, true])
  memory?.release()
  await second
  expect(memory?.isWanted).toBe(false)
  unwatch?.()
})

test('a request that finds no memory in time is decoded without, so that it can be rejected', async () => {
  const { requests, clock } = someRequests()
  await atOnce(requests.decode(wide(4_000), never), clock)
  const second = Promise.resolve(requests.decode(wide(4_000), never))
  await settled(second, clock)
  await clock.advance(waitMs)
  const { request, memory } = await second
  expect(memory).toBeUndefined()
  expect(request).toHaveProperty('topics.length', 4_000)
})

test('a request that is larger than all memory is handled alone', async () => {
  const { requests, clock } = someRequests()
  const { memory } = await atOnce(requests.decode(wide(20_000), never), clock)
  expect(memory).toBeDefined()
  expect(requests.gauge.usedBytes).toBeLessThanOrEqual(requests.gauge.limitBytes)
  expect(await settled(Promise.resolve(requests.decode(wide(1_000), never)), clock)).toBe(false)
})

test('a request whose connection closes leaves the queue', async () => {
  const { requests, clock } = someRequests()
  const { memory } = await atOnce(requests.decode(wide(4_000), never), clock)
  const waiting = Promise.resolve(requests.decode(wide(4_000), never))
  await settled(waiting, clock)
  const gone = new AbortController()
  const queued = Promise.resolve(requests.decode(wide(4_000), gone.signal))
  const reason = new Error('gone')
  gone.abort(reason)
  await expect(queued).rejects.toBe(reason)
  memory?.release()
  expect((await waiting).memory).toBeDefined()
})

test('a large request that cannot be read gives its turn to the next one', async () => {
  const { requests, clock } = someRequests()
  const { frame, ...rest } = wide(4_000)
  const cut = { ...rest, frame: frame.subarray(0, -1) }
  const failing = Promise.resolve(requests.decode(cut, never))
  failing.catch(() => {})
  await clock.advance(100)
  await expect(failing).rejects.toThrow(ProtocolError)
  expect((await atOnce(requests.decode(wide(1_000), never), clock)).memory).toBeDefined()
})

async function atOnce<T>(value: T | Promise<T>, clock: ManualClock): Promise<T> {
  const promise = Promise.resolve(value)
  expect(await settled(promise, clock)).toBe(true)
  return await promise
}
