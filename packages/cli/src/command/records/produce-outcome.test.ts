// The known state of the batches of a Produce request after several attempts.
import { NetworkError } from '@platformatic/kafka'
import { expect, test } from 'vitest'
import { type PartitionAnswer, ProduceOutcome } from './produce-outcome.ts'
import type { PlacedRecord } from './record-chunk.ts'

const tooLarge = 10

function anOutcome(...partitions: readonly number[]): ProduceOutcome {
  return new ProduceOutcome(partitions.map((partition) => [partition, [aRecord(partition)]]))
}

function aRecord(partition: number): PlacedRecord {
  return { partition, timestamp: undefined, timestampMs: 0, key: null, value: null, headers: [], line: 1 }
}

function anAnswer(index: number, errorCode: number, wrong: readonly number[] = []): PartitionAnswer {
  return {
    index,
    errorCode,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: wrong.map((batchIndex) => ({ batchIndex, batchIndexErrorMessage: 'it has no key' })),
    errorMessage: null,
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
  }
}

test('in one request some partitions are written, some are rejected, and some are left', () => {
  const outcome = anOutcome(0, 1, 2)
  outcome.acknowledge(0, 42n)
  outcome.reject(anAnswer(1, tooLarge))
  expect([...outcome.acknowledged]).toEqual([[0, 42n]])
  expect([...outcome.rejected].map(([partition, { api }]) => [partition, api])).toEqual([[1, 'MESSAGE_TOO_LARGE']])
  expect(outcome.left).toEqual([2])
  expect(outcome.inDoubt.size).toBe(0)
})

test('a rejection after an attempt that may have arrived does not settle that attempt', () => {
  const outcome = anOutcome(0)
  outcome.doubt(0)
  expect(outcome.hasDoubts).toBe(true)
  outcome.reject(anAnswer(0, tooLarge))
  expect(outcome.rejected.size).toBe(0)
  expect([...outcome.inDoubt]).toEqual([0])
  expect(outcome.isSettled).toBe(true)
})

test('an acknowledgement ends a doubt', () => {
  const outcome = anOutcome(0)
  outcome.doubt(0)
  outcome.acknowledge(0, undefined)
  expect(outcome.inDoubt.size).toBe(0)
  expect(outcome.isSettled).toBe(true)
})

test('the final closing of the client does not count as an attempt', () => {
  const outcome = anOutcome(0)
  const lost = new NetworkError('Connection closed')
  outcome.failed(lost)
  outcome.failed(new NetworkError('Connection pool is closed.', { canRetry: false, closed: true }))
  expect(outcome.lastFailure).toBe(lost)
})

test('a rejection names the records that the broker found invalid', () => {
  const outcome = anOutcome(0)
  outcome.reject(anAnswer(0, 87, [2, 5]))
  expect(outcome.rejected.get(0)).toEqual({ api: 'INVALID_RECORD', message: 'it has no key', records: [2, 5] })
})
