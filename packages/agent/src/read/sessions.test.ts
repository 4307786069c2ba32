// The rules of KIP-227, as a table of requests and answers.
import { expect, test } from 'vitest'
import { defaultLimits, fixedLimits } from '../limits.ts'
import { ManualClock, steadyRandom } from '../time/testing/manual-clock.ts'
import { FetchSessions, type SessionAsk, type SessionFetch, type SessionRequest } from './sessions.ts'

function someSessions(
  slots = 10,
  limits = { fetchSessionBytes: defaultLimits.fetchSessionBytes },
): { readonly sessions: FetchSessions; readonly clock: ManualClock } {
  const clock = new ManualClock()
  return { sessions: new FetchSessions({ clock, random: steadyRandom(), slots, limits }), clock }
}

function ask(partition: number, more: Partial<SessionAsk> = {}): SessionAsk {
  return { topic: 't', partition, fetchOffset: 0, maxBytes: 1000, currentLeaderEpoch: -1, ...more }
}

function aRequest(more: Partial<SessionRequest>): SessionRequest {
  return { sessionId: 0, sessionEpoch: 0, byId: false, asks: [], forgotten: [], ...more }
}

const quiet = { failed: false, redirected: false, sizeBytes: 0, highWatermark: 5, logStartOffset: 0 }

/** Answers all partitions alike and returns those in the answer. */
function sent(fetch: SessionFetch, answer = quiet): readonly number[] {
  return fetch.asks.filter((asked) => fetch.include(asked, answer)).map(({ partition }) => partition)
}

function opened(sessions: FetchSessions, partitions: readonly number[]): number {
  const fetch = sessions.fetch(aRequest({ asks: partitions.map((partition) => ask(partition)) }))
  sent(fetch)
  return fetch.sessionId
}

test('a full fetch with epoch 0 opens a session and answers every partition', () => {
  const { sessions } = someSessions()
  const fetch = sessions.fetch(aRequest({ asks: [ask(0), ask(1)] }))
  expect(fetch.sessionId).toBeGreaterThan(0)
  expect(sent(fetch)).toEqual([0, 1])
})

test('epoch -1 is a full fetch without a session, and ends the one it names', () => {
  const { sessions } = someSessions()
  const sessionId = opened(sessions, [0])
  const fetch = sessions.fetch(aRequest({ sessionId, sessionEpoch: -1, asks: [ask(0)] }))
  expect(fetch.sessionId).toBe(0)
  expect(sent(fetch)).toEqual([0])
  expect(sessions.size).toBe(0)
})

test('epoch 0 with an id replaces that session', () => {
  const { sessions } = someSessions()
  const sessionId = opened(sessions, [0])
  const fetch = sessions.fetch(aRequest({ sessionId, asks: [ask(1)] }))
  expect(fetch.sessionId).not.toBe(sessionId)
  expect(sessions.size).toBe(1)
})

test('an incremental fetch covers the remembered partitions and leaves out unchanged ones', () => {
  const { sessions } = someSessions()
  const sessionId = opened(sessions, [0, 1])
  const fetch = sessions.fetch(aRequest({ sessionId, sessionEpoch: 1 }))
  expect(fetch.sessionId).toBe(sessionId)
  expect(fetch.asks.map(({ partition }) => partition)).toEqual([0, 1])
  expect(sent(fetch)).toEqual([])
})

test.each([
  ['data', { ...quiet, sizeBytes: 1 }],
  ['another high watermark', { ...quiet, highWatermark: 6 }],
  ['another log start', { ...quiet, logStartOffset: 1 }],
  ['an error', { ...quiet, failed: true }],
  ['another broker to fetch from', { ...quiet, redirected: true }],
])('%s is always sent', (_, answer) => {
  const { sessions } = someSessions()
  const sessionId = opened(sessions, [0])
  expect(sent(sessions.fetch(aRequest({ sessionId, sessionEpoch: 1 })), answer)).toEqual([0])
})

test('after an error the next successful answer is sent, even if nothing else changed', () => {
  const { sessions } = someSessions()
  const sessionId = opened(sessions, [0])
  sent(sessions.fetch(aRequest({ sessionId, sessionEpoch: 1 })), { ...quiet, failed: true })
  expect(sent(sessions.fetch(aRequest({ sessionId, sessionEpoch: 2 })))).toEqual([0])
  expect(sent(sessions.fetch(aRequest({ sessionId, sessionEpoch: 3 })))).toEqual([])
})

test('repeated partitions replace, forgotten ones are gone, new ones are answered', () => {
  const { sessions } = someSessions()
  const sessionId = opened(sessions, [0, 1])
  const fetch = sessions.fetch(
    aRequest({ sessionId, sessionEpoch: 1, asks: [ask(0, { fetchOffset: 7 }), ask(2)], forgotten: [{ topic: 't', partition: 1 }] }),
  )
  expect(fetch.asks.map(({ partition, fetchOffset }) => [partition, fetchOffset])).toEqual([
    [0, 7],
    [2, 0],
  ])
  expect(sent(fetch)).toEqual([2])
  expect(sessions.partitions).toBe(2)
})

