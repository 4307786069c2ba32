// Live tails as server-sent events, and how they resume after an interruption.
import type { LogRecord, TailStep } from '@local-kafka-service/agent'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventText } from './event-stream.ts'
import { httpLimits } from './limits.ts'
import { EventReader } from './testing/event-reader.ts'
import { HandClock } from './testing/hand-clock.ts'
import { type ServedForTests, served } from './testing/served.ts'

let server: ServedForTests
beforeAll(async () => {
  server = await served()
})
afterAll(() => server.stop())

const produce = async (topic: string, partition: number, body: string): Promise<void> => {
  expect((await fetch(`${server.data}/topics/${topic}/produce/${partition}`, { method: 'POST', body })).status).toBe(200)
}
const follow = (path: string, lastEventId?: string): Promise<EventReader> => EventReader.open(`${server.data}${path}`, lastEventId)

test('a tail of one partition starts at the end and sends new records', async () => {
  await server.topic('tailed', 2)
  await produce('tailed', 0, 'before')
  await using events = await follow('/topics/tailed/messages/0')
  await produce('tailed', 1, 'elsewhere')
  await produce('tailed', 0, 'k:after')
  expect(await events.next()).toMatchObject({ record: { partition: 0, offset: 1, key: 'k', value: 'after' } })
})

test('a tail of a topic follows all partitions; the id has their offsets, and a new reader resumes after it', async () => {
  await server.topic('resumed', 3)
  const first = await follow('/topics/resumed/messages')
  await produce('resumed', 2, 'a')
  const a = await first.next()
  await produce('resumed', 0, 'b')
  const b = await first.next()
  await first[Symbol.asyncDispose]()
  expect([a.record.value, b.record.value]).toEqual(['a', 'b'])
  await produce('resumed', 1, 'c')
  await produce('resumed', 2, 'd')

  await using fromB = await follow('/topics/resumed/messages', b.id)
  expect([(await fromB.next()).record.value, (await fromB.next()).record.value].toSorted()).toEqual(['c', 'd'])
  await using fromA = await follow('/topics/resumed/messages', a.id)
  expect([(await fromA.next()).record.value, (await fromA.next()).record.value, (await fromA.next()).record.value].toSorted()).toEqual([
    'b',
    'c',
    'd',
  ])
})

test('a reader that is disconnected before the first record resumes too, because the stream starts with an id', async () => {
  await server.topic('early', 1)
  const first = await follow('/topics/early/messages')
  const id = first.lastId
  await first[Symbol.asyncDispose]()
  await produce('early', 0, 'missed')
  await using second = await follow('/topics/early/messages', id)
  expect((await second.next()).record.value).toBe('missed')
})

test('offset and since set the start of a tail, key filters its records', async () => {
  await server.topic('begun', 1)
  for (const body of ['a:1', 'b:2', 'a:3']) await produce('begun', 0, body)
  await using all = await follow('/topics/begun/messages/0?offset=earliest')
  expect([(await all.next()).record.value, (await all.next()).record.value]).toEqual(['1', '2'])
  await using last = await follow('/topics/begun/messages/0?offset=-1')
  expect((await last.next()).record.value).toBe('3')
  await using keyed = await follow('/topics/begun/messages?since=0&key=a')
  expect([(await keyed.next()).record.value, (await keyed.next()).record.value]).toEqual(['1', '3'])
})

test('the tail of a deleted topic ends with the reason; its ids start at the beginning of a topic that was created again', async () => {
  await server.topic('gone', 1)
  await using events = await follow('/topics/gone/messages')
  await produce('gone', 0, 'a')
  const { id } = await events.next()
  await fetch(`${server.control}/topics/gone`, { method: 'DELETE' })
  expect(await events.next()).toMatchObject({ event: 'problem', data: { error_code: 404 } })
  expect(await events.ended()).toBe(true)

  await server.topic('gone', 1)
  await produce('gone', 0, 'new')
  await using again = await follow('/topics/gone/messages', id)
  expect((await again.next()).record.value).toBe('new')
})

test.each([
  ['/topics/nope/messages', undefined, 404],
  ['/topics/refused/messages/7', undefined, 404],
  ['/topics/refused/messages', 'garbage', 400],
  ['/topics/refused/messages?limit=3', undefined, 400],
  ['/topics/refused/messages?until=3', undefined, 400],
  ['/topics/refused/messages/0?timeout=3', undefined, 400],
])('a tail at %s with Last-Event-ID %s is rejected with a %i before it starts', async (path, id, status) => {
  await server.topic('refused', 1)
  const response = await fetch(`${server.data}${path}`, {
    headers: { accept: 'text/event-stream', ...(id !== undefined && { 'last-event-id': id }) },
  })
  expect(response.status).toBe(status)
  await response.body?.cancel()
})

