// Requests about very many partitions yield to the event loop. The tests count its turns, never time.
import { setImmediate } from 'node:timers/promises'
import { Fetch, ListOffsets, Produce } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { fixedLimits } from '../limits.ts'
import { type AgentForTests, aBatch, anAgent } from './testing/an-agent.ts'

const topics = ['a', 'b', 'c', 'd']
const partitionsEach = fixedLimits.unitsPerTurn
const partitions = Array.from({ length: partitionsEach }, (_, index) => index)
const all = topics.length * partitionsEach

/** The turns of the event loop in which other work could run before the answer. */
async function turnsOf<T>(answer: Promise<T>): Promise<{ readonly turns: number; readonly answer: T }> {
  let [turns, done] = [0, false]
  const settled = answer.finally(() => {
    done = true
  })
  while (!done) {
    await setImmediate()
    turns += 1
  }
  return { turns, answer: await settled }
}

async function withTopics(): Promise<AgentForTests> {
  const kafka = await anAgent()
  for (const name of topics) await kafka.topic(name, partitionsEach)
  return kafka
}

const fetching = {
  maxWaitMs: 0,
  minBytes: 1,
  topics: topics.map((topic) => ({
    topic,
    partitions: partitions.map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 1_000 })),
  })),
}

test('H6: Produce, Fetch and ListOffsets of thousands of partitions answer all of them, and other work runs between their slices', async () => {
  await using kafka = await withTopics()
  const empty = await turnsOf(kafka.call(Fetch, 12, fetching))
  expect(empty.turns).toBeGreaterThanOrEqual(topics.length)
  expect(empty.answer.responses.flatMap((topic) => topic.partitions.map(({ errorCode }) => errorCode))).toEqual(Array(all).fill(0))

  const records = aBatch(['v'])
  const topicData = topics.map((name) => ({ name, partitionData: partitions.map((index) => ({ index, records })) }))
  const produced = await turnsOf(kafka.call(Produce, 9, { acks: -1, timeoutMs: 60_000, topicData }))
  expect(produced.turns).toBeGreaterThanOrEqual(2 * topics.length) // once to check, once to admit
  expect(produced.answer.responses.flatMap((topic) => topic.partitionResponses.map(({ baseOffset }) => baseOffset))).toEqual(
    Array(all).fill(0),
  )

  const full = await turnsOf(kafka.call(Fetch, 12, { ...fetching, maxBytes: 100_000_000 }))
  expect(full.turns).toBeGreaterThanOrEqual(topics.length)
  const sizes = full.answer.responses.flatMap((topic) => topic.partitions.map((partition) => partition.records?.length))
  expect(sizes).toEqual(Array(all).fill(records.length))

  for (const timestamp of [-1, 5]) {
    const asked = topics.map((name) => ({ name, partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp })) }))
    const listed = await turnsOf(kafka.call(ListOffsets, 7, { replicaId: -1, topics: asked }))
    expect(listed.turns).toBeGreaterThanOrEqual(topics.length)
    const offsets = listed.answer.topics.flatMap((topic) => topic.partitions.map(({ offset }) => offset))
    expect(offsets).toEqual(Array(all).fill(timestamp === -1 ? 1 : 0))
  }
})
