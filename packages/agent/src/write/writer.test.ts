// The writer: triggers that seal a flush, the time of answers, and admissions that wait.
import { checkBatch, crc32c } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { defaultLimits, fixedLimits } from '../limits.ts'
import { rolledBack } from '../metadata/testing/scripted-log.ts'
import { decodeObject } from '../objects/object-format.ts'
import { aRecord, aWriter, topicId } from './testing/a-writer.ts'
import type { FlushPolicy, ProduceAnswer } from './writer.ts'

const groupCommit: FlushPolicy = { maxBytes: 1_000, lingerMs: 0, flushesInFlight: 1, putsPerSecond: Number.POSITIVE_INFINITY, burst: 1 }
const bucket: FlushPolicy = { maxBytes: 1_000, lingerMs: 250, flushesInFlight: 8, putsPerSecond: 4, burst: 4 }

test('flushing on size instead of time: the first trigger seals, the second finds nothing', async () => {
  const { writer, clock, seals, objects } = aWriter({ ...bucket, maxBytes: 300 })
  const first = writer.admit([aRecord(10)])
  await clock.advance(0) // the writer seals the lone record at once; the next one lingers
  const second = writer.admit([aRecord(10)])
  await clock.advance(249)
  const third = writer.admit([aRecord(250)]) // the object is full just before its linger ends
  await clock.advance(1)
  await clock.advance(1_000)
  expect(seals).toMatchObject([
    { sequence: 1, trigger: 'idle', batches: 1 },
    { sequence: 2, trigger: 'size', batches: 2 },
  ])
  await objects.land()
  await objects.land()
  expect(await answersOf(first, second, third)).toMatchObject([{ baseOffset: 0 }, { baseOffset: 1 }, { baseOffset: 2 }])
})

test('the linger seals before the size does, and then size finds nothing', async () => {
  const { writer, clock, seals, objects } = aWriter({ ...bucket, maxBytes: 300 })
  writer.admit([aRecord(10)])
  await clock.advance(0)
  writer.admit([aRecord(10)])
  await clock.advance(251)
  writer.admit([aRecord(10)])
  expect(seals.map(({ trigger }) => trigger)).toEqual(['idle', 'time'])
  await clock.advance(1_000)
  expect(seals.map(({ batches }) => batches)).toEqual([1, 1, 1])
  while (objects.waiting.length > 0) await objects.land()
})

test('an idle writer seals a lone record at once', async () => {
  const { writer, clock, seals } = aWriter(bucket)
  writer.admit([aRecord(10)])
  await clock.advance(0)
  expect(seals).toMatchObject([{ trigger: 'idle' }])
})

test('group commit: batches that arrive during a flush form the next one', async () => {
  const { writer, clock, seals, objects } = aWriter(groupCommit)
  const first = writer.admit([aRecord(10)])
  await clock.advance(0)
  const others = [writer.admit([aRecord(10)]), writer.admit([aRecord(10)])]
  await clock.advance(10_000)
  expect(seals).toHaveLength(1)
  await objects.land()
  await answersOf(first)
  await clock.advance(0)
  expect(seals).toMatchObject([{ batches: 1 }, { batches: 2 }])
  await objects.land()
  expect(await answersOf(...others)).toMatchObject([{ baseOffset: 1 }, { baseOffset: 2 }])
})

test('the budget of PUTs holds beyond its burst', async () => {
  const { writer, clock, seals, objects } = aWriter({ ...bucket, lingerMs: 0 })
  for (let index = 0; index < 12; index++) {
    const answer = writer.admit([aRecord(10)])
    await clock.advance(0)
    while (objects.waiting.length === 0) await clock.advanceToNext()
    await objects.land()
    await answersOf(answer)
  }
  // A burst of 4 is free; after it come 4 a second.
  expect(seals).toHaveLength(12)
  expect(clock.monotonic() - 1_000_000).toBeGreaterThanOrEqual(((12 - 4) * 1_000) / 4)
})

test('full objects, which no budget delays, leave no debt that a lone record waits for', async () => {
  const { writer, clock, seals, objects } = aWriter({ ...bucket, maxBytes: 300 })
  for (let index = 0; index < 100; index++) {
    const answer = writer.admit([aRecord(300)])
    await objects.land()
    await answersOf(answer)
  }
  writer.admit([aRecord(10)])
  await clock.advance(250)
  expect(seals.slice(-2).map(({ trigger }) => trigger)).toEqual(['size', 'idle'])
  await objects.land()
})

