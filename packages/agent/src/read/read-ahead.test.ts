// Who is read ahead of, and how far.
import { expect, test } from 'vitest'
import type { Segment } from '../metadata/metadata-store.ts'
import { StoredRange } from '../objects/stored-range.ts'
import { ReadAhead } from './read-ahead.ts'

const mib = 1024 * 1024

/** A store whose reads end when the test says so. `inMemory`: the keys of objects that are in memory or being read. */
function aStore(): {
  readonly asked: string[]
  readonly inMemory: Set<string>
  readonly end: (outcome?: 'fails') => Promise<void>
  readonly segments: ConstructorParameters<typeof ReadAhead>[0]
} {
  const asked: string[] = []
  const inMemory = new Set<string>()
  const ends: ((outcome?: 'fails') => void)[] = []
  return {
    asked,
    inMemory,
    async end(outcome) {
      for (const end of ends.splice(0)) end(outcome)
      await new Promise(setImmediate)
    },
    segments: {
      isComing: ({ objectKey }) => inMemory.has(objectKey),
      fetch: ({ objectKey }) => {
        asked.push(objectKey)
        return new Promise((resolve, reject) =>
          ends.push((outcome) =>
            outcome === 'fails' ? reject(new Error('away')) : resolve(new StoredRange({ pieces: [], release: () => {} })),
          ),
        )
      },
    },
  }
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

test('the window opens for a consumer that reads on, doubles up to 8 MiB, and closes when it seeks', () => {
  const ahead = new ReadAhead(aStore().segments)
  const windows: number[] = []
  for (let offset = 0; offset < 80; offset += 10) {
    windows.push(ahead.windowAt('p', offset) / mib)
    ahead.answered('p', offset, offset + 10)
  }
  expect(windows).toEqual([0, 0, 0.5, 1, 2, 4, 8, 8])
  expect(ahead.windowAt('p', 500)).toBe(0)
  ahead.answered('p', 500, 510)
  expect(ahead.windowAt('p', 510)).toBe(0)
})

test('each consumer of a partition has a position of its own, and each partition', () => {
  const ahead = new ReadAhead(aStore().segments)
  for (let round = 0; round < 3; round += 1) {
    ahead.answered('p', round * 10, round * 10 + 10)
    ahead.answered('p', 1000 + round * 10, 1010 + round * 10)
    ahead.answered('q', round, round + 1)
  }
  expect([ahead.windowAt('p', 30), ahead.windowAt('p', 1030), ahead.windowAt('q', 3), ahead.windowAt('q', 30)]).toEqual([mib, mib, mib, 0])
})

test('looks that are repeated before the answer count once', () => {
  const ahead = new ReadAhead(aStore().segments)
  for (let look = 0; look < 5; look += 1) ahead.answered('p', 0, 10)
  for (let look = 0; look < 5; look += 1) ahead.answered('p', 10, 20)
  expect(ahead.windowAt('p', 20)).toBe(mib / 2)
})

test('what follows the answer is read as far as the window reaches, and nothing twice', async () => {
  const store = aStore()
  const ahead = new ReadAhead(store.segments)
  const found = segmentsOf(12, mib)
  store.inMemory.add('object 3')
  ahead.begin(found, 2 * mib, 4 * mib)
  expect(store.asked).toEqual(['object 2', 'object 4', 'object 5'])
  ahead.begin(found, 2 * mib, 4 * mib)
  expect(store.asked).toHaveLength(3)
  await store.end('fails')
  ahead.begin(found, 2.5 * mib, 0)
  expect(store.asked, 'without a window nothing is read').toHaveLength(3)
  ahead.begin(found, 3 * mib, 2 * mib)
  expect(store.asked.slice(3), 'a read that failed is tried again').toEqual(['object 4'])
})

test('no more than 16 MiB wait, and 16 reads are in progress', async () => {
  const store = aStore()
  const ahead = new ReadAhead(store.segments)
  ahead.begin(segmentsOf(100, mib / 4), 0, 100 * mib)
  expect(store.asked).toHaveLength(16)
  for (let round = 0; round < 10; round += 1) await store.end()
  expect(store.asked).toHaveLength(64)
})