test('a page of another site cannot open a tail', async () => {
  await server.topic('private', 1)
  const response = await fetch(`${server.data}/topics/private/messages`, {
    headers: { accept: 'text/event-stream', origin: 'https://evil.example' },
  })
  expect(response.status).toBe(403)
})

test('a silent tail sends heartbeats', async () => {
  const clock = new HandClock()
  const { text } = aTail({ clock, steps: silence() })
  await text.next()
  for (let beat = 0; beat < 3; beat++) {
    const next = text.next()
    await clock.advance(httpLimits.heartbeatMs)
    expect(await next).toEqual({ done: false, value: ': still here\n\n' })
  }
})

test('a reader that reads nothing is disconnected in time, and the tail has fetched no more than it handed over', async () => {
  const clock = new HandClock()
  const steps = endless()
  const { text, stalled } = aTail({ clock, steps })
  await text.next()
  await text.next()
  await clock.advance(httpLimits.eventStallMs - 1)
  expect(stalled()).toBe(false)
  await clock.advance(1)
  expect(stalled()).toBe(true)
  expect(steps.taken).toBe(1)
})

test('a reader that reads is never disconnected, however long its tail lasts', async () => {
  const clock = new HandClock()
  const { text, stalled } = aTail({ clock, steps: endless() })
  for (let i = 0; i < 10; i++) {
    await text.next()
    await clock.advance(httpLimits.eventStallMs - 1)
  }
  expect(stalled()).toBe(false)
})

test('ids advance with every record, and after offsets without a record', async () => {
  const { text } = aTail({
    clock: new HandClock(),
    positions: [5, 0],
    steps: of(
      {
        kind: 'records',
        records: [aRecord(1, 0), aRecord(0, 6)],
        unreadable: [{ partition: 0, from: 7, to: 8, message: 'cut off' }],
        positions: [9, 1],
      },
      { kind: 'ended', why: { kind: 'elsewhere', partition: 0, slot: 0, leader: 2 } },
    ),
  })
  let all = ''
  for await (const part of text) all += part
  const ids = [...all.matchAll(/^id: .*\.(.*)$/gm)].map(([, positions]) => positions)
  expect(ids).toEqual(['5-', '5-1', '7-1', '9-1'])
  expect(all).toContain('event: unreadable\ndata: {"partition":0,"from":7,"to":8,"message":"cut off"}\n\n')
  expect(all).toContain('event: problem\ndata: {"error":"NotLeaderOrFollowerException"')
})

test('when the server stops, tails end, and then the stop completes', async () => {
  const own = await served()
  await own.topic('ending', 1)
  await using events = await EventReader.open(`${own.data}/topics/ending/messages`)
  await own.stop()
  expect(await events.ended()).toBe(true)
})

test('tails beyond the limit are rejected, and a place is free again when one ends', async () => {
  await server.topic('crowded', 1)
  const tails = await Promise.all(Array.from({ length: httpLimits.eventStreams }, () => follow('/topics/crowded/messages')))
  const one = (): Promise<number> =>
    fetch(`${server.data}/topics/crowded/messages`, { headers: { accept: 'text/event-stream' } }).then(async (response) => {
      await response.body?.cancel()
      return response.status
    })
  expect(await one()).toBe(503)
  await Promise.all(tails.map((tail) => tail[Symbol.asyncDispose]()))
  await expect.poll(one).toBe(200)
})

const aRecord = (partition: number, offset: number): LogRecord => ({
  partition,
  offset,
  timestamp: 0,
  key: null,
  value: Buffer.from('v'),
  headers: [],
})

function aTail({
  clock,
  steps,
  positions = [0],
}: {
  readonly clock: HandClock
  readonly steps: AsyncIterable<TailStep>
  readonly positions?: readonly number[]
}): { text: AsyncGenerator<string>; stalled: () => boolean } {
  let stalled = false
  const topic = {
    topicId: 'abcdefghijklmnopqrstuv',
    name: 'hello',
    partitions: positions.length,
    replicationFactor: 1,
    configs: {},
    createdAtMs: 0,
  }
  const text = eventText(
    { kind: 'tail', topic, positions, steps },
    {
      partition: undefined,
      clock,
      signal: new AbortController().signal,
      requestId: 'r',
      stalled: () => {
        stalled = true
      },
    },
  )
  return { text, stalled: () => stalled }
}

async function* of(...steps: readonly TailStep[]): AsyncGenerator<TailStep> {
  yield* steps
}

function silence(): AsyncIterable<TailStep> {
  return { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
}

/** One record per step, and the number of steps that were taken. */
function endless(): AsyncIterable<TailStep> & { readonly taken: number } {
  let taken = 0
  return {
    get taken() {
      return taken
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        taken += 1
        yield { kind: 'records', records: [aRecord(0, taken - 1)], unreadable: [], positions: [taken] }
      }
    },
  }
}
