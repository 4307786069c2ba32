// What is known of a Produce request that failed, from the errors that the client library makes of it.
import { MultipleErrors, NetworkError, ResponseError } from '@platformatic/kafka'
import { expect, test } from 'vitest'
import { outcomeOf } from './produce-outcome.ts'

const produceKey = 0

/** An answer with an error code and a base offset for each partition. */
function answer(
  ...partitions: readonly (readonly [partition: number, errorCode: number, baseOffset?: number, records?: readonly number[]])[]
): ResponseError {
  const partitionResponses = partitions.map(([index, errorCode, baseOffset = -1, records = []]) => ({
    index,
    errorCode,
    baseOffset: BigInt(baseOffset),
    logAppendTimeMs: -1n,
    logStartOffset: -1n,
    recordErrors: records.map((batchIndex) => ({ batchIndex, batchIndexErrorMessage: 'it has no key' })),
    errorMessage: null,
  }))
  const errors = Object.fromEntries(
    partitions.filter(([, code]) => code !== 0).map(([index, code]) => [`/responses/0/${index}`, [code, null] as [number, null]]),
  )
  return new ResponseError(produceKey, 11, errors, { responses: [{ name: 't', partitionResponses }] })
}

const lost = new NetworkError('Connection closed')
const refusedConnection = new NetworkError('Connection to localhost:9092 failed.')
const tooLarge = 10
const timedOut = 7
const notLeader = 6

function outcome(...attempts: readonly Error[]) {
  const { acknowledged, refused, neverSent } = outcomeOf(new MultipleErrors('produce failed 2 times.', [...attempts]))
  return { acknowledged: [...acknowledged], refused: [...refused].map(([partition, { api }]) => [partition, api]), neverSent }
}

test('of one answer some partitions are written, some are refused', () => {
  expect(outcome(answer([0, 0, 42], [1, tooLarge]))).toEqual({
    acknowledged: [[0, 42n]],
    refused: [[1, 'MESSAGE_TOO_LARGE']],
    neverSent: false,
  })
})

test('an answer after which it may be written is no refusal', () => {
  expect(outcome(answer([0, timedOut]))).toEqual({ acknowledged: [], refused: [], neverSent: false })
  expect(outcome(answer([0, timedOut]), answer([0, notLeader]))).toEqual({ acknowledged: [], refused: [], neverSent: false })
})

test('a lost connection leaves in doubt what was not acknowledged before or after it', () => {
  expect(outcome(answer([0, 0, 42], [1, notLeader]), lost)).toEqual({ acknowledged: [[0, 42n]], refused: [], neverSent: false })
  expect(outcome(lost, answer([0, notLeader]))).toEqual({ acknowledged: [], refused: [], neverSent: false })
})

test('when nobody took the connection, nothing was sent', () => {
  expect(outcome(refusedConnection, new MultipleErrors('Cannot connect to any broker.', [refusedConnection]))).toEqual({
    acknowledged: [],
    refused: [],
    neverSent: true,
  })
  expect(outcome(refusedConnection, lost).neverSent).toBe(false)
})

test('that the producer was closed in the end is no attempt', () => {
  const closed = new NetworkError('Connection pool is closed.', { canRetry: false, closed: true })
  expect(outcomeOf(new MultipleErrors('produce failed 9 times.', [refusedConnection, closed]))).toMatchObject({
    neverSent: true,
    last: refusedConnection,
  })
})

test('what other brokers acknowledged of the same request counts', () => {
  const error = Object.assign(new MultipleErrors('Producing messages failed.', [answer([0, tooLarge])]), {
    produced: { offsets: [{ topic: 't', partition: 1, offset: 7n }] },
  })
  expect([...outcomeOf(error).acknowledged]).toEqual([[1, 7n]])
})

test('a refusal names the records that the broker found wrong', () => {
  expect(outcomeOf(answer([0, 87, -1, [2, 5]])).refused.get(0)).toEqual({
    api: 'INVALID_RECORD',
    message: 'it has no key',
    records: [2, 5],
  })
})
