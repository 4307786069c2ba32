// Skips of damaged offsets, and checks of all objects, through a whole agent: the other records stay where they are.
import { errors, Fetch, ListOffsets, Produce, readBatchHeader, readRecords } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { type AgentForTests, aBatch, anAgent } from '../api/testing/an-agent.ts'
import { nodeCodecs } from '../codecs.ts'
import { MemoryObjects } from '../objects/adapters/memory.ts'

const signal = new AbortController().signal
const upTo = (from: number, end: number): readonly number[] => Array.from({ length: end - from }, (_, at) => from + at)

/** Five batches of ten records. The first four were sent together and share objects, the last has one of its own. The objects can be damaged. */
async function withRecords(
  use: (kafka: AgentForTests, spoil: (value: string, how: 'flip' | 'cut' | 'remove') => Promise<void>) => Promise<void>,
): Promise<void> {
  const store = new MemoryObjects()
  await using kafka = await anAgent({ wrap: () => store, settings: { 'cache.bytes': { value: '0', source: 'flag' } } })
  await kafka.topic('t')
  const produce = (batch: number) => {
    const records = aBatch(
      upTo(0, 10).map((at) => `${batch}-${at}`),
      { timestamp: startMs + batch * 1_000 },
    )
    return kafka.call(Produce, 9, { acks: -1, timeoutMs: 10_000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] })
  }
  await Promise.all([0, 1, 2, 3].map((batch) => produce(batch)))
  await produce(4)
  await use(kafka, async (value, how) => {
    for await (const { key } of store.list('')) {
      const bytes = Buffer.from(await store.read(key))
      const at = bytes.indexOf(value)
      if (at < 0) continue
      await store.remove([key])
      if (how === 'remove') return
      bytes[at] = (bytes[at] ?? 0) ^ 1
      return await store.put(key, [how === 'cut' ? bytes.subarray(0, at) : bytes])
    }
    throw new Error(`no object has ${value}`)
  })
}
const startMs = Date.now() - 100_000

async function fetched(kafka: AgentForTests, fetchOffset: number, maxWaitMs = 0) {
  const { responses } = await kafka.call(Fetch, 12, {
    maxWaitMs,
    minBytes: 1,
    topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }] }],
  })
  const answer = responses[0]?.partitions[0]
  const bytes = answer?.records ?? new Uint8Array()
  const offsets: number[] = []
  let next = fetchOffset
  for (let at = 0; at < bytes.length; ) {
    const { baseOffset, lastOffsetDelta, sizeBytes } = readBatchHeader(bytes, at)
    for (const { offsetDelta } of readRecords(bytes, at, nodeCodecs, 1_000_000)) offsets.push(baseOffset + offsetDelta)
    next = baseOffset + lastOffsetDelta + 1
    at += sizeBytes
  }
  return { errorCode: answer?.errorCode, offsets, next }
}

test('a skip makes consumers pass over one damaged batch: every other record keeps its offset, and nothing is reported any more', async () => {
  await withRecords(async (kafka, spoil) => {
    const { damage } = kafka.agent.operations
    await spoil('2-5', 'flip')
    expect(await damage.skip({ topic: 't', dryRun: false, signal })).toEqual({ kind: 'ok', value: [] })
    expect((await fetched(kafka, 20)).errorCode).toBe(errors.CORRUPT_MESSAGE.code)
    const place = { topic: 't', partition: 0, offset: 20, lastOffset: 29, damageKind: 'changed' }
    expect(damage.list()).toMatchObject([place])

    expect(await damage.skip({ topic: 't', dryRun: true, signal })).toMatchObject({ kind: 'ok', value: [place] })
    expect((await fetched(kafka, 20)).errorCode).toBe(errors.CORRUPT_MESSAGE.code)
    expect(await damage.skip({ topic: 't', partition: 0, dryRun: false, signal })).toMatchObject({ kind: 'ok', value: [place] })

    expect(await fetched(kafka, 0)).toEqual({ errorCode: 0, offsets: [...upTo(0, 20), ...upTo(30, 50)], next: 50 })
    for (const offset of [20, 25, 29, 30]) expect(await fetched(kafka, offset)).toEqual({ errorCode: 0, offsets: upTo(30, 50), next: 50 })
    expect(kafka.agent.health()).toEqual({ ready: true, reasons: [] })
    expect(damage.list()).toEqual([])
    expect(await damage.skipped()).toMatchObject([{ topic: 't', partition: 0, offset: 20, lastOffset: 29 }])
    expect(kafka.events.filter(({ kind }) => kind === 'damage skipped')).toHaveLength(1)
    expect(await damage.skip({ topic: 't', dryRun: false, signal })).toEqual({ kind: 'ok', value: [] })
  })
})

