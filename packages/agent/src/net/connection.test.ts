// The promises of a connection: answers in the order of the requests, whatever the handlers do, and a bounded use of memory, whatever the client does.
import { expect, test } from 'vitest'
import { defaultLimits, fixedLimits } from '../limits.ts'
import { isStopping } from './connection.ts'
import type { Answer } from './handled.ts'
import { aBudget, aConnection, answer, frame, idleMs, now, prefix, turn } from './testing/a-connection.ts'

test('answers are sent in the order of the requests, even if later ones are ready first', async () => {
  const { connection, socket, requests } = aConnection()
  connection.data(Buffer.concat([frame('a'), frame('b'), frame('c')]))
  const slow = Promise.withResolvers<Answer>()
  requests[0]?.settle({ kind: 'later', answer: slow.promise })
  await turn()
  requests[1]?.settle(now('B'))
  await turn()
  requests[2]?.settle(now('C'))
  await turn()
  expect(socket.text).toBe('')
  slow.resolve(answer('A'))
  await turn()
  expect(socket.text).toBe('ABC')
})

test('the next request is taken only when the previous one has settled, however it arrives', async () => {
  const { connection, requests } = aConnection()
  connection.data(Buffer.concat([frame('a'), frame('b')]))
  connection.data(frame('c'))
  connection.drained()
  await turn()
  expect(requests.map(({ text }) => text)).toEqual(['a'])
  requests[0]?.settle({ kind: 'later', answer: new Promise(() => {}) })
  await turn()
  expect(requests.map(({ text }) => text)).toEqual(['a', 'b'])
})

test('frames are found however the bytes are split', async () => {
  const { connection, requests } = aConnection()
  for (const byte of Buffer.concat([frame('hello'), frame(''), frame('you')])) connection.data(Buffer.of(byte))
  for (let at = 0; at < 3; at += 1) {
    requests[at]?.settle(now('.'))
    await turn()
  }
  expect(requests.map(({ text }) => text)).toEqual(['hello', '', 'you'])
})

test('a connection has a bounded number of requests in flight', async () => {
  const { connection, requests } = aConnection()
  const many = defaultLimits.requestsInFlightPerConnection + 5
  connection.data(Buffer.concat(Array.from({ length: many }, () => frame('x'))))
  const answers: ((answer: Answer) => void)[] = []
  for (let at = 0; at < requests.length; at += 1) {
    requests[at]?.settle({ kind: 'later', answer: new Promise((resolve) => answers.push(resolve)) })
    await turn()
    await turn()
  }
  expect(requests).toHaveLength(defaultLimits.requestsInFlightPerConnection)
  answers[0]?.(answer('.'))
  await turn()
  expect(requests).toHaveLength(defaultLimits.requestsInFlightPerConnection + 1)
})

test('a request that expects no answer delays no other answer, and closes the connection when it fails', async () => {
  const { connection, socket, requests } = aConnection()
  connection.data(Buffer.concat([frame('silent'), frame('b')]))
  const fate = Promise.withResolvers<boolean>()
  requests[0]?.settle({ kind: 'none', close: fate.promise })
  await turn()
  requests[1]?.settle(now('B'))
  await turn()
  expect(socket.text).toBe('B')
  expect(socket.state).toBe('open')
  fate.resolve(true)
  await turn()
  expect(socket.state).toBe('ended')
})

test('after an answer that closes the connection, no later request is answered', async () => {
  const { connection, socket, requests } = aConnection()
  connection.data(Buffer.concat([frame('a'), frame('b'), frame('c')]))
  const first = Promise.withResolvers<Answer>()
  requests[0]?.settle({ kind: 'later', answer: first.promise })
  await turn()
  requests[1]?.settle(now('B'))
  await turn()
  first.resolve(answer('A', { thenClose: true }))
  await turn()
  expect(socket.text).toBe('A')
  expect(socket.state).toBe('ended')
  requests[2]?.settle(now('C'))
  await turn()
  expect(socket.text).toBe('A')
})

test.each([
  ['negative', -1],
  ['larger than the largest legal request', fixedLimits.requestBytes + 1],
])('a %s size closes the connection, with an event', (_, sizeBytes) => {
  const { connection, socket, events } = aConnection()
  connection.data(prefix(sizeBytes))
  expect(socket.state).toBe('ended')
  expect(events).toHaveLength(1)
  expect(events[0]).toMatch(/^protocol error: a frame claims -?\d+ bytes/)
})

