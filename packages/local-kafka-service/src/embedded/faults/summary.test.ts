// The summary of a request is short for any content, and never contains its records.
import { expect, test } from 'vitest'
import { summaryOf } from './summary.ts'

const names = { topics: ['orders'], nameOf: (topicId: string) => (topicId === 'id' ? 'orders' : undefined) }
const words = (api: string, body: object): string => summaryOf({ api, body, ...names })

test('bytes that are not a record batch are summarised by their size', () => {
  const records = new TextEncoder().encode('no batch at all, but long enough to have a header of sixty-one bytes')
  const produce = (of: Uint8Array | null): object => ({
    acks: 1,
    transactionalId: null,
    topicData: [{ name: '', topicId: 'id', partitionData: [{ index: 0, records: of }] }],
  })
  expect(words('Produce', produce(records))).toBe('orders[0] 68 bytes; acks=1')
  expect(words('Produce', produce(records.subarray(0, 7)))).toBe('orders[0] 7 bytes; acks=1')
  expect(words('Produce', produce(null))).toBe('orders[0] no records; acks=1')
})

test('a topic without a known name stays an id', () => {
  const topics = [{ topic: '', topicId: 'other', partitions: [{ partition: 0, fetchOffset: 5 }] }]
  expect(words('Fetch', { topics, maxWaitMs: 500, minBytes: 1, sessionId: 0 })).toBe('other[0] from 5; waits 500 ms for 1 bytes')
  expect(words('Fetch', { topics: [], maxWaitMs: 500, minBytes: 1, sessionId: 9 })).toBe('session 9 as it was; waits 500 ms for 1 bytes')
})

test('many names are counted, and the summary is one line', () => {
  const topics = Array.from({ length: 1_000 }, (_, at) => ({ name: `topic-${at}`, partitions: [{ partitionIndex: 0, timestamp: -1 }] }))
  const line = words('ListOffsets', { topics })
  expect(line).toMatch(/^topic-0\[0\] latest, .*topic-7\[0\] latest and 992 more$/)
  const long = words('CreateTopics', { topics: Array.from({ length: 8 }, () => ({ name: 'x'.repeat(200), numPartitions: 1 })) })
  expect(long).toHaveLength(300)
  expect(long.endsWith('…')).toBe(true)
})

test('a message without its own format is summarised by its fields, bytes by their size', () => {
  expect(words('ListGroups', { statesFilter: [], typesFilter: ['classic'] })).toBe('typesFilter=[classic]')
  expect(words('Other', { id: 1n, blob: new Uint8Array(12), inner: { a: null, b: true } })).toBe('id=1 blob=12 bytes inner={b=true}')
})

test('C17: an int64 beyond the safe integers is not shown as another number', () => {
  const largest = Number.MAX_SAFE_INTEGER
  const partitions = (timestamp: number): object => ({ topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp }] }] })
  expect(words('ListOffsets', partitions(largest))).toBe('orders[0] at 9007199254740991 or more')
  expect(words('ListOffsets', partitions(-largest))).toBe('orders[0] at -9007199254740991 or less')
  expect(words('Other', { deadline: largest })).toBe('deadline=9007199254740991 or more')
})
