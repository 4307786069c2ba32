// The promises of produce one, read, query and tail.

import { buildBatch, type Codecs, crc32c, errors } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { defaultLimits, fixedLimits } from '../limits.ts'
import { Packer } from '../memory/packer.ts'
import { Unpacker } from '../memory/unpacker.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import { ByteBudget } from '../observe/byte-budget.ts'
import { StoreWatch } from '../observe/store-watch.ts'
import type { FetchAsk } from '../read/fetch-ask.ts'
import { settings } from '../settings.ts'
import { systemClock } from '../time/system-clock.ts'
import { Turns } from '../time/turns.ts'
import { Room } from '../write/room.ts'
import type { Admission, ProduceAnswer } from '../write/writer.ts'
import { RecordOperations, type RecordOperationsParts } from './records.ts'

const topic: Topic = { topicId: 'abcdefghijklmnopqrstuv', name: 'hello', partitions: 2, replicationFactor: 1, configs: {}, createdAtMs: 0 }
const appended: ProduceAnswer = { kind: 'appended', baseOffset: 7, timestamp: -1, logStartOffset: 0 }
const record = { topic: 'hello', partition: 1, key: null, value: Buffer.from('v') }

test('a record is stored with the epoch of its slot, and its place is answered', async () => {
  const log = new Parts()
  expect(await log.operations.produceOne({ ...record, signal })).toEqual({
    kind: 'appended',
    partition: 1,
    offset: 7,
    timestamp: 1_000,
    replayed: false,
  })
  expect(log.admitted).toMatchObject([{ topicId: topic.topicId, partition: 1, epoch: 5 }])
  expect(log.admitted[0]?.stamp).toBeUndefined()
})

test('with LogAppendTime the stamp of the partition is used, and it never goes back', async () => {
  const log = new Parts({
    topic: { ...topic, configs: { 'message.timestamp.type': 'LogAppendTime' } },
    answer: { ...appended, timestamp: 9_000 },
  })
  expect(await log.operations.produceOne({ ...record, idempotencyKey: 'k', signal })).toMatchObject({ timestamp: 9_000 })
  expect(log.admitted).toMatchObject([{ stamp: 9_000, idempotency: { key: 'k', timestamp: 9_000 } }])
})

test('the hash of an idempotency key covers the topic id, the partition, and the end of the record key', async () => {
  const log = new Parts()
  const hashes: (string | undefined)[] = []
  for (const [parts, key, value] of [
    [log, 'a', 'bc'],
    [log, 'a', 'bc'],
    [log, 'ab', 'c'],
    [log, null, 'abc'],
    [new Parts({ topic: { ...topic, topicId: 'vutsrqponmlkjihgfedcba' } }), 'a', 'bc'],
  ] as const) {
    await parts.operations.produceOne({
      ...record,
      key: key === null ? null : Buffer.from(key),
      value: Buffer.from(value),
      idempotencyKey: 'k',
      signal,
    })
    hashes.push(parts.admitted.at(-1)?.idempotency?.bodyHash)
  }
  expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/)
  expect(hashes[1]).toBe(hashes[0])
  expect(new Set(hashes).size).toBe(4)
})

test('a replay answers the place and time of the first request, and is marked', async () => {
  const log = new Parts({ answer: { ...appended, baseOffset: 3, replayed: { partition: 1, timestamp: 500 } } })
  expect(await log.operations.produceOne({ ...record, idempotencyKey: 'k', signal })).toEqual({
    kind: 'appended',
    partition: 1,
    offset: 3,
    timestamp: 500,
    replayed: true,
  })
})

test.each([
  ['IDEMPOTENCY_KEY_REUSED', { kind: 'key reused' }],
  ['NOT_LEADER_OR_FOLLOWER', { kind: 'elsewhere', partition: 1, slot: 3, leader: 1 }],
  ['NOT_ENOUGH_REPLICAS', { kind: 'error', code: errors.NOT_ENOUGH_REPLICAS.code, message: 'why' }],
  ['UNKNOWN_TOPIC_OR_PARTITION', { kind: 'error', code: errors.UNKNOWN_TOPIC_OR_PARTITION.code, message: 'why' }],
] as const)('a commit that is rejected with %s has its own answer', async (error, expected) => {
  const log = new Parts({ answer: { kind: 'rejected', error, message: 'why', thenClose: false } })
  expect(await log.operations.produceOne({ ...record, signal })).toEqual(expected)
})

test('without room nothing is admitted', async () => {
  const log = new Parts({ room: false })
  expect(await log.operations.produceOne({ ...record, signal })).toMatchObject({ kind: 'error', code: errors.NOT_ENOUGH_REPLICAS.code })
  expect(log.admitted).toEqual([])
})

