// Who is read ahead of, and how far.
import { expect, test } from 'vitest'
import type { Segment } from '../metadata/metadata-store.ts'
import { ReadAhead } from './read-ahead.ts'
import type { TouchingSegments } from './touching-segments.ts'

const mib = 1024 * 1024
const clock = { monotonic: () => 0 }
const merging = { mergeObjectBytes: 96 * mib, mergeSegmentBytes: 4 * mib }
const limits = { readAheadMaxBytes: 8 * mib, readAheadRequestBytes: 7 * mib, ...merging }
const tail = {}
const none = { segments: [], atMs: 0, tail }

/** A store whose reads end when the test says so. `inMemory`: the keys of objects that are in memory or being read. */
function aStore(): {
  readonly asked: string[]
  readonly inMemory: Set<string>
  aheadBytes: number
  readonly end: () => Promise<void>
  readonly segments: ConstructorParameters<typeof ReadAhead>[0]
} {
  const asked: string[] = []
  const inMemory = new Set<string>()
  const ends: (() => void)[] = []
  const store = {
    asked,
    inMemory,
    aheadBytes: 16 * mib,
    async end() {
      for (const end of ends.splice(0)) end()
      await new Promise(setImmediate)
    },
    segments: {
      get aheadBytes() {
        return store.aheadBytes
      },
      isComing: ({ objectKey }: Segment) => inMemory.has(objectKey),
      readAhead: ({ objectKey, start, length }: TouchingSegments) => {
        asked.push(`${objectKey}: ${start}+${length / mib} MiB`)
        return new Promise<void>((resolve) => ends.push(resolve))
      },
    },
  }
  return store
}

function segmentsOf(count: number, sizeBytes: number): readonly Segment[] {
  return Array.from({ length: count }, (_, index) => ({
    objectKey: `object ${index}`,
    byteStart: 56,
    sizeBytes,
    baseOffset: index * 10,
    lastOffset: index * 10 + 9,
  })) as unknown as readonly Segment[]
}

test('the window opens for a consumer that reads on, grows fourfold up to 8 MiB, and closes when it seeks', () => {
  const ahead = new ReadAhead(aStore().segments, clock, limits)
  const windows: number[] = []
  for (let offset = 0; offset < 80; offset += 10) {
    windows.push(ahead.windowAt('p', offset) / mib)
    ahead.answered('p', { offset: offset, nextOffset: offset + 10, sizeBytes: 0 }, none)
  }
  expect(windows).toEqual([0, 0, 0.5, 2, 8, 8, 8, 8])
  expect(ahead.windowAt('p', 500)).toBe(0)
  ahead.answered('p', { offset: 500, nextOffset: 510, sizeBytes: 0 }, none)
  expect(ahead.windowAt('p', 510)).toBe(0)
})

test('the first window is as large as the answer before it', () => {
  const ahead = new ReadAhead(aStore().segments, clock, limits)
  for (let offset = 0; offset < 20; offset += 10) ahead.answered('p', { offset, nextOffset: offset + 10, sizeBytes: 3 * mib }, none)
  expect(ahead.windowAt('p', 20)).toBe(3 * mib)
  for (let offset = 20; offset < 40; offset += 10) ahead.answered('p', { offset, nextOffset: offset + 10, sizeBytes: 55 * mib }, none)
  expect(ahead.windowAt('p', 40)).toBe(8 * mib)
})

test('each consumer of a partition has a position of its own, and each partition', () => {
  const ahead = new ReadAhead(aStore().segments, clock, limits)
  for (let round = 0; round < 3; round += 1) {
    ahead.answered('p', { offset: round * 10, nextOffset: round * 10 + 10, sizeBytes: 0 }, none)
    ahead.answered('p', { offset: 1000 + round * 10, nextOffset: 1010 + round * 10, sizeBytes: 0 }, none)
    ahead.answered('q', { offset: round, nextOffset: round + 1, sizeBytes: 0 }, none)
  }
  expect([ahead.windowAt('p', 30), ahead.windowAt('p', 1030), ahead.windowAt('q', 3), ahead.windowAt('q', 30)]).toEqual([
    2 * mib,
    2 * mib,
    2 * mib,
    0,
  ])
})