test('bytes that arrive after the end of a connection are read and dropped', async () => {
  const { connection, socket, requests } = aConnection()
  connection.data(prefix(-1))
  connection.data(frame('a'))
  await turn()
  expect(requests).toHaveLength(0)
  expect(socket.paused).toBe(false)
})

test('a client that does not close after the end is disconnected', async () => {
  const { connection, socket, clock } = aConnection()
  connection.data(prefix(-1))
  await clock.advance(fixedLimits.lingerMs)
  expect(socket.state).toBe('destroyed')
})

test('a size prefix reserves one step, not the whole size', () => {
  const { connection, permits } = aConnection()
  connection.data(prefix(fixedLimits.requestBytes))
  expect(permits.large.usedBytes).toBeGreaterThan(0)
  expect(permits.large.usedBytes).toBeLessThanOrEqual(4 * 1024)
})

test('without permits the socket is paused, and it is read again once others release theirs', async () => {
  const permits = aBudget(1024, 100 * 1024)
  const first = aConnection({ permits })
  const second = aConnection({ permits })
  first.connection.data(frame(new Uint8Array(90 * 1024)))
  await turn()
  expect(first.requests).toHaveLength(1)
  second.connection.data(frame(new Uint8Array(80 * 1024)))
  await turn()
  expect(second.requests).toHaveLength(0)
  expect(second.socket.paused).toBe(true)
  first.requests[0]?.unpin()
  await turn()
  expect(second.requests).toHaveLength(1)
  expect(permits.large.usedBytes).toBe(80 * 1024)
  second.requests[0]?.settle(now('.'))
  await turn()
  expect(permits.large.usedBytes).toBe(0)
  expect(second.socket.paused).toBe(false)
})

test('small frames do not wait for large ones', async () => {
  const permits = aBudget(8 * 1024, 100 * 1024)
  const large = aConnection({ permits })
  large.connection.data(frame(new Uint8Array(100 * 1024)))
  const small = aConnection({ permits })
  small.connection.data(frame('heartbeat'))
  await turn()
  expect(small.requests).toHaveLength(1)
})

test('frames that all hold a part and wait for the rest still complete, one after another', async () => {
  const permits = aBudget(1024, 100 * 1024)
  const body = new Uint8Array(90 * 1024)
  const waiting = new Set(Array.from({ length: 4 }, () => aConnection({ permits })))
  for (const { connection } of waiting) connection.data(frame(body).subarray(0, 60 * 1024))
  for (const { connection } of waiting) connection.data(frame(body).subarray(60 * 1024))
  while (waiting.size > 0) {
    await turn()
    expect(permits.large.usedBytes).toBeLessThanOrEqual(190 * 1024)
    const whole = [...waiting].find(({ requests }) => requests.length > 0)
    expect(whole).toBeDefined()
    if (whole === undefined) return
    whole.requests[0]?.settle(now('.'))
    waiting.delete(whole)
  }
  await turn()
  expect(permits.large.usedBytes).toBe(0)
})

test('a lost connection releases its permits', () => {
  const { connection, permits, events } = aConnection()
  connection.data(frame(new Uint8Array(100 * 1024)).subarray(0, 50 * 1024))
  expect(permits.large.usedBytes).toBeGreaterThan(0)
  connection.closed()
  expect(permits.large.usedBytes).toBe(0)
  expect(events).toEqual(['closed: closed by the client'])
})

test('a connection is closed when the rest of its frame does not arrive', async () => {
  const { connection, socket, clock, events } = aConnection()
  connection.data(frame('abcdef').subarray(0, 6))
  await clock.advance(fixedLimits.frameStallMs / 2)
  connection.data(Buffer.from('c'))
  await clock.advance(fixedLimits.frameStallMs - 1)
  expect(socket.state).toBe('open')
  await clock.advance(fixedLimits.frameStallMs)
  expect(socket.state).toBe('destroyed')
  expect(events).toEqual(['gave way its request: only 3 bytes of its request had arrived, and no more came for 30 s'])
})

test('the server stops reading from a client that does not read its answers', async () => {
  const { connection, socket, requests } = aConnection()
  socket.taking = false
  connection.data(Buffer.concat([frame('a'), frame('b')]))
  requests[0]?.settle({ kind: 'now', answer: answer('x'.repeat(defaultLimits.socketPendingBytes)) })
  await turn()
  expect(requests).toHaveLength(1)
  connection.data(new Uint8Array(defaultLimits.socketReadAheadBytes))
  expect(socket.paused).toBe(true)
  socket.pendingBytes = 0
  connection.drained()
  await turn()
  expect(requests).toHaveLength(2)
})