test('a record is not written to a slot that was lost while the record waited for room', async () => {
  const log = new Parts({ loseSlotInRoom: true })
  expect(await log.operations.produceOne({ ...record, signal })).toEqual({ kind: 'elsewhere', partition: 1, slot: 3, leader: 2 })
  expect(log.admitted).toEqual([])
})

test('a record larger than max.message.bytes is rejected before it is admitted', async () => {
  const log = new Parts({ topic: { ...topic, configs: { 'max.message.bytes': '80' } } })
  expect(await log.operations.produceOne({ ...record, value: Buffer.alloc(100), signal })).toMatchObject({
    code: errors.MESSAGE_TOO_LARGE.code,
  })
  expect(log.admitted).toEqual([])
})

test('a record whose outcome is unknown in time is answered with REQUEST_TIMED_OUT', async () => {
  const log = new Parts({ answer: 'never' })
  const waiting = log.operations.produceOne({ ...record, signal })
  await settled()
  log.advance(fixedLimits.produceOneMs - 1)
  await settled()
  expect(log.timers).toBe(1)
  log.advance(1)
  expect(await waiting).toMatchObject({ kind: 'error', code: errors.REQUEST_TIMED_OUT.code })
})

test('a batch that cannot be decoded is listed, and the records after it are read', async () => {
  const log = new Parts()
  const broken = batch(0, 'x')
  // The length of the batch is valid, but its contents are truncated.
  broken.fill(0xff, broken.length - 4)
  log.logs[0] = [broken, batch(1, 'y')]
  const read = await log.operations.read({ topic: 'hello', partition: 0, from: 'earliest', limit: 10, maxBytes: 1_000, waitMs: 0, signal })
  expect(read).toMatchObject({
    kind: 'records',
    next: 2,
    records: [{ offset: 1 }],
    unreadable: [{ partition: 0, from: 0, to: 0, message: expect.any(String) }],
  })
})

test('a tail follows partitions that are added later', async () => {
  const log = new Parts()
  const tail = await log.operations.tail({ topic: 'hello', from: 'latest', filter: {}, signal })
  if (tail.kind !== 'tail') throw new Error(tail.kind)
  expect(tail.positions).toEqual([0, 0])
  log.topic = { ...topic, partitions: 3 }
  log.logs[2] = [batch(0, 'new')]
  for await (const step of tail.steps) {
    expect(step).toMatchObject({ kind: 'records', records: [{ partition: 2, offset: 0 }], positions: [0, 0, 1] })
    break
  }
})

test('a tail whose next records were deleted goes on at the first one that is left', async () => {
  const log = new Parts()
  log.logs[0] = [batch(5, 'left')]
  log.starts[0] = 5
  const tail = await log.operations.tail({ topic: 'hello', partition: 0, from: { offset: 2 }, filter: {}, signal })
  if (tail.kind !== 'tail') throw new Error(tail.kind)
  const steps: unknown[] = []
  for await (const step of tail.steps) if (steps.push(step) === 2) break
  expect(steps).toMatchObject([
    { records: [], positions: [5] },
    { records: [{ offset: 5 }], positions: [6] },
  ])
})

test('a query stops at its limit of scanned bytes, and its cursor goes on from there', async () => {
  const log = new Parts()
  const half = fixedLimits.queryScanBytes / 2
  log.logs[0] = [batch(0, 'a'), batch(1, 'b'), batch(2, 'c')]
  log.pretendBytes = half
  const first = await log.operations.query({ topic: 'hello', filter: {}, limit: 100, signal })
  if (first.kind !== 'scanned') throw new Error(first.kind)
  expect(first.scanned[0]).toEqual({ partition: 0, from: 0, to: 2, end: 3 })
  expect(first.cursor).toMatchObject({ firstPartition: 0, positions: [2, 0], ends: [3, 0] })
  const second = await log.operations.query({
    topic: 'hello',
    filter: {},
    limit: 100,
    ...(first.cursor && { cursor: first.cursor }),
    signal,
  })
  expect(second).toMatchObject({ cursor: undefined, records: [{ offset: 2 }] })
})

const signal = new AbortController().signal