test('looks that are repeated before the answer count once', () => {
  const ahead = new ReadAhead(aStore().segments, clock, limits)
  for (let look = 0; look < 5; look += 1) ahead.answered('p', { offset: 0, nextOffset: 10, sizeBytes: 0 }, none)
  for (let look = 0; look < 5; look += 1) ahead.answered('p', { offset: 10, nextOffset: 20, sizeBytes: 0 }, none)
  expect(ahead.windowAt('p', 20)).toBe(mib / 2)
})

test('what follows the answer is read as far as the window reaches, and nothing twice', async () => {
  const store = aStore()
  const ahead = new ReadAhead(store.segments, clock, limits)
  const begin = (found: readonly Segment[], answerBytes: number, windowBytes: number): readonly string[] => {
    const before = store.asked.length
    ahead.plan(found, { answerBytes, windowBytes })
    ahead.begin()
    return store.asked.slice(before)
  }
  const found = segmentsOf(12, mib)
  store.inMemory.add('object 3')
  expect(begin(found, 2 * mib, 4 * mib)).toEqual(['object 2: 56+1 MiB', 'object 4: 56+1 MiB', 'object 5: 56+1 MiB'])
  expect(begin(found, 2 * mib, 4 * mib)).toEqual([])
  await store.end()
  expect(begin(found, 2.5 * mib, 0), 'without a window nothing is read').toEqual([])
  expect(begin(found, 3 * mib, 2 * mib), 'a read that failed is tried again').toEqual(['object 4: 56+1 MiB'])
})

test('segments of several partitions that touch in one object are one read', () => {
  const store = aStore()
  const ahead = new ReadAhead(store.segments, clock, limits)
  const [of] = segmentsOf(1, mib)
  for (const [objectKey, byteStart] of [
    ['one', 2],
    ['two', 1],
    ['one', 1],
    ['one', 7],
    ['two', 0],
  ] as const)
    ahead.plan([{ ...of, objectKey, byteStart: byteStart * mib }] as unknown as readonly Segment[], { answerBytes: 0, windowBytes: mib })
  ahead.begin()
  expect(store.asked).toEqual([`one: ${mib}+2 MiB`, `one: ${7 * mib}+1 MiB`, 'two: 0+2 MiB'])
})

test('what is read ahead and what no reader has asked for have a bound together, and so have the reads in progress', async () => {
  const store = aStore()
  const ahead = new ReadAhead(store.segments, clock, limits)
  const begin = (sizeBytes: number): number => {
    const before = store.asked.length
    ahead.plan(segmentsOf(100, sizeBytes), { answerBytes: 0, windowBytes: 100 * sizeBytes })
    ahead.begin()
    return store.asked.length - before
  }
  expect(begin(mib)).toBe(16)
  expect(begin(mib)).toBe(0)
  await store.end()
  store.aheadBytes = 2 * mib
  expect(begin(mib)).toBe(2)
  await store.end()
  expect(begin(1_000)).toBe(40)
})