test('a session without partitions ends', () => {
  const { sessions } = someSessions()
  const sessionId = opened(sessions, [0])
  const fetch = sessions.fetch(aRequest({ sessionId, sessionEpoch: 1, forgotten: [{ topic: 't', partition: 0 }] }))
  expect(fetch).toMatchObject({ sessionId: 0, asks: [] })
  expect(sessions.size).toBe(0)
  expect(sessions.partitions).toBe(0)
})

test('a partition that returned data comes last in the next fetch', () => {
  const { sessions } = someSessions()
  const sessionId = opened(sessions, [0, 1, 2])
  const fetch = sessions.fetch(aRequest({ sessionId, sessionEpoch: 1 }))
  for (const asked of fetch.asks) fetch.include(asked, { ...quiet, sizeBytes: asked.partition === 0 ? 10 : 0 })
  expect(sessions.fetch(aRequest({ sessionId, sessionEpoch: 2 })).asks.map(({ partition }) => partition)).toEqual([1, 2, 0])
})

test('an unknown session and a wrong epoch get different errors', () => {
  const { sessions } = someSessions()
  const sessionId = opened(sessions, [0])
  expect(() => sessions.fetch(aRequest({ sessionId: sessionId + 1, sessionEpoch: 1 }))).toThrow(
    expect.objectContaining({ error: 'FETCH_SESSION_ID_NOT_FOUND' }),
  )
  expect(() => sessions.fetch(aRequest({ sessionId, sessionEpoch: 2 }))).toThrow(
    expect.objectContaining({ error: 'INVALID_FETCH_SESSION_EPOCH' }),
  )
  // Repeating the request repeats the error.
  sessions.fetch(aRequest({ sessionId, sessionEpoch: 1 }))
  expect(() => sessions.fetch(aRequest({ sessionId, sessionEpoch: 1 }))).toThrow(
    expect.objectContaining({ error: 'INVALID_FETCH_SESSION_EPOCH' }),
  )
})

test('a session does not mix topic ids and names', () => {
  const { sessions } = someSessions()
  const sessionId = opened(sessions, [0])
  expect(() => sessions.fetch(aRequest({ sessionId, sessionEpoch: 1, byId: true }))).toThrow(
    expect.objectContaining({ error: 'FETCH_SESSION_TOPIC_ID_ERROR' }),
  )
})

test('with all slots taken a client gets no session, until one session was silent for long', async () => {
  const { sessions, clock } = someSessions(2)
  const first = opened(sessions, [0])
  opened(sessions, [0])
  expect(opened(sessions, [0])).toBe(0)
  await clock.advance(fixedLimits.fetchSessionSilentMs - 1)
  sessions.fetch(aRequest({ sessionId: first, sessionEpoch: 1 }))
  await clock.advance(1)
  // The second was silent for longer than the first.
  expect(opened(sessions, [0])).toBeGreaterThan(0)
  expect(() => sessions.fetch(aRequest({ sessionId: first, sessionEpoch: 2 }))).not.toThrow()
  expect(opened(sessions, [0])).toBe(0)
})

test('without slots there are no sessions', () => {
  const { sessions } = someSessions(0)
  expect(opened(sessions, [0])).toBe(0)
})

test('all sessions together keep as many partitions as they have memory for', async () => {
  const { sessions, clock } = someSessions(10, { fetchSessionBytes: 2_000 })
  expect(opened(sessions, [0, 1, 2, 3, 4])).toBe(0)
  const first = opened(sessions, [0, 1, 2])
  expect(sessions.gauge).toEqual({ usedBytes: 1_500, limitBytes: 2_000 })
  expect(opened(sessions, [0, 1])).toBe(0)
  const second = opened(sessions, [0])
  // An incremental fetch that adds too many ends its own session only.
  expect(() => sessions.fetch(aRequest({ sessionId: second, sessionEpoch: 1, asks: [ask(1)] }))).toThrow(
    expect.objectContaining({ error: 'FETCH_SESSION_ID_NOT_FOUND' }),
  )
  expect(sessions.gauge.usedBytes).toBe(1_500)
  // A session that was silent for long gives its memory to a new one.
  await clock.advance(fixedLimits.fetchSessionSilentMs)
  expect(opened(sessions, [0, 1, 2, 3])).toBeGreaterThan(0)
  expect(() => sessions.fetch(aRequest({ sessionId: first, sessionEpoch: 1 }))).toThrow(
    expect.objectContaining({ error: 'FETCH_SESSION_ID_NOT_FOUND' }),
  )
})
