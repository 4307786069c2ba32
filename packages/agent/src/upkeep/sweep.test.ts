// The sweep on a clock that a test moves: it waits for readers, removes only what no segment names, and tries again what the store could not remove.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { objectKey } from '../core/object-key.ts'
import { defaultLimits } from '../limits.ts'
import type { CommitBatch, Registration, Topic } from '../metadata/metadata-store.ts'
import type { OpenedMetadata } from '../metadata/open.ts'
import { openSqlite } from '../metadata/sqlite.ts'
import { aCommitIn, aTopic, committed, openCluster, registered } from '../metadata/testing/a-cluster.ts'
import { MemoryObjects } from '../objects/adapters/memory.ts'
import { ObjectStoreError, type RemoveResult } from '../objects/object-store.ts'
import type { AgentEvent } from '../observe/events.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { Sweep, type SweepParts } from './sweep.ts'

const { readersGraceMs } = defaultLimits

/** Memory that cannot remove the keys in `stuck`. */
class StickyObjects extends MemoryObjects {
  readonly stuck = new Set<string>()

  override async remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    const error = new ObjectStoreError('unavailable', 'no', 'the store is away')
    const free = await super.remove(
      keys.filter((key) => !this.stuck.has(key)),
      signal,
    )
    return [...free, ...keys.filter((key) => this.stuck.has(key)).map((key) => ({ key, error }))]
  }
}

let clock: ManualClock
let objects: StickyObjects
let store: OpenedMetadata
let me: Registration
let topic: Topic
let events: AgentEvent[]
let stopped: AbortController
let running: Promise<void>

beforeEach(async () => {
  clock = new ManualClock()
  objects = new StickyObjects()
  store = await openCluster(openSqlite({ path: ':memory:', durability: 'memory', now: () => clock.now() }))
  me = await registered(store, 'me')
  topic = await aTopic(store, { partitions: 2 })
  events = []
  stopped = new AbortController()
})
afterEach(async () => {
  stopped.abort()
  await running
  await store.close()
})

const keyOf = (sequence: number): string => objectKey(store.clusterId, me.incarnation, sequence)

async function commit(sequence: number, batches: readonly Partial<CommitBatch>[]): Promise<void> {
  await objects.put(keyOf(sequence), [Buffer.from(`object ${sequence}`)])
  await committed(store.log.commit(aCommitIn({ store, me, topic }, sequence, batches)))
}

async function deleteBefore(partition: number, beforeOffset: number): Promise<void> {
  const place = { topicId: topic.topicId, partition }
  const defaults = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }
  await store.log.deleteRecords(me.incarnation.id, [{ ...place, beforeOffset }])
  await store.retention.step({ owner: me.incarnation.id, partitions: [place], nowMs: 0, defaults })
}

function sweep(more: Partial<SweepParts> = {}): void {
  const parts = {
    store: store.sweep,
    objects,
    isMine: () => true,
    clock,
    limits: defaultLimits,
    emit: (event: AgentEvent) => void events.push(event),
  }
  running = new Sweep({ ...parts, ...more }).run(stopped.signal)
}

async function stored(): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const { key } of objects.list('')) keys.push(key)
  return keys.toSorted()
}

test('what is planned are the released objects that no segment names, and nothing is removed', async () => {
  const planned = new Sweep({
    store: store.sweep,
    objects,
    isMine: () => true,
    clock,
    limits: defaultLimits,
    emit: (event) => void events.push(event),
  })
  running = Promise.resolve()
  await commit(1, [{ offsets: 10 }, { partition: 1, offsets: 10 }])
  await commit(2, [{ offsets: 10 }])
  expect(await planned.planned(stopped.signal)).toEqual([])
  await deleteBefore(0, 20)
  expect(await planned.planned(stopped.signal)).toEqual([
    { key: keyOf(2), sizeBytes: 1000, why: expect.stringContaining('no segment names it any more') },
  ])
  expect(await store.sweep.released({ maxObjects: 10 })).toHaveLength(2)
  expect([await stored(), events]).toEqual([[keyOf(1), keyOf(2)].toSorted(), []])
})

test('an object goes when no segment names it and the readers that could have found one are done', async () => {
  await commit(1, [{ offsets: 10 }, { partition: 1, offsets: 10 }])
  await commit(2, [{ offsets: 10 }])
  await deleteBefore(0, 20)
  sweep()
  // The first look only notes what was released: it may have been released just before.
  await clock.advance(2 * readersGraceMs - 1)
  expect(await stored()).toEqual([keyOf(1), keyOf(2)].toSorted())
  await clock.advance(1)
  expect(await stored()).toEqual([keyOf(1)])
  expect(events).toEqual([{ kind: 'objects swept', objects: 1, bytes: 1000, failed: 0 }])
  // What is named is not looked at again before it loses another segment.
  expect(await store.sweep.released({ maxObjects: 10 })).toEqual([])
  await deleteBefore(1, 10)
  await clock.advance(2 * readersGraceMs)
  expect(await stored()).toEqual([])
  expect(await store.damage.totals()).toEqual({ objects: 0, bytes: 0 })
})

test('an object that is released during the look is left for a later pass', async () => {
  await commit(1, [{ offsets: 10 }, { partition: 1, offsets: 10 }])
  await deleteBefore(0, 10)
  const namedIn: typeof store.sweep.namedIn = async (page) => {
    const named = await store.sweep.namedIn(page)
    await deleteBefore(1, 10)
    return named
  }
  sweep({ store: { ...store.sweep, namedIn } })
  await clock.advance(2 * readersGraceMs)
  expect([await stored(), events]).toEqual([[keyOf(1)], []])
  await clock.advance(2 * readersGraceMs)
  expect(await stored()).toEqual([])
})

test('what the store cannot remove keeps its row, and is tried again', async () => {
  for (const sequence of [1, 2]) await commit(sequence, [{ offsets: 10 }])
  await deleteBefore(0, 20)
  objects.stuck.add(keyOf(1))
  sweep()
  await clock.advance(2 * readersGraceMs)
  expect([await stored(), events]).toEqual([[keyOf(1)], [{ kind: 'objects swept', objects: 1, bytes: 1000, failed: 1 }]])
  expect((await store.sweep.released({ maxObjects: 10 })).map(({ sequence }) => sequence)).toEqual([1])
  objects.stuck.clear()
  await clock.advance(2 * readersGraceMs)
  expect(await stored()).toEqual([])
})

test('an agent that does not have the job sweeps nothing, and waits for the readers again when it gets it', async () => {
  await commit(1, [{ offsets: 10 }])
  await deleteBefore(0, 10)
  let mine = false
  sweep({ isMine: () => mine })
  await clock.advance(3 * readersGraceMs)
  mine = true
  await clock.advance(readersGraceMs)
  expect(await stored()).toHaveLength(1)
  await clock.advance(readersGraceMs)
  expect(await stored()).toEqual([])
})
