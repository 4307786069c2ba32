// The one door to append: which batches a rejection keeps out, and what is known when the wait ends.
import { buildBatch, crc32c } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { nodeCodecs } from '../codecs.ts'
import { defaultLimits, fixedLimits } from '../limits.ts'
import { Packer } from '../memory/packer.ts'
import { Unpacker } from '../memory/unpacker.ts'
import { ByteBudget } from '../observe/byte-budget.ts'
import { settings } from '../settings.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { Turns } from '../time/turns.ts'
import { type AppendParts, type AppendRequest, append, inTime } from './append.ts'
import { Room } from './room.ts'
import type { Admission, ProduceAnswer } from './writer.ts'

const topic = { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', name: 't', partitions: 4, replicationFactor: 1, configs: {}, createdAtMs: 0 }
const appended: ProduceAnswer = { kind: 'appended', baseOffset: 7, timestamp: -1, logStartOffset: 0 }

function aBatch(): Uint8Array {
  return buildBatch({ baseTimestamp: 5, records: [{ offsetDelta: 0, timestamp: 5, key: null, value: null, headers: [] }] }, crc32c)
}

/** Partition 1 belongs to another agent. `answers` are those of the writer. */
function theDoor({ room = true, answers = 'appended' as 'appended' | 'never' } = {}) {
  const admitted: Admission[][] = []
  const uncommitted = new ByteBudget(1_000_000)
  const clock = new ManualClock()
  const parts: AppendParts = {
    writer: {
      cutOff: () => {},
      room: async (bytes) => (room && uncommitted.tryTake(bytes) ? new Room(uncommitted, bytes) : undefined),
      admit: (admissions, from) => {
        for (const { batch } of admissions) from?.room?.use(batch.length)
        admitted.push([...admissions])
        return { answers: answers === 'never' ? new Promise(() => {}) : Promise.resolve(admissions.map(() => appended)) }
      },
    },
    tails: {
      get: () => undefined,
      loaded: async (asked) => asked.map((place) => ({ ...noTail, ...place })),
      stamp: (_topic, _partition, nowMs) => nowMs,
    },
    owners: { ofPartition: (_topic, partition) => ({ mine: partition !== 1, epoch: 3, leader: partition === 1 ? 2 : 1 }) },
    settings: settings('dev'),
    clock,
    turns: new Turns({ soon: (callback) => void setImmediate(callback) }),
    crc32c,
    unpacker: new Unpacker({ codecs: nodeCodecs, clock, limits: defaultLimits }),
    packer: new Packer({ codecs: nodeCodecs, clock, limits: defaultLimits }),
  }
  const ask = async (scope: AppendRequest['scope'], partitions: readonly number[], without?: number) => {
    const batches = partitions.map((partition) => ({ topic, partition, batch: partition === without ? null : aBatch() }))
    return await append({ batches, scope, nowMs: clock.now(), produceVersion: 13, signal: new AbortController().signal }, parts)
  }
  return { ask, admitted, clock, uncommitted }
}

const noTail = { logStartOffset: 0, highWatermark: 0, lastStableOffset: 0, lastAbortOffset: -1, segments: [], lastStamp: 0 }

test('H6: a request has at most two slices on their way, so that the batches of others are committed between them', async () => {
  const { ask, admitted } = theDoor({ answers: 'never' })
  void ask(
    'each',
    Array.from({ length: 4 * fixedLimits.batchesPerSlice }, (_, at) => at + 2),
  )
  await expect.poll(() => admitted.length).toBe(2)
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve))
  expect(admitted.map(({ length }) => length)).toEqual([fixedLimits.batchesPerSlice, fixedLimits.batchesPerSlice])
})

test('with the scope `each` a rejected batch does not keep the others out, and every batch has its own answer', async () => {
  const { ask, admitted } = theDoor()
  const { definite } = await ask('each', [0, 2, 3], 2)
  expect(admitted.flat().map(({ partition, epoch }) => [partition, epoch])).toEqual([
    [0, 3],
    [3, 3],
  ])
  expect(await definite).toMatchObject([{ kind: 'appended' }, { error: 'INVALID_RECORD', partition: 2 }, { kind: 'appended' }])
})

test('when another agent owns one partition, no batch of the request is written, and all are answered alike', async () => {
  const { ask, admitted } = theDoor()
  const { definite } = await ask('each', [0, 1, 2])
  expect(admitted).toEqual([])
  expect(await definite).toMatchObject([0, 1, 2].map((partition) => ({ error: 'NOT_LEADER_OR_FOLLOWER', partition })))
})

test('with the scope `all` a rejected batch keeps all out, and every answer names its partition', async () => {
  const { ask, admitted } = theDoor()
  const { definite } = await ask('all', [0, 1, 2])
  expect(admitted).toEqual([])
  expect(await definite).toEqual(
    Array.from({ length: 3 }, () => expect.objectContaining({ error: 'NOT_LEADER_OR_FOLLOWER', partition: 1 })),
  )
})

test('without room nothing is admitted, and the connection is closed after the answer', async () => {
  const { ask, admitted } = theDoor({ room: false })
  const { definite } = await ask('each', [0, 2])
  expect(admitted).toEqual([])
  expect(await definite).toMatchObject([
    { error: 'NOT_ENOUGH_REPLICAS', thenClose: true },
    { error: 'NOT_ENOUGH_REPLICAS', thenClose: true },
  ])
})

test('when the wait ends, a rejected batch has its error, and the outcome of the others is unknown', async () => {
  const { ask, clock } = theDoor({ answers: 'never' })
  const waited = inTime(await ask('each', [0, 2], 2), { waitMs: 100, ioClock: clock })
  await clock.advance(100)
  expect(await waited).toMatchObject([{ kind: 'unknown' }, { error: 'INVALID_RECORD' }])
})

test('the room of batches that are rejected at their admission is free again', async () => {
  const { ask, admitted, uncommitted } = theDoor()
  await ask('each', [0, 1, 2])
  expect(uncommitted.usedBytes).toBe(admitted.flat().reduce((sum, { batch }) => sum + batch.length, 0))
  const none = theDoor()
  await none.ask('all', [0, 1])
  expect(none.uncommitted.usedBytes).toBe(0)
})