test('an object that becomes full in the turn in which it would be sealed as idle leaves the next one to its own rules', async () => {
  const { writer, clock, seals, objects } = aWriter({ ...bucket, maxBytes: 300 })
  writer.admit([aRecord(10)])
  writer.admit([aRecord(300)])
  writer.admit([aRecord(10)])
  await clock.advance(0)
  expect(seals.map(({ trigger }) => trigger)).toEqual(['size'])
  await clock.advance(250)
  expect(seals.map(({ trigger }) => trigger)).toEqual(['size', 'time'])
  while (objects.waiting.length > 0) await objects.land()
})

test('with very many partitions a flush waits until the row budget allows it', async () => {
  const { writer, clock, seals, objects } = aWriter({ ...bucket, maxBytes: 1_000_000, rowsPerSecond: 100 })
  writer.admit([aRecord(10)])
  await clock.advance(0)
  writer.admit(Array.from({ length: 100 }, (_, partition) => ({ ...aRecord(10), partition })))
  await clock.advance(251) // the linger is over, and the row of the first flush is back in the budget
  expect(seals).toMatchObject([{ partitions: 1 }, { partitions: 100 }])
  writer.admit(Array.from({ length: 100 }, (_, partition) => ({ ...aRecord(10), partition })))
  await clock.advance(700)
  expect(seals).toHaveLength(2)
  await clock.advance(300)
  expect(seals).toHaveLength(3)
  while (objects.waiting.length > 0) await objects.land()
})

test('no producer is answered before the commit', async () => {
  const { writer, clock, objects, log } = aWriter(groupCommit)
  let answered = false
  const gate = Promise.withResolvers<void>()
  const commit = log.commit.bind(log)
  log.commit = async (input) => {
    await gate.promise
    return commit(input)
  }
  const admitted = writer.admit([aRecord(10)])
  void admitted.answers.then(() => (answered = true))
  await clock.advance(0)
  await objects.land()
  await clock.advance(100)
  expect(answered).toBe(false)
  gate.resolve()
  expect(await answersOf(admitted)).toMatchObject([{ kind: 'appended' }])
})

test('a committed batch is visible before its producer is answered', async () => {
  const { writer, clock, objects, tails } = aWriter(groupCommit)
  await tails.loaded([{ topicId, partition: 0 }])
  const admitted = writer.admit([aRecord(10)])
  const seen = admitted.answers.then(() => tails.get(topicId, 0)?.highWatermark)
  await clock.advance(0)
  await objects.land()
  expect(await seen).toBe(1)
})

test('a batch is copied: the caller may reuse its memory at once', async () => {
  const { writer, clock, objects } = aWriter(groupCommit)
  const admission = aRecord(10)
  writer.admit([admission])
  admission.batch.fill(0)
  await clock.advance(0)
  const [key = ''] = objects.waiting
  await objects.land()
  const object = await objects.read(key)
  expect(checkBatch(object, findBatch(object), crc32c)).toMatchObject({ kind: 'ok', header: { leaderEpoch: 3 } })
})

test('after a flush is abandoned, the writer rejects its connections until they reconnect, and no others', async () => {
  const { writer, clock, objects } = aWriter(groupCommit)
  const [mine, others] = [{}, {}]
  const first = writer.admit([aRecord(10)], { source: mine })
  await clock.advance(0)
  const behind = writer.admit([aRecord(10)], { source: mine }) // in the open object
  await objects.fail()
  expect(await answersOf(first, behind)).toMatchObject([
    { kind: 'rejected', error: 'NOT_ENOUGH_REPLICAS', thenClose: true },
    { kind: 'rejected', error: 'NOT_ENOUGH_REPLICAS', thenClose: true },
  ])
  const follower = writer.admit([aRecord(10)], { source: mine })
  expect(await answersOf(follower)).toMatchObject([{ kind: 'rejected', thenClose: true }])
  const stranger = writer.admit([aRecord(10)], { source: others })
  await clock.advance(0)
  await objects.land()
  expect(await answersOf(stranger)).toMatchObject([{ kind: 'appended', baseOffset: 0 }])
})

test('above its byte limit the writer makes admissions wait, first come, first served', async () => {
  const { writer, clock, objects } = aWriter({ ...groupCommit, maxBytes: defaultLimits.uncommittedBytes })
  const huge = aRecord(defaultLimits.uncommittedBytes - 100)
  const signal = new AbortController().signal
  const admitted = writer.admit([huge], { room: await writer.room(huge.batch.length, signal) })
  const order: string[] = []
  const second = writer.room(200, signal).then((room) => order.push(`second ${room !== undefined}`) && room?.release())
  const third = writer.room(1, signal).then((room) => order.push(`third ${room !== undefined}`) && room?.release())
  await clock.advance(100)
  expect(order).toEqual([])
  await objects.land()
  await answersOf(admitted)
  await Promise.all([second, third])
  expect(order).toEqual(['second true', 'third true'])
  expect(writer.gauge.usedBytes).toBe(0)
})