test('large answers that wait for an earlier one block the next request', async () => {
  const { connection, requests } = aConnection()
  connection.data(Buffer.concat([frame('a'), frame('b'), frame('c')]))
  requests[0]?.settle({ kind: 'later', answer: new Promise(() => {}) })
  await turn()
  requests[1]?.settle(now('x'.repeat(defaultLimits.socketPendingBytes)))
  await turn()
  expect(requests).toHaveLength(2)
})

test('a throttled connection takes requests again even if the timer fires a little early, as real ones do', async () => {
  const { connection, clock, requests } = aConnection({ timersEarlyByMs: 0.25 })
  connection.data(frame('a'))
  requests[0]?.settle(now('A', { throttleMs: 100 }))
  await turn()
  connection.data(frame('b'))
  await clock.advance(99.8)
  expect(requests.map(({ text }) => text)).toEqual(['a', 'b'])
})

test('a throttled client gets its answer at once, and its next request is taken after the throttle time', async () => {
  const { connection, socket, requests, clock } = aConnection()
  connection.data(Buffer.concat([frame('a'), frame('b')]))
  requests[0]?.settle(now('A', { throttleMs: 100 }))
  await turn()
  expect(socket.text).toBe('A')
  await clock.advance(99)
  expect(requests).toHaveLength(1)
  await clock.advance(1)
  expect(requests).toHaveLength(2)
})

test('an idle connection is closed, but not one whose request is being handled', async () => {
  const idle = aConnection()
  await idle.clock.advance(idleMs)
  expect(idle.socket.state).toBe('destroyed')
  const busy = aConnection()
  busy.connection.data(frame('a'))
  await busy.clock.advance(idleMs * 2)
  expect(busy.socket.state).toBe('open')
})

test('the signal of a request aborts when its connection is closed', async () => {
  const { connection, requests } = aConnection()
  connection.data(frame('a'))
  expect(requests[0]?.signal.aborted).toBe(false)
  connection.closed(new Error('ECONNRESET'))
  expect(requests[0]?.signal.aborted).toBe(true)
})

test('a drain answers the admitted requests, takes no more, and then closes', async () => {
  const { connection, socket, requests } = aConnection()
  connection.data(Buffer.concat([frame('a'), frame('b'), frame('c')]))
  const late = Promise.withResolvers<Answer>()
  requests[0]?.settle({ kind: 'later', answer: late.promise })
  await turn()
  connection.drain()
  expect(requests[1]?.signal.aborted).toBe(true)
  requests[1]?.settle(now('B'))
  await turn()
  expect(socket.state).toBe('open')
  late.resolve(answer('A'))
  await turn()
  expect(socket.text).toBe('AB')
  expect(socket.state).toBe('ended')
  expect(requests).toHaveLength(2)
})

test('only a drain counts as a stop, not an error with the same words', () => {
  const { connection, requests } = aConnection()
  connection.data(frame('a'))
  connection.drain()
  const [{ signal } = { signal: new AbortController().signal }] = requests
  expect(isStopping(signal)).toBe(true)
  expect(isStopping(AbortSignal.abort(new Error('the agent stops')))).toBe(false)
})

test('a drain closes an idle connection at once', () => {
  const { connection, socket } = aConnection()
  connection.drain()
  expect(socket.state).toBe('ended')
})

test('`sent` is called when the operating system has the bytes of an answer, or can never get them', async () => {
  const { connection, socket, requests } = aConnection()
  const reports: string[] = []
  const sent = (name: string) => ({ sent: () => void reports.push(name) })
  const ask = async (text: string): Promise<void> => {
    connection.data(frame(text))
    await turn()
  }
  await ask('a')
  requests[0]?.settle(now('A', sent('taken at once')))
  await turn()
  expect(reports).toEqual(['taken at once'])
  socket.taking = false
  await ask('b')
  requests[1]?.settle(now('B', sent('taken later')))
  await turn()
  expect(reports).toEqual(['taken at once'])
  socket.taking = true
  socket.pendingBytes = 0
  connection.drained()
  expect(reports).toEqual(['taken at once', 'taken later'])
  socket.taking = false
  await ask('c')
  await ask('d')
  requests[2]?.settle(now('C', sent('cut off')))
  await turn()
  connection.closed()
  requests[3]?.settle(now('D', sent('too late')))
  await turn()
  expect(reports).toEqual(['taken at once', 'taken later', 'cut off', 'too late'])
})