function batch(baseOffset: number, value: string): Buffer {
  const bytes = Buffer.from(
    buildBatch(
      { baseTimestamp: 0, records: [{ offsetDelta: 0, timestamp: 0, key: null, value: Buffer.from(value), headers: [] }] },
      crc32c,
    ),
  )
  bytes.writeBigInt64BE(BigInt(baseOffset), 0)
  return bytes
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface PartsOptions {
  readonly topic?: Topic
  readonly answer?: ProduceAnswer | 'never'
  readonly room?: boolean
  readonly loseSlotInRoom?: boolean
}

/** The parts that the operations use: one topic, logs of whole batches, a writer with a preset answer, and a clock that a test moves. */
class Parts {
  topic: Topic
  readonly logs: Buffer[][] = []
  readonly starts: number[] = []
  readonly admitted: Admission[] = []
  /** The size that a fetch reports for each answer; if it is set, a fetch returns one batch at a time. */
  pretendBytes: number | undefined
  readonly operations: RecordOperations
  #nowMs = 1_000
  #mine = true
  readonly stores = new StoreWatch({ emit: () => {}, clock: systemClock })
  readonly #timers = new Set<{ readonly atMs: number; readonly callback: () => void }>()

  constructor({ topic: named = topic, answer = appended, room = true, loseSlotInRoom = false }: PartsOptions = {}) {
    this.topic = named
    const found = (): { readonly kind: 'ok'; readonly value: Topic } => ({ kind: 'ok', value: this.topic })
    const ioClock: RecordOperationsParts['ioClock'] = {
      now: () => this.#nowMs,
      monotonic: () => this.#nowMs,
      after: (delayMs, callback) => {
        const timer = { atMs: this.#nowMs + delayMs, callback }
        this.#timers.add(timer)
        return { cancel: () => this.#timers.delete(timer) }
      },
      soon: setImmediate,
    }
    const parts: RecordOperationsParts = {
      stores: this.stores,
      log: { partitions: async () => [], sizes: async () => [] },
      topics: { find: async () => [found()], findById: async () => [found()] },
      tails: {
        get: () => undefined,
        loaded: async (asked) =>
          asked.map((partition) => ({
            ...partition,
            logStartOffset: 0,
            highWatermark: 0,
            lastStableOffset: 0,
            lastAbortOffset: -1,
            segments: [],
            lastStamp: 9_000,
          })),
        stamp: () => 9_000,
      },
      writer: {
        cutOff: () => {},
        room: async (bytes) => {
          if (loseSlotInRoom) this.#mine = false
          const budget = new ByteBudget(bytes)
          return room && budget.tryTake(bytes) ? new Room(budget, bytes) : undefined
        },
        admit: (admissions) => {
          this.admitted.push(...admissions)
          return { answers: answer === 'never' ? new Promise(() => {}) : Promise.resolve([answer]) }
        },
      },
      reader: { fetch: async (asks) => asks.map((ask) => this.#fetch(ask)) },
      transactionStore: { aborted: async (asks) => asks.map(() => []) },
      offsets: {
        list: async (asks) =>
          asks.map(({ partition, at }) => ({
            kind: 'offset',
            offset: at === 'earliest' ? this.#start(partition) : this.#end(partition),
            timestamp: -1,
            leaderEpoch: 5,
          })),
      },
      owners: { ofPartition: () => ({ mine: this.#mine, epoch: 5, leader: this.#mine ? 1 : 2 }), slotOf: () => 3, moving: () => undefined },
      settings: settings('dev'),
      ioClock,
      clock: {
        ...ioClock,
        after: () => {
          throw new Error('a test may move this clock, so it must not time work that takes real time')
        },
      },
      // The batches are not compressed.
      unpacker: new Unpacker({ codecs: {} as Codecs, clock: ioClock, limits: defaultLimits }),
      packer: new Packer({ codecs: {} as Codecs, clock: ioClock, limits: defaultLimits }),
      crc32c,
      turns: new Turns(ioClock),
    }
    this.operations = new RecordOperations(parts)
  }

  get timers(): number {
    return this.#timers.size
  }

  advance(ms: number): void {
    this.#nowMs += ms
    for (const timer of this.#timers) if (timer.atMs <= this.#nowMs && this.#timers.delete(timer)) timer.callback()
  }

  #start(partition: number): number {
    return this.starts[partition] ?? 0
  }

  #end(partition: number): number {
    return this.#start(partition) + (this.logs[partition]?.length ?? 0)
  }

  #fetch({ partition, offset }: FetchAsk): Awaited<ReturnType<RecordOperationsParts['reader']['fetch']>>[number] {
    const start = this.#start(partition)
    const end = this.#end(partition)
    const watermarks = { logStartOffset: start, highWatermark: end, lastStableOffset: end }
    if (offset < start || offset > end) return { kind: 'error', error: 'OFFSET_OUT_OF_RANGE', watermarks }
    const left = (this.logs[partition] ?? []).slice(offset - start)
    const chunks = this.pretendBytes === undefined ? left : left.slice(0, 1)
    const sizeBytes = this.pretendBytes ?? chunks.reduce((sum, { length }) => sum + length, 0)
    return { kind: 'data', chunks, sizeBytes: chunks.length === 0 ? 0 : sizeBytes, nextOffset: offset + chunks.length, ...watermarks }
  }
}
