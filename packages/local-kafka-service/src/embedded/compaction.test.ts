// Log compaction in an embedded server: on request and by the clock, and what clients and tests see of the topic after it.
import { expect, test } from 'vitest'
import { startKafka } from '../index.ts'
import type { Kafka } from './kafka.ts'

const config = { 'cleanup.policy': 'compact' } as const

async function valuesOf(
  kafka: Kafka,
  topic: string,
): Promise<readonly (readonly [offset: number, key: string | null, value: string | null])[]> {
  return (await kafka.records(topic)).map(({ offset, key, value }) => [offset, key?.toString() ?? null, value?.toString() ?? null])
}

async function produceOneByOne(
  kafka: Kafka,
  topic: string,
  ...records: readonly (readonly [key: string, value: string | null])[]
): Promise<void> {
  for (const [key, value] of records) await kafka.produce(topic, { key, value })
}

test('of each key the last record is left, at its offset, and a consumer reads on', async () => {
  await using kafka = await startKafka({ topics: { users: { partitions: 1, config } } })
  await produceOneByOne(kafka, 'users', ['a', '1'], ['b', '1'], ['a', '2'], ['c', '1'], ['a', '3'], ['b', '2'])
  await kafka.compact('users')
  const after = [
    [3, 'c', '1'],
    [4, 'a', '3'],
    [5, 'b', '2'],
  ]
  expect(await valuesOf(kafka, 'users')).toEqual(after)
  await kafka.produce('users', { key: 'c', value: '2' })
  expect(await valuesOf(kafka, 'users')).toEqual([...after, [6, 'c', '2']])
  await kafka.compact('users')
  expect(await valuesOf(kafka, 'users')).toEqual([...after.slice(1), [6, 'c', '2']])
})

test('a tombstone goes delete.retention.ms after the first compaction', async () => {
  await using kafka = await startKafka({ topics: { users: { partitions: 1, config: { ...config, 'delete.retention.ms': '3600000' } } } })
  await produceOneByOne(kafka, 'users', ['a', '1'], ['a', null], ['b', '1'])
  await kafka.compact('users')
  expect(await valuesOf(kafka, 'users')).toEqual([
    [1, 'a', null],
    [2, 'b', '1'],
  ])
  await kafka.clock.advance('2h')
  // Like Kafka's, it looks at a log again when there is something new.
  await kafka.produce('users', { key: 'c', value: '1' })
  await kafka.compact('users')
  expect(await valuesOf(kafka, 'users')).toEqual([
    [2, 'b', '1'],
    [3, 'c', '1'],
  ])
})

test('time passes: the records that segment.ms leaves behind are compacted without a request', async () => {
  await using kafka = await startKafka({ topics: { users: { partitions: 1, config: { ...config, 'segment.ms': '60000' } } } })
  await produceOneByOne(kafka, 'users', ['a', '1'], ['a', '2'])
  await kafka.clock.advance('30s')
  expect(await valuesOf(kafka, 'users')).toHaveLength(2)
  await kafka.clock.advance('8d')
  await expect.poll(() => valuesOf(kafka, 'users')).toEqual([[1, 'a', '2']])
})

test('a topic without compaction is rejected, and one that does not exist, too', async () => {
  await using kafka = await startKafka({ topics: { plain: 1 } })
  await expect(kafka.compact('plain')).rejects.toMatchObject({ code: 'POLICY_VIOLATION' })
  await expect(kafka.compact('none')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
})

test('a record without a key is rejected', async () => {
  await using kafka = await startKafka({ topics: { users: { partitions: 1, config } } })
  await expect(kafka.produce('users', 'no key')).rejects.toMatchObject({
    code: 'INVALID_RECORD',
    message: expect.stringContaining('Compacted topic cannot accept message without key in topic partition users-0'),
  })
})
