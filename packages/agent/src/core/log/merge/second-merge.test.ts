// Which logs the second merge puts into one object.
import { expect, test } from 'vitest'
import { dueSecondMerges, planSecondMerge, type SecondMergeDue, type WaitingLog } from './second-merge.ts'

const kib = 1024
/** As with the default limits, but a thousandth. */
const due: SecondMergeDue = {
  objectBytes: 96 * kib,
  segmentBytes: 4 * kib,
  bytes: 84 * kib,
  segments: 500,
  idleBytes: 8 * kib,
  duePart: 7 / 8,
}
const never = (): boolean => false

function waiting(bytesOfLogs: readonly number[], { topicId = 'topic', waitingSegments = 10 } = {}): readonly WaitingLog[] {
  return bytesOfLogs.map((waitingBytes) => ({ topicId, waitingBytes, waitingSegments }))
}

function segmentsOf(logs: readonly WaitingLog[], isIdle = never): readonly (readonly number[])[] {
  return dueSecondMerges(logs, isIdle, due).map((shares) => shares.map(({ maxBytes }) => Math.ceil(maxBytes / due.segmentBytes)))
}

test('a log that is alone in its topic has an object of its own, when it is almost full', () => {
  expect(segmentsOf(waiting([80 * kib]))).toEqual([])
  expect(segmentsOf(waiting([82 * kib]))).toEqual([[21]])
  expect(segmentsOf(waiting([200 * kib]))).toEqual([[24]])
})

test('the logs of a topic share an object, with the same number of full segments of each', () => {
  for (const [logs, each] of [
    [2, 12],
    [9, 2],
    [12, 2],
    [13, 1],
    [24, 1],
  ] as const) {
    expect(segmentsOf(waiting(Array<number>(logs).fill(each * 4 * kib)))).toEqual([Array<number>(logs).fill(each)])
    expect(segmentsOf(waiting(Array<number>(logs).fill(each * 3 * kib))), 'too early').toEqual([])
  }
})

test('logs that do not all fit are divided evenly', () => {
  expect(segmentsOf(waiting(Array<number>(30).fill(4 * kib)))).toEqual([Array<number>(15).fill(1), Array<number>(15).fill(1)])
})

test('a log with little neither holds the others up nor shortens their runs', () => {
  const logs = waiting([...Array<number>(11).fill(9 * kib), kib])
  expect(segmentsOf(logs)).toEqual([Array<number>(11).fill(2)])
})

test('other topics have other objects', () => {
  const [one, two] = [waiting([90 * kib], { topicId: 'one' }), waiting([100 * kib], { topicId: 'two' })]
  expect(segmentsOf([...one, ...two])).toEqual([[23], [24]])
})

test('logs with very many segments do not wait for more bytes, and share', () => {
  const many = { waitingSegments: 500 }
  const logs = [...waiting([kib], { ...many, topicId: 'one' }), ...waiting([kib], { ...many, topicId: 'two' }), ...waiting([kib])]
  expect(dueSecondMerges(logs, never, due)).toEqual([logs.slice(0, 2).map((log) => ({ log, maxBytes: due.objectBytes }))])
})

test('what is left of a topic that no client writes to is merged, unless it is very little', () => {
  const idle = (): boolean => true
  expect(segmentsOf(waiting([5 * kib, 4 * kib]), idle)).toEqual([[24, 24]])
  expect(segmentsOf(waiting([3 * kib, 4 * kib]), idle)).toEqual([])
})

test('the runs of an object end within their shares, and further objects have what is too much for a swap', () => {
  const candidates = Array.from({ length: 3 }, (_, log) => ({
    log,
    maxBytes: 4_000,
    hasMore: false,
    segments: Array.from({ length: 50 }, (_, at) => ({ objectKey: `object ${at}`, lastOffset: at, sizeBytes: 90, ageMs: 0 })),
  }))
  const objects = planSecondMerge(candidates, { objectBytes: 100_000, sources: 100 })
  expect(objects.map((runs) => runs.map(({ log, sources }) => [log, sources.length]))).toEqual([
    [
      [0, 44],
      [1, 44],
    ],
    [[2, 44]],
  ])
})
