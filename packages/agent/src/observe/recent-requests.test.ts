// The requests of the last minutes: sums by client and API, intervals of durations, what is forgotten, and the bounds on clients.
import { errors as errorCodes } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { RecentRequests } from './recent-requests.ts'

const minuteMs = 60_000

function aClock(): { readonly clock: ManualClock; readonly recent: RecentRequests } {
  const clock = new ManualClock()
  return { clock, recent: new RecentRequests(clock) }
}

function ask(recent: RecentRequests, clientId: string | null, api: string, durationMs: number): void {
  const of = { connectionId: 1, clientId, api, version: 4 }
  recent.count({ kind: 'request', ...of, sizeBytes: 100 })
  recent.count({ kind: 'reply', ...of, sizeBytes: 10, durationMs, errors: undefined })
}

function reject(recent: RecentRequests, message: string, { id }: { readonly id: string | undefined } = { id: 'app' }): void {
  const client = { id, software: undefined, address: '127.0.0.1' }
  const of = { api: 'Produce', version: 12, subject: "topic 'orders'" }
  recent.count({ kind: 'rejected', client, ...of, error: 'MESSAGE_TOO_LARGE', message })
}

test('requests add up by client and API, and the most frequent are first', () => {
  const { recent } = aClock()
  for (const durationMs of [0.5, 3, 4, 7]) ask(recent, 'app', 'Produce', durationMs)
  ask(recent, 'app', 'Fetch', 480)
  ask(recent, null, 'Fetch', 1)
  ask(recent, null, 'Fetch', 1)
  const row = { others: false, errors: [] }
  expect(recent.read(5)).toEqual([
    { ...row, clientId: 'app', api: 'Produce', requests: 4, bytesIn: 400, bytesOut: 40, meanMs: 3.625, p50Ms: 5, p99Ms: 7, maxMs: 7 },
    { ...row, clientId: null, api: 'Fetch', requests: 2, bytesIn: 200, bytesOut: 20, meanMs: 1, p50Ms: 1, p99Ms: 1, maxMs: 1 },
    { ...row, clientId: 'app', api: 'Fetch', requests: 1, bytesIn: 100, bytesOut: 10, meanMs: 480, p50Ms: 480, p99Ms: 480, maxMs: 480 },
  ])
})

test('a duration above all bounds has no upper bound but the longest one', () => {
  const { recent } = aClock()
  for (const durationMs of [31_000, 45_000]) ask(recent, 'app', 'JoinGroup', durationMs)
  expect(recent.read(1)).toMatchObject([{ p50Ms: 45_000, p99Ms: 45_000, maxMs: 45_000 }])
})

test('errors are counted in answers, and have the last reported reason', async () => {
  const { clock, recent } = aClock()
  const reply = { kind: 'reply', connectionId: 1, clientId: 'app', api: 'Produce', version: 12, sizeBytes: 10, durationMs: 1 } as const
  const errors = new Map([
    [errorCodes.MESSAGE_TOO_LARGE.code, 3],
    [errorCodes.NOT_LEADER_OR_FOLLOWER.code, 1],
  ])
  reject(recent, 'the first')
  recent.count({ ...reply, errors })
  const firstAtMs = clock.now()
  await clock.advance(minuteMs)
  recent.count({ ...reply, errors: new Map([[errorCodes.NOT_LEADER_OR_FOLLOWER.code, 2]]) })
  const plain = { subject: undefined, message: undefined }
  expect(recent.read(2)).toMatchObject([
    {
      errors: [
        { error: 'MESSAGE_TOO_LARGE', count: 3, subject: "topic 'orders'", message: 'the first', lastAtMs: firstAtMs },
        { error: 'NOT_LEADER_OR_FOLLOWER', count: 3, ...plain, lastAtMs: clock.now() },
      ],
    },
  ])
})

test('a request without an answer has its reported errors, also of a client without a name', () => {
  const { recent } = aClock()
  reject(recent, 'the first')
  reject(recent, 'the second')
  reject(recent, 'nameless', { id: undefined })
  expect(recent.read(2)).toMatchObject([
    { clientId: 'app', requests: 0, meanMs: 0, errors: [{ error: 'MESSAGE_TOO_LARGE', count: 2, message: 'the second' }] },
    { clientId: null, errors: [{ count: 1, message: 'nameless' }] },
  ])
})

test('only the asked minutes count, and ten minutes later all is forgotten', async () => {
  const { clock, recent } = aClock()
  ask(recent, 'app', 'Produce', 1)
  await clock.advance(minuteMs)
  ask(recent, 'app', 'Produce', 1)
  const requests = (minutes: number): number => recent.read(minutes).reduce((sum, row) => sum + row.requests, 0)
  expect([requests(1), requests(2), requests(10), requests(99)]).toEqual([1, 2, 2, 2])
  await clock.advance(8 * minuteMs)
  expect([requests(1), requests(9), requests(10)]).toEqual([0, 1, 2])
  await clock.advance(minuteMs)
  expect(requests(10)).toBe(1)
  await clock.advance(100 * minuteMs)
  expect(recent.read(10)).toEqual([])
})

test('clients beyond the bound of a minute share one row for each API, and known ones keep theirs', () => {
  const { recent } = aClock()
  for (let client = 0; client < 300; client += 1) ask(recent, `client-${client}`, 'Metadata', 1)
  ask(recent, 'client-7', 'Metadata', 1)
  const rows = recent.read(1)
  expect(rows).toHaveLength(201)
  expect(rows.find(({ others }) => others)).toMatchObject({ clientId: null, api: 'Metadata', requests: 100 })
  expect(rows.find(({ clientId }) => clientId === 'client-7')).toMatchObject({ requests: 2 })
})

test('the rows of a minute are bounded, whatever APIs its clients use, and the next minute has room again', async () => {
  const { clock, recent } = aClock()
  for (let client = 0; client < 150; client += 1) for (let api = 0; api < 10; api += 1) ask(recent, `client-${client}`, `Api${api}`, 1)
  const rows = recent.read(1)
  expect(rows.filter(({ others }) => !others)).toHaveLength(1_000)
  expect(rows.filter(({ others }) => others).reduce((sum, { requests }) => sum + requests, 0)).toBe(500)
  await clock.advance(minuteMs)
  ask(recent, 'client-149', 'Api9', 1)
  expect(recent.read(1)).toMatchObject([{ clientId: 'client-149', others: false }])
})

test('of a long client id and a long message only the beginning is kept', () => {
  const { recent } = aClock()
  const long = 'x'.repeat(30_000)
  ask(recent, long, 'Metadata', 1)
  reject(recent, long, { id: long })
  const [row, ...more] = recent.read(1).filter(({ clientId }) => clientId?.startsWith('x') === true)
  expect([row?.clientId?.length, row?.api, more.length]).toEqual([255, 'Metadata', 1])
  expect(more[0]?.errors[0]?.message).toHaveLength(255)
})
