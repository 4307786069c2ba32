// One damaged object under a whole agent on a directory: intact records are returned, the damage is an error at its offset, and it is reported once.
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errors, Fetch, ListOffsets, Produce, readBatchHeader } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { type AgentForTests, aBatch, anAgent } from '../api/testing/an-agent.ts'
import { DirectoryObjects } from '../objects/adapters/directory.ts'

const batches = 3
const recordsEach = 10

/** Three objects with 10 records each, the second one damaged. Partition 1 has a batch in each, too. */
async function withDamage(
  damage: (file: string, bytes: Buffer) => Promise<void>,
  body: (kafka: AgentForTests, restore: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-damage-'))
  try {
    const store = new DirectoryObjects(folder, { durability: 'os' })
    await using kafka = await anAgent({ wrap: () => store, settings: { 'cache.bytes': { value: '0', source: 'flag' } } })
    await kafka.topic('t', 2)
    const files: string[] = []
    for (let batch = 0; batch < batches; batch++) {
      const records = aBatch(Array.from({ length: recordsEach }, (_, at) => `${batch}-${at}`))
      const partitionData = [0, 1].map((index) => ({ index, records }))
      await kafka.call(Produce, 9, { acks: -1, timeoutMs: 10_000, topicData: [{ name: 't', partitionData }] })
      const all = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) => one.isFile())
      const added = all.map((one) => join(one.parentPath, one.name)).filter((file) => !files.includes(file))
      files.push(...added)
      if (batch !== 1) continue
      const [file] = added
      if (file === undefined) throw new Error('the batch is in no file')
      const bytes = await readFile(file)
      await damage(file, bytes)
      restores.push(() => writeFile(file, bytes))
    }
    await body(kafka, async () => {
      for (const restore of restores.splice(0)) await restore()
    })
  } finally {
    restores.length = 0
    await rm(folder, { recursive: true, force: true })
  }
}
const restores: (() => Promise<void>)[] = []

async function fetched(kafka: AgentForTests, fetchOffset: number, partition = 0) {
  const { responses } = await kafka.call(Fetch, 12, {
    maxWaitMs: 0,
    minBytes: 1,
    topics: [{ topic: 't', partitions: [{ partition, fetchOffset, partitionMaxBytes: 1_000_000 }] }],
  })
  const answer = responses[0]?.partitions[0]
  if (answer === undefined) throw new Error('no answer for the partition')
  const offsets: number[] = []
  const records = answer.records ?? new Uint8Array()
  for (let at = 0; at < records.length; ) {
    const { baseOffset, lastOffsetDelta, sizeBytes } = readBatchHeader(records, at)
    for (let delta = 0; delta <= lastOffsetDelta; delta++) offsets.push(baseOffset + delta)
    at += sizeBytes
  }
  return { errorCode: answer.errorCode, offsets }
}

const upTo = (from: number, end: number): readonly number[] => Array.from({ length: end - from }, (_, at) => from + at)
const damaged = { errorCode: errors.CORRUPT_MESSAGE.code, offsets: [] }

test.each<[string, (file: string, bytes: Buffer) => Promise<void>]>([
  [
    'with a flipped byte',
    (file, bytes) =>
      writeFile(
        file,
        bytes.map((byte, at) => (at === bytes.indexOf('1-5') ? byte ^ 1 : byte)),
      ),
  ],
  ['cut in half', (file) => truncate(file, 100)],
  ['deleted', (file) => rm(file)],
])('H1: an object %s: intact records are returned, then an error at the damaged offset, reported once', async (_what, damage) => {
  await withDamage(damage, async (kafka, restore) => {
    expect(await fetched(kafka, 0)).toEqual({ errorCode: 0, offsets: upTo(0, 10) })
    for (const offset of [10, 15, 19, 10]) expect(await fetched(kafka, offset)).toEqual(damaged)
    expect(await fetched(kafka, 20)).toEqual({ errorCode: 0, offsets: upTo(20, 30) })
    const reports = kafka.events.filter((event) => event.kind === 'corrupt data')
    expect(reports).toMatchObject([{ topic: 't', partition: 0, offset: 10, lastOffset: 19, firstOfObject: true }])
    const { ready, reasons } = kafka.agent.health()
    expect(ready).toBe(true)
    expect(reasons).toEqual([expect.stringMatching(/^partition 0 of topic t is damaged at offsets 10 to 19, in object \S+: /)])
    expect(kafka.agent.metrics().find(({ name }) => name === 'lks_damaged_places')?.samples).toEqual([{ labels: {}, value: 1 }])

    const signal = new AbortController().signal
    const read = { topic: 't', partition: 0, limit: 100, maxBytes: 1_000_000, waitMs: 0, signal }
    const good = await kafka.agent.operations.records.read({ ...read, from: 'earliest' })
    expect(good.kind === 'records' && good.records.map(({ offset }) => offset)).toEqual(upTo(0, 10))
    expect(await kafka.agent.operations.records.read({ ...read, from: { offset: 10 } })).toMatchObject({
      kind: 'damaged',
      topic: 't',
      partition: 0,
      offset: 10,
      lastOffset: 19,
    })

    await restore()
    expect(await fetched(kafka, 10)).toEqual({ errorCode: 0, offsets: upTo(10, 30) })
    expect(kafka.agent.health()).toEqual({ ready: true, reasons: [] })
  })
})

test('H1: a query returns the records before the damage, and its cursor leads to the error', async () => {
  await withDamage(
    (file) => rm(file),
    async (kafka) => {
      const query = { topic: 't', filter: {}, limit: 100, signal: new AbortController().signal }
      const found = await kafka.agent.operations.records.query(query)
      if (found.kind !== 'scanned' || found.cursor === undefined) throw new Error(`the query answered ${found.kind}`)
      expect(found.records).toHaveLength(2 * recordsEach)
      expect(await kafka.agent.operations.records.query({ ...query, cursor: found.cursor })).toMatchObject({
        kind: 'damaged',
        topic: 't',
        offset: 10,
        lastOffset: 19,
      })
    },
  )
})

test('H1: an object with batches of two partitions is reported once, and the ends of its partitions are still answered', async () => {
  await withDamage(
    (file) => rm(file),
    async (kafka) => {
      for (const partition of [0, 1, 0, 1]) expect(await fetched(kafka, 10, partition)).toEqual(damaged)
      const reports = kafka.events.filter((event) => event.kind === 'corrupt data')
      expect(reports.map((event) => event.firstOfObject)).toEqual([true, false])
      const { topics } = await kafka.call(ListOffsets, 7, {
        replicaId: -1,
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
      })
      expect(topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, offset: 30 })
    },
  )
})