test('room counts from its reservation on, so requests that are admitted in slices cannot exceed the limit together', async () => {
  const { writer, clock, objects } = aWriter({ ...groupCommit, maxBytes: defaultLimits.uncommittedBytes })
  const signal = new AbortController().signal
  const [first, second] = [aRecord(1_000), aRecord(1_000)]
  const room = await writer.room(defaultLimits.uncommittedBytes, signal)
  let others = 0
  void writer.room(1, signal).then((other) => (others += 1) && other?.release())
  const admitted = writer.admit([first], { room })
  await clock.advance(0) // a later slice follows in another turn
  expect(writer.gauge.usedBytes).toBe(defaultLimits.uncommittedBytes)
  const later = writer.admit([second], { room })
  expect([writer.gauge.usedBytes, others]).toEqual([defaultLimits.uncommittedBytes, 0])
  room?.release()
  await objects.land()
  await answersOf(admitted)
  await clock.advance(0)
  await objects.land()
  expect(await answersOf(admitted, later)).toMatchObject([{ baseOffset: 0 }, { baseOffset: 1 }])
  expect([writer.gauge.usedBytes, others]).toEqual([0, 1])
})

test('a caller that waits for room too long, or disconnects, gets none and leaves the queue', async () => {
  const { writer, clock } = aWriter({ ...groupCommit, maxBytes: defaultLimits.uncommittedBytes * 2 })
  writer.admit([aRecord(defaultLimits.uncommittedBytes)])
  const gone = new AbortController()
  const waits = writer.room(1, new AbortController().signal)
  const leaves = writer.room(1, gone.signal)
  gone.abort()
  expect(await leaves).toBeUndefined()
  await clock.advance(defaultLimits.admissionWaitMs)
  expect(await waits).toBeUndefined()
})

test('a drain ends although the database stays unavailable, and batches that are not stored are rejected', async () => {
  const { writer, clock, objects, log } = aWriter(groupCommit)
  log.script(...Array.from({ length: 500 }, () => () => rolledBack))
  const admitted = writer.admit([aRecord(10)])
  const drained = writer.drain()
  await objects.land()
  await clock.advance(defaultLimits.drainMs + fixedLimits.commitRetryMaxMs)
  await drained
  expect(await answersOf(admitted)).toMatchObject([{ kind: 'rejected', error: 'NOT_ENOUGH_REPLICAS' }])
})

test('N4: with a full disk and a flush in the line, a batch is rejected at once; with an empty line it tries the disk', async () => {
  const { writer, clock, objects, stores } = aWriter(bucket)
  stores.failure = 'the disk of /d is full'
  const connection = {}
  const first = writer.admit([aRecord(10)])
  await clock.advance(0)
  expect(objects.waiting).toHaveLength(1)
  const rejected = { kind: 'rejected', error: 'NOT_ENOUGH_REPLICAS', message: 'the disk of /d is full', thenClose: true }
  expect(await answersOf(writer.admit([aRecord(10)], { source: connection }))).toEqual([rejected])
  stores.failure = undefined
  await objects.land()
  expect(await answersOf(first)).toMatchObject([{ kind: 'appended', baseOffset: 0 }])
  // A later batch of its connection would overtake its retry.
  expect(await answersOf(writer.admit([aRecord(10)], { source: connection }))).toMatchObject([{ kind: 'rejected', thenClose: true }])
})

test('a drain answers the admitted batches', async () => {
  const { writer, clock, objects, seals } = aWriter(groupCommit)
  const first = writer.admit([aRecord(10)])
  await clock.advance(0)
  const second = writer.admit([aRecord(10)])
  const drained = writer.drain()
  expect(seals.map(({ trigger }) => trigger)).toEqual(['idle', 'drain'])
  await objects.land()
  await objects.land()
  await drained
  expect(await answersOf(first, second)).toMatchObject([{ kind: 'appended' }, { kind: 'appended' }])
})

test('a fenced writer admits nothing', async () => {
  const { writer, clock, objects, log, fenced } = aWriter(groupCommit)
  log.script(() => ({ kind: 'fenced' }))
  const first = writer.admit([aRecord(10)])
  await clock.advance(0)
  const open = writer.admit([aRecord(10)])
  await objects.land()
  expect(await answersOf(first, open)).toMatchObject([{ error: 'NOT_LEADER_OR_FOLLOWER' }, { error: 'NOT_LEADER_OR_FOLLOWER' }])
  expect(fenced()).toBe(1)
  expect(await answersOf(writer.admit([aRecord(10)]))).toMatchObject([{ error: 'NOT_LEADER_OR_FOLLOWER', thenClose: true }])
})

