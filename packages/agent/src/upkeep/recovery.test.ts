// Recovery over real stores: logs are cut at torn, short, missing or foreign objects, intact objects stay, and a store that does not answer stops it.
import { mkdtemp, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nativeCrc32c } from '../codecs.ts'
import type { ObjectKey } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import { fixedLimits } from '../limits.ts'
import type { Registration, Topic } from '../metadata/metadata-store.ts'
import type { OpenedMetadata } from '../metadata/open.ts'
import { openSqlite } from '../metadata/sqlite.ts'
import { aBatch, aTopic, laidOut, openCluster, registered } from '../metadata/testing/a-cluster.ts'
import { DirectoryObjects } from '../objects/adapters/directory.ts'
import { MemoryObjects } from '../objects/adapters/memory.ts'
import { encodeObject } from '../objects/object-format.ts'
import { type ObjectStore, ObjectStoreError } from '../objects/object-store.ts'
import { HookedObjects } from '../objects/testing/hooked-objects.ts'
import type { AgentEvent } from '../observe/events.ts'
import { systemClock } from '../time/system-clock.ts'
import { type OnDamage, type Recovered, recover } from './recovery.ts'

let folder: string
let store: OpenedMetadata
let me: Registration
let topic: Topic
let last: number

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lks-recovery-'))
  store = await openCluster(openSqlite({ path: ':memory:', durability: 'memory', now: () => Date.now() }))
  me = await registered(store, 'me')
  topic = await aTopic(store, { name: 'hello', partitions: 3 })
  last = 0
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

/** Stores and commits one object with ten offsets for each of the partitions. */
async function flush(objects: ObjectStore, partitions: readonly number[]): Promise<ObjectKey> {
  last += 1
  const bytes = new Uint8Array(100).fill(last)
  const groups = partitions.map((partition) => ({ topicId: topic.topicId, partition, epoch: 1, chunks: [bytes], batches: 1 }))
  const encoded = encodeObject({ clusterId: store.clusterId, incarnation: me.incarnation, sequence: last, groups }, nativeCrc32c)
  const key = objectKey(store.clusterId, me.incarnation, last)
  await objects.put(key, encoded.chunks)
  const outcome = await store.log.commit({
    incarnation: me.incarnation,
    prev: last - 1,
    sequence: last,
    object: { sizeBytes: encoded.sizeBytes, checksum: encoded.checksum },
    batches: laidOut(partitions.map((partition) => aBatch(topic, me, store, { partition, offsets: 10 }))),
    producerIdExpirationMs: 86_400_000,
  })
  expect(outcome.kind).toBe('committed')
  return key
}

async function recovered(
  objects: ObjectStore,
  onDamage: OnDamage = 'cut',
): Promise<{ readonly found: Recovered; readonly events: readonly AgentEvent[] }> {
  const events: AgentEvent[] = []
  const emit = (event: AgentEvent): void => void events.push(event)
  return { found: await recover({ objects, recovery: store.recovery, crc32c: nativeCrc32c, clock: systemClock, emit }, onDamage), events }
}

async function ends(): Promise<readonly (number | undefined)[]> {
  const states = await store.log.partitions([0, 1, 2].map((partition) => ({ topicId: topic.topicId, partition })))
  return states.map((state) => state?.highWatermark)
}

function cutsOf(found: Recovered): readonly (readonly number[])[] {
  if (found.kind !== 'recovered') throw new Error(found.kind)
  return found.cuts.map(({ partition, fromOffset, offsets }) => [partition, fromOffset, offsets])
}

test('if every object is intact, nothing is cut', async () => {
  const objects = new DirectoryObjects(folder, { durability: 'os' })
  await flush(objects, [0, 1])
  await flush(objects, [1, 2])
  const { found, events } = await recovered(objects)
  expect(found).toEqual({ kind: 'recovered', objects: 2, unreadable: 0, cuts: [] })
  expect(events).toMatchObject([{ kind: 'objects checked', objects: 2, unreadable: 0 }])
  expect(await ends()).toEqual([10, 20, 10])
})

const damages: readonly (readonly [name: string, tear: (path: string) => Promise<void>])[] = [
  ['missing', unlink],
  ['empty', (path) => truncate(path, 0)],
  ['short', (path) => truncate(path, 150)],
  ['long', async (path) => writeFile(path, new Uint8Array(1), { flag: 'a' })],
  ['all zeros, in its right length', async (path) => writeFile(path, new Uint8Array((await readFile(path)).length))],
  [
    'changed in one bit',
    async (path) => {
      const bytes = await readFile(path)
      bytes[100] = (bytes[100] ?? 0) ^ 1
      await writeFile(path, bytes)
    },
  ],
  [
    'zeros at its end',
    async (path) => {
      const bytes = await readFile(path)
      await writeFile(path, bytes.fill(0, bytes.length - 40))
    },
  ],
]

