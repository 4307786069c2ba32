// The errors of an answer: at each depth, none in records, and bounded in a large answer.
import { expect, test } from 'vitest'
import { errorCodesIn } from './answer-errors.ts'

const partition = (errorCode: number, more: object = {}): object => ({ index: 0, errorCode, baseOffset: 3n, ...more })

test('an answer without errors has none, whatever its other numbers are', () => {
  const records = [{ errorCode: 3 }]
  expect(
    errorCodesIn({ throttleTimeMs: 7, errorCode: 0, responses: [{ name: 't', partitions: [partition(0, { records })] }] }),
  ).toBeUndefined()
  expect(errorCodesIn({ responses: null, assignment: new Uint8Array([1, 2]), topics: [] })).toBeUndefined()
})

test('errors at each depth are counted by their codes', () => {
  const found = errorCodesIn({
    errorCode: 27,
    coordinator: { errorCode: 15 },
    responses: [
      { name: 't', partitions: [partition(6), partition(0), partition(6)] },
      { name: 'u', partitions: [partition(3)] },
    ],
  })
  expect(found).toEqual(
    new Map([
      [27, 1],
      [15, 1],
      [6, 2],
      [3, 1],
    ]),
  )
})

test('a large answer is counted in part', () => {
  const counted = errorCodesIn({ partitions: Array.from({ length: 10_000 }, () => partition(6)) })?.get(6)
  expect(counted).toBe(1_999)
})