test('an object that cannot be laid out is a defect: its batches are rejected, the memory is free again, and the next flush is committed', async () => {
  const { writer, clock, objects, defects } = aWriter(groupCommit)
  const connection = {}
  // No real id: the encoder asserts its length.
  const broken = writer.admit([{ ...aRecord(10), topicId: 'no id' }], { source: connection })
  await clock.advance(0)
  expect(await answersOf(broken)).toMatchObject([{ kind: 'rejected', error: 'NOT_ENOUGH_REPLICAS', thenClose: true }])
  expect(await answersOf(writer.admit([aRecord(10)], { source: connection }))).toMatchObject([{ kind: 'rejected', thenClose: true }])
  expect([defects(), writer.gauge.usedBytes]).toEqual([1, 0])
  const next = writer.admit([aRecord(10)])
  await clock.advance(0)
  await objects.land()
  expect(await answersOf(next)).toMatchObject([{ kind: 'appended', baseOffset: 0 }])
})

test('memory is used again after the flush has settled: uploads that end late store their own bytes', async () => {
  const { writer, clock, objects, memory } = aWriter({ ...groupCommit, maxBytes: 1, flushesInFlight: 8 })
  const rounds = 10
  const expected: Buffer[] = []
  for (let round = 0; round < rounds; round += 1) {
    const admissions = Array.from({ length: 8 }, () => aRecord(700))
    const answers = admissions.map((admission) => writer.admit([admission]))
    await clock.advance(0)
    expected.push(...admissions.map(({ batch }) => Buffer.from(batch)))
    // The last upload ends first; the flushes settle in their order all the same.
    for (let left = objects.waiting.length; left > 0; left -= 1) await objects.land(left - 1)
    await answersOf(...answers)
  }
  const stored: Buffer[] = []
  for await (const { key } of objects.bucket.list('')) stored.push(Buffer.from(await objects.bucket.read(key)))
  expect(stored).toHaveLength(expected.length)
  for (const object of stored) expect(checkBatch(object, 56, crc32c).kind).toBe('ok')
  // Only the slab that is being filled.
  expect(memory.gauge.usedBytes).toBe(4_096)
  expect(memory.gauge.freeBytes).toBeLessThan(rounds * 4_096)
})

test('the checksum of an object covers its bytes, although those of its batches are not read again', async () => {
  const { writer, clock, objects } = aWriter(groupCommit)
  const answer = writer.admit([aRecord(10), { ...aRecord(5_000), stamp: 7 }, aRecord(3_000)])
  await clock.advance(0)
  await objects.land()
  await answersOf(answer)
  for await (const { key } of objects.bucket.list('')) {
    const object = await objects.bucket.read(key)
    expect(decodeObject(object, crc32c).checksum).toBe(crc32c(object.subarray(0, -12)))
    expect(objects.bodyChecksums).toEqual([crc32c(object)])
  }
})

test('the memory of an abandoned flush is not used again, because its upload may go on', async () => {
  const { writer, clock, objects, memory } = aWriter(groupCommit)
  const answer = writer.admit([aRecord(2_000)])
  await clock.advance(0)
  await objects.fail()
  expect(await answersOf(answer)).toMatchObject([{ kind: 'rejected' }])
  expect(memory.gauge).toMatchObject({ usedBytes: 0, freeBytes: 0 })
})

test('after a commit that cannot be published the agent must end', async () => {
  const { writer, clock, objects, log, tails, breaks, defects } = aWriter(groupCommit)
  tails.publish = () => {
    throw new TypeError('no')
  }
  void writer.admit([aRecord(10)])
  await clock.advance(0)
  await objects.land()
  await clock.advance(0)
  expect(log.committed).toEqual([1])
  expect([breaks(), defects()]).toEqual([1, 1])
})

async function answersOf(
  ...admitted: readonly { readonly answers: Promise<readonly ProduceAnswer[]> }[]
): Promise<readonly ProduceAnswer[]> {
  return (await Promise.all(admitted.map(({ answers }) => answers))).flat()
}

function findBatch(object: Uint8Array): number {
  for (let at = 0; at + 61 <= object.length; at++) if (checkBatch(object, at, crc32c).kind === 'ok') return at
  throw new Error('the object holds no whole batch')
}