test.each(damages)('an object that is %s cuts the logs that have records in it, and no others', async (_, tear) => {
  const objects = new DirectoryObjects(folder, { durability: 'os' })
  await flush(objects, [0, 1])
  const torn = await flush(objects, [0])
  await flush(objects, [0, 1, 2])
  await tear(join(folder, torn))
  const { found, events } = await recovered(objects)
  expect(cutsOf(found)).toEqual([[0, 10, 20]])
  expect(await ends()).toEqual([10, 20, 10])
  expect(events).toMatchObject([
    { kind: 'object unreadable', key: torn },
    { kind: 'tail cut', topic: 'hello', partition: 0, fromOffset: 10, offsets: 20 },
    { kind: 'objects checked', objects: 3, unreadable: 1 },
  ])
  // The next recovery does not check the torn object again.
  expect((await recovered(objects)).found).toEqual({ kind: 'recovered', objects: 2, unreadable: 0, cuts: [] })
})

test('each log is cut before its own first damaged object', async () => {
  const objects = new MemoryObjects()
  await flush(objects, [0, 1, 2])
  const middle = await flush(objects, [1])
  await flush(objects, [0, 1])
  const end = await flush(objects, [0, 2])
  await objects.remove([middle, end])
  expect(cutsOf((await recovered(objects)).found)).toEqual([
    [0, 20, 10],
    [1, 10, 20],
    [2, 10, 10],
  ])
  expect(await ends()).toEqual([20, 10, 10])
  await flush(objects, [0, 1, 2])
  expect(await ends()).toEqual([30, 20, 20])
})

test('recovery reads all objects, also when they fill more than one page', async () => {
  const objects = new MemoryObjects()
  const keys: ObjectKey[] = []
  for (let number = 0; number < fixedLimits.recoveryObjectsPerStep + 5; number++) keys.push(await flush(objects, [number % 3]))
  await objects.remove(keys.slice(0, 1))
  const { found } = await recovered(objects)
  expect(found).toMatchObject({ objects: keys.length, unreadable: 1 })
  expect((await ends())[0]).toBe(0)
})

test('a log that was committed as durable is not cut: the recovery is rejected, and nothing changes', async () => {
  const objects = new MemoryObjects()
  await flush(objects, [0])
  const torn = await flush(objects, [0])
  await objects.remove([torn])
  for (let time = 1; time <= 2; time++) {
    const { found } = await recovered(objects, 'reject')
    expect(found).toMatchObject({ kind: 'rejected', unreadable: [{ key: torn }] })
    expect(await ends()).toEqual([20, 0, 0])
  }
})

test('if the store has no object at all, nothing is cut: the disk may not be mounted', async () => {
  const objects = new MemoryObjects()
  const keys = [await flush(objects, [0]), await flush(objects, [0])]
  const bytes = await objects.read(keys[1] ?? '')
  await objects.remove(keys)
  for (const onDamage of ['cut', 'reject'] as const) expect((await recovered(objects, onDamage)).found).toEqual({ kind: 'no objects' })
  expect(await ends()).toEqual([20, 0, 0])
  // One object is enough to show that this is the right store.
  await objects.put(keys[1] ?? '', [bytes])
  expect(cutsOf((await recovered(objects)).found)).toEqual([[0, 0, 20]])
})

test('a store that does not answer stops the recovery, with nothing cut; an object that is damaged is lost', async () => {
  let failure: Error | undefined
  const objects = new HookedObjects({
    before: ({ operation, keys }) => {
      if (operation === 'read' && failure !== undefined && keys[0]?.endsWith('2') === true) throw failure
    },
  })
  await flush(objects, [0])
  await flush(objects, [0])
  for (const kind of ['unavailable', 'denied', 'timeout'] as const) {
    failure = new ObjectStoreError(kind, 'no', 'not now')
    await expect(recovered(objects)).rejects.toBe(failure)
    expect(await ends()).toEqual([20, 0, 0])
  }
  failure = new ObjectStoreError('corrupt', 'no', 'not the stored bytes')
  expect(cutsOf((await recovered(objects)).found)).toEqual([[0, 10, 10]])
})

test('an intact object of a newer format is not cut', async () => {
  const objects = new MemoryObjects()
  await flush(objects, [0])
  const key = objectKey(store.clusterId, me.incarnation, 2)
  const encoded = encodeObject({ clusterId: store.clusterId, incarnation: me.incarnation, sequence: 2, groups: [] }, nativeCrc32c)
  const bytes = Buffer.concat(encoded.chunks)
  bytes.writeUInt16BE(99, 8)
  bytes.writeUInt16BE(99, 10)
  const checksum = nativeCrc32c(bytes.subarray(0, bytes.length - 12))
  bytes.writeUInt32BE(checksum, bytes.length - 12)
  await objects.put(key, [bytes])
  await store.log.commit({
    incarnation: me.incarnation,
    prev: 1,
    sequence: 2,
    object: { sizeBytes: bytes.length, checksum },
    batches: [aBatch(topic, me, store)],
    producerIdExpirationMs: 86_400_000,
  })
  expect((await recovered(objects)).found).toEqual({ kind: 'recovered', objects: 2, unreadable: 0, cuts: [] })
  expect(await ends()).toEqual([11, 0, 0])
})