test('after a skip, a time inside the range is the offset after it', async () => {
  await withRecords(async (kafka, spoil) => {
    await spoil('2-5', 'flip')
    await kafka.agent.operations.damage.skip({ topic: 't', partition: 0, offset: 22, dryRun: false, signal })
    const offsetAt = async (timestamp: number): Promise<number | undefined> => {
      const { topics } = await kafka.call(ListOffsets, 7, {
        replicaId: -1,
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }],
      })
      return topics[0]?.partitions[0]?.offset
    }
    expect(await Promise.all([1, 2, 3, 4, 5].map((batch) => offsetAt(startMs + batch * 1_000)))).toEqual([10, 30, 30, 40, -1])
  })
})

test('at the end of the log a consumer is taken past skipped offsets by an empty batch, and receives what is appended after them', async () => {
  await withRecords(async (kafka, spoil) => {
    await spoil('4-0', 'remove')
    expect((await fetched(kafka, 40)).errorCode).toBe(errors.CORRUPT_MESSAGE.code)
    await kafka.agent.operations.damage.skip({ topic: 't', dryRun: false, signal })
    expect(await fetched(kafka, 40)).toEqual({ errorCode: 0, offsets: [], next: 50 })
    expect(await fetched(kafka, 45)).toEqual({ errorCode: 0, offsets: [], next: 50 })
    expect(await fetched(kafka, 0)).toEqual({ errorCode: 0, offsets: upTo(0, 40), next: 40 })
    const read = { topic: 't', partition: 0, from: { offset: 40 }, limit: 10, maxBytes: 1_000_000, waitMs: 0, signal }
    expect(await kafka.agent.operations.records.read(read)).toMatchObject({ kind: 'records', records: [], next: 50 })
    const waits = fetched(kafka, 50, 10_000)
    const partitionData = [{ index: 0, records: aBatch(['after']) }]
    await kafka.call(Produce, 9, { acks: -1, timeoutMs: 10_000, topicData: [{ name: 't', partitionData }] })
    expect(await waits).toEqual({ errorCode: 0, offsets: [50], next: 51 })
    expect(await fetched(kafka, 44)).toEqual({ errorCode: 0, offsets: [50], next: 51 })
  })
})

test('an object that is intact again is not skipped', async () => {
  await withRecords(async (kafka, spoil) => {
    const { damage } = kafka.agent.operations
    await spoil('2-5', 'flip')
    await fetched(kafka, 20)
    expect(damage.list()).toHaveLength(1)
    // The same bit again: '3' is '2' with it changed.
    await spoil('3-5', 'flip')
    expect(await damage.skip({ topic: 't', dryRun: false, signal })).toEqual({ kind: 'ok', value: [] })
    expect(damage.list()).toEqual([])
    expect((await fetched(kafka, 0)).offsets).toEqual(upTo(0, 50))
  })
})

test('a skip names what does not exist', async () => {
  await withRecords(async (kafka) => {
    const { damage } = kafka.agent.operations
    expect(await damage.skip({ topic: 'absent', dryRun: false, signal })).toMatchObject({ code: errors.UNKNOWN_TOPIC_OR_PARTITION.code })
    expect(await damage.skip({ topic: 't', partition: 7, dryRun: false, signal })).toMatchObject({
      code: errors.UNKNOWN_TOPIC_OR_PARTITION.code,
    })
    expect(await damage.skip({ topic: 't', offset: 7, dryRun: false, signal })).toMatchObject({ code: errors.INVALID_REQUEST.code })
    for (const offset of [0, 49, 50, 1_000])
      expect(await damage.skip({ topic: 't', partition: 0, offset, dryRun: false, signal })).toEqual({ kind: 'ok', value: [] })
  })
})

test('a check reads all objects and reports every damaged range; after the skips, another one finds only damage that affects no record', async () => {
  await withRecords(async (kafka, spoil) => {
    const { damage } = kafka.agent.operations
    expect(damage.check()).toBeUndefined()
    expect(await checked(kafka)).toMatchObject({ state: 'complete', damagedObjects: 0 })
    await spoil('2-5', 'flip')
    await spoil('4-0', 'remove')
    const found = await checked(kafka)
    expect(found).toMatchObject({ state: 'complete', damagedObjects: 2, harmlessObjects: 0 })
    expect(found?.objects.total).toBeGreaterThanOrEqual(2)
    expect([found?.objects.checked, found?.bytes.checked]).toEqual([found?.objects.total, found?.bytes.total])
    expect(damage.list()).toMatchObject([
      { offset: 20, lastOffset: 29, damageKind: 'changed' },
      { offset: 40, lastOffset: 49, damageKind: 'missing' },
    ])
    expect(kafka.agent.health().reasons).toHaveLength(2)
    await damage.skip({ topic: 't', dryRun: false, signal })
    expect(await checked(kafka)).toMatchObject({ state: 'complete', damagedObjects: 2, harmlessObjects: 2 })
    expect(damage.list()).toEqual([])
    expect(await fetched(kafka, 0)).toMatchObject({ errorCode: 0, offsets: [...upTo(0, 20), ...upTo(30, 40)] })
  })
})

async function checked(kafka: AgentForTests) {
  const { damage } = kafka.agent.operations
  damage.beginCheck()
  await expect.poll(() => damage.check()?.state, { timeout: 10_000 }).not.toBe('running')
  return damage.check()
}
