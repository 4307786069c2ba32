// The pauses of a plan, from small histories.
import { expect, test } from 'vitest'
import type { ClientLine, HistoryLine, ObserverLine } from './history.ts'
import { pausesOf } from './pauses.ts'

function at(atMs: number, process: string, line: ClientLine | ObserverLine): HistoryLine {
  return { atMs, process, ...line }
}

/** A record that is acknowledged and received after so many milliseconds. */
function aRecord(
  offset: number,
  { sentMs, ackMs, receivedMs }: { readonly sentMs: number; readonly ackMs: number; readonly receivedMs: number },
): HistoryLine[] {
  const value = `value ${offset}`
  return [
    at(sentMs, 'kafkajs', { f: 'send', partition: 0, value }),
    at(sentMs + ackMs, 'kafkajs', { f: 'sent', partition: 0, value, offset }),
    at(sentMs + ackMs + receivedMs, 'kafkajs', { f: 'polled', reader: 'kafkajs member 1', records: [[0, offset, value]] }),
  ]
}

const history = [
  at(1_000, 'observer', { f: 'slots', owned: { blue: 128, green: 128 } }),
  at(2_000, 'kafkajs', { f: 'joined', reader: 'kafkajs member 1' }),
  ...aRecord(9, { sentMs: 2_500, ackMs: 1_500, receivedMs: 900 }),
  ...aRecord(0, { sentMs: 6_000, ackMs: 10, receivedMs: 20 }),
  at(10_000, 'run', { f: 'fault', text: 'restart an agent blue' }),
  ...aRecord(1, { sentMs: 10_100, ackMs: 400, receivedMs: 50 }),
  at(10_500, 'observer', { f: 'slots', owned: { green: 256 } }),
  at(10_600, 'kafkajs', { f: 'joined', reader: 'kafkajs member 1' }),
  at(25_000, 'observer', { f: 'slots', owned: { blue: 128, green: 128 } }),
  ...aRecord(2, { sentMs: 25_100, ackMs: 70, receivedMs: 80 }),
  at(10_600, 'kafkajs', { f: 'polled', reader: 'kafkajs member 1', records: [[0, 1, 'value 1']] }),
  at(30_000, 'kafkajs', { f: 'send', partition: 0, value: 'value 3' }),
  at(30_100, 'kafkajs', { f: 'unknown', partition: 0, value: 'value 3', error: 'late' }),
  at(30_200, 'kafkajs', { f: 'error', text: 'crashed' }),
].toSorted((one, other) => one.atMs - other.atMs)

test('waits after a drain count, or those around a later move of slots; all others are calm', () => {
  const [drained] = pausesOf(history, ['kafkajs'], 'drained')
  expect(drained).toEqual({
    client: 'kafkajs',
    acknowledged: { calm: { count: 2, p50Ms: 10, p99Ms: 70, maxMs: 70 }, counted: { count: 1, p50Ms: 400, p99Ms: 400, maxMs: 400 } },
    received: { calm: { count: 2, p50Ms: 20, p99Ms: 80, maxMs: 80 }, counted: { count: 1, p50Ms: 50, p99Ms: 50, maxMs: 50 } },
    longestUnwritableMs: 14_670,
    failedSends: 1,
    errors: ['late', 'crashed'],
    rejoins: 1,
    receivedAgain: 1,
  })
  const [given] = pausesOf(history, ['kafkajs'], 'given')
  expect(given).toMatchObject({
    acknowledged: { calm: { maxMs: 400 }, counted: { count: 1, maxMs: 70 } },
    received: { counted: { maxMs: 80 } },
    rejoins: 0,
  })
})

test('a wait that began before a disturbance counts, if it did not end before', () => {
  const [pauses] = pausesOf([...history, ...aRecord(3, { sentMs: 9_000, ackMs: 5_000, receivedMs: 1 })], ['kafkajs'], 'disturbed')
  expect(pauses?.acknowledged.counted).toMatchObject({ count: 2, maxMs: 5_000 })
  expect(pauses?.acknowledged.calm).toMatchObject({ count: 2 })
})