test('the segments after an answer are known to the next fetch, for a second after their look-up, until the log is changed', () => {
  let nowMs = 5_000
  const ahead = new ReadAhead(aStore().segments, { monotonic: () => nowMs }, limits)
  const found = { segments: segmentsOf(4, mib), atMs: nowMs, tail }
  ahead.answered('p', { offset: 0, nextOffset: 15, sizeBytes: 0 }, found)
  expect(ahead.knownAt('p', 15, tail)).toEqual({ ...found, segments: found.segments.slice(1) })
  expect([ahead.knownAt('p', 20, tail), ahead.knownAt('q', 15, tail), ahead.knownAt('p', 15, {})]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  ahead.answered('p', { offset: 15, nextOffset: 40, sizeBytes: 0 }, found)
  expect(ahead.knownAt('p', 40, tail), 'there are none').toBeUndefined()
  ahead.answered('q', { offset: 0, nextOffset: 10, sizeBytes: 0 }, found)
  nowMs += 1_000
  expect(ahead.knownAt('q', 10, tail)?.segments).toHaveLength(3)
  nowMs += 1
  expect(ahead.knownAt('q', 10, tail)).toBeUndefined()
})

test('a consumer that has ended leaves no segments behind, once another one is answered', () => {
  let nowMs = 0
  const ahead = new ReadAhead(aStore().segments, { monotonic: () => nowMs }, limits)
  // Their look-up is made to last, so that only the release can end them.
  const found = { segments: segmentsOf(4, mib), atMs: 10_000, tail }
  const answerAt = (ms: number, partition: string): void => {
    nowMs = ms
    ahead.answered(partition, { offset: 0, nextOffset: 10, sizeBytes: 0 }, found)
  }
  answerAt(0, 'p')
  answerAt(1_000, 'q')
  expect(ahead.knownAt('p', 10, tail)?.segments).toHaveLength(3)
  answerAt(1_001, 'r')
  expect(['p', 'q', 'r'].map((partition) => ahead.knownAt(partition, 10, tail)?.segments.length)).toEqual([undefined, 3, 3])
})

test('a large window is filled when half of it is used, with whole objects, and reads are smaller while the store is slow', async () => {
  const store = aStore()
  store.aheadBytes = 256 * mib
  let nowMs = 0
  const wideLimits = { readAheadMaxBytes: 64 * mib, readAheadRequestBytes: 32 * mib, ...merging }
  const ahead = new ReadAhead(store.segments, { monotonic: () => nowMs }, wideLimits)
  // Eight in each object.
  const segments = Array.from({ length: 64 }, (_, index) => ({
    objectKey: `object ${Math.floor(index / 8)}`,
    byteStart: (index % 8) * 4 * mib,
    sizeBytes: 4 * mib,
    baseOffset: index * 10,
    lastOffset: index * 10 + 9,
  })) as unknown as readonly Segment[]
  const held = new Set<Segment>()
  store.segments.isComing = (segment: Segment) => held.has(segment)
  const coming = (count: number): void => {
    for (const segment of segments.slice(0, count)) held.add(segment)
  }
  const fill = async (from: number, tookMs: number): Promise<readonly string[]> => {
    ahead.plan(segments.slice(from), { answerBytes: 4 * mib, windowBytes: 64 * mib })
    ahead.begin()
    nowMs += tookMs
    await store.end()
    return store.asked.splice(0).map((one) => one.slice(one.indexOf('+') + 1))
  }
  // Half of the largest reads at first. The window ends in the third object, which is read to its end.
  expect(await fill(0, 10)).toEqual(['16 MiB', '12 MiB', '16 MiB', '16 MiB', '16 MiB', '16 MiB'])
  coming(24)
  // More than half of the window is there.
  expect(await fill(15, 10)).toEqual([])
  // The store was quick.
  expect(await fill(16, 5_000)).toEqual(['32 MiB', '32 MiB'])
  coming(40)
  // Both were slow.
  expect(await fill(32, 10)).toEqual(Array.from({ length: 8 }, () => '8 MiB'))
})

test('consumers that read at the same time share what may be read ahead, but each has 8 MiB', () => {
  const ahead = new ReadAhead(aStore().segments, clock, { readAheadMaxBytes: 32 * mib, readAheadRequestBytes: 7 * mib, ...merging })
  const read = (consumer: string): number => {
    for (let offset = 0; offset < 100; offset += 10)
      ahead.answered(consumer, { offset, nextOffset: offset + 10, sizeBytes: 0 }, { segments: segmentsOf(20, mib), atMs: 0, tail })
    return ahead.windowAt(consumer, 100) / mib
  }
  expect([read('a'), read('b'), read('c'), read('d'), read('e'), read('f')]).toEqual([32, 16, 32 / 3, 8, 8, 8])
})

test('what finds no memory is read after the answer, unless it has come meanwhile', async () => {
  const store = aStore()
  store.aheadBytes = 2 * mib
  const ahead = new ReadAhead(store.segments, clock, limits)
  ahead.plan(segmentsOf(5, mib), { answerBytes: 0, windowBytes: 8 * mib })
  ahead.begin()
  expect(store.asked).toEqual(['object 0: 56+1 MiB', 'object 1: 56+1 MiB'])
  await store.end()
  store.inMemory.add('object 0').add('object 1').add('object 3')
  ahead.resume()
  expect(store.asked.slice(2)).toEqual(['object 2: 56+1 MiB', 'object 4: 56+1 MiB'])
  ahead.resume()
  expect(store.asked).toHaveLength(4)
})

/** Segments of 3 MiB of one partition: one in each object, after those of the partitions before it. */
function besideOthers(partition: number, objects: number): readonly Segment[] {
  return segmentsOf(objects, 3 * mib).map((segment) => ({ ...segment, byteStart: partition * 3 * mib }))
}

const wide = { readAheadMaxBytes: 128 * mib, readAheadRequestBytes: 96 * mib, ...merging }

test('partitions that are read side by side are read ahead with one request for each object, also if only one of them is due', () => {
  const store = { ...aStore(), aheadBytes: 128 * mib }
  const ahead = new ReadAhead({ ...store.segments, aheadBytes: 128 * mib }, clock, wide)
  // The first consumer has used more than half of its window, the second less.
  store.inMemory.add('object 0')
  ahead.plan(besideOthers(0, 6), { answerBytes: 2 * mib, windowBytes: 10 * mib })
  ahead.plan(besideOthers(1, 6).slice(0, 5), { answerBytes: mib, windowBytes: 10 * mib })
  ahead.begin()
  expect(store.asked).toEqual(['object 1: 0+6 MiB', 'object 2: 0+6 MiB', 'object 3: 0+6 MiB'])
})

test('a run of an object that begins in a large window is read to its end', () => {
  const store = aStore()
  const ahead = new ReadAhead({ ...store.segments, aheadBytes: 128 * mib }, clock, wide)
  const inOneObject = (name: string, count: number): readonly Segment[] =>
    segmentsOf(count, 4 * mib).map((segment, index) => ({
      ...segment,
      objectKey: name as Segment['objectKey'],
      byteStart: index * 4 * mib,
    }))
  ahead.plan([...inOneObject('a', 4), ...inOneObject('b', 8), ...inOneObject('c', 8)], { answerBytes: mib, windowBytes: 32 * mib })
  ahead.begin()
  expect(store.asked).toEqual(['a: 0+16 MiB', 'b: 0+32 MiB'])
})

/** The first of two segments of 4 MiB that each partition has in one object. */
function firstOfTwo(partition: number): readonly Segment[] {
  return segmentsOf(1, 4 * mib).map((segment) => ({ ...segment, byteStart: partition * 8 * mib }))
}

test('what an answer needs of many partitions in one object is few requests, which bring what lies between', () => {
  const store = aStore()
  const ahead = new ReadAhead({ ...store.segments, aheadBytes: 128 * mib }, clock, wide)
  for (let partition = 0; partition < 12; partition += 1)
    ahead.plan(firstOfTwo(partition), { answerBytes: mib, neededBytes: mib, windowBytes: 0 })
  ahead.begin()
  expect(store.asked).toEqual(['object 0: 0+44 MiB', `object 0: ${48 * mib}+44 MiB`])
})

test('what an answer needs of one partition, or may not have, is left to its own reads', () => {
  const store = aStore()
  const ahead = new ReadAhead({ ...store.segments, aheadBytes: 128 * mib }, clock, wide)
  ahead.plan(firstOfTwo(0), { answerBytes: mib, neededBytes: mib, windowBytes: 0 })
  for (let partition = 1; partition < 12; partition += 1)
    ahead.plan(firstOfTwo(partition), { answerBytes: mib, neededBytes: 0, windowBytes: 0 })
  ahead.begin()
  expect(store.asked).toEqual([])
})

test('segments of one object that are far from each other are read by themselves', () => {
  const store = aStore()
  const ahead = new ReadAhead({ ...store.segments, aheadBytes: 128 * mib }, clock, wide)
  for (const partition of [0, 3, 4]) ahead.plan(firstOfTwo(partition), { answerBytes: 0, windowBytes: mib })
  ahead.begin()
  expect(store.asked).toEqual(['object 0: 0+4 MiB', `object 0: ${24 * mib}+12 MiB`])
})

test('a read ahead brings what consumers of other partitions read next in the same object', () => {
  const store = aStore()
  const ahead = new ReadAhead({ ...store.segments, aheadBytes: 128 * mib }, clock, wide)
  const beside = besideOthers(1, 3)
  ahead.answered('q', { offset: 0, nextOffset: 10, sizeBytes: mib }, { segments: beside, atMs: 0, tail })
  ahead.plan(besideOthers(0, 3).slice(1, 2), { answerBytes: 0, windowBytes: mib })
  ahead.begin()
  expect(store.asked).toEqual(['object 1: 0+6 MiB'])
})
