// The reads of one fetch: what is requested at once, and what stays in memory until the answer takes it.
import { expect, test } from 'vitest'
import type { Segment } from '../metadata/metadata-store.ts'
import { StoredRange } from '../objects/stored-range.ts'
import { Slots } from '../time/slots.ts'
import { PlannedReads } from './planned-reads.ts'
import type { TouchingSegments } from './touching-segments.ts'

const signal = new AbortController().signal

function aSegment(objectKey: string, sizeBytes = 100): Segment {
  return { objectKey, byteStart: 56, sizeBytes, baseOffset: 0, lastOffset: 9 } as unknown as Segment
}

/** Segments in memory, which a read of the store evicts unless they are held. */
function aMemory(present: readonly string[]): {
  readonly held: Map<string, number>
  readonly asked: string[]
  readonly segments: ConstructorParameters<typeof PlannedReads>[0]['segments']
} {
  const inMemory = new Set(present)
  const held = new Map<string, number>()
  const asked: string[] = []
  const hold = (key: string): StoredRange => {
    held.set(key, (held.get(key) ?? 0) + 1)
    return new StoredRange({ pieces: [new Uint8Array(100)], release: () => void held.set(key, (held.get(key) ?? 0) - 1) })
  }
  const read = async (key: string): Promise<StoredRange> => {
    asked.push(key)
    for (const other of inMemory) if ((held.get(other) ?? 0) === 0) inMemory.delete(other)
    return hold(key)
  }
  return {
    held,
    asked,
    segments: {
      isInMemory: ({ objectKey }) => inMemory.has(objectKey),
      kept: ({ objectKey }) => (inMemory.has(objectKey) ? hold(objectKey) : undefined),
      fetch: ({ objectKey }) => read(objectKey),
      fetchTogether: ({ objectKey }: TouchingSegments) => read(objectKey),
    },
  }
}

const heldNow = (held: ReadonlyMap<string, number>): readonly string[] => [...held].flatMap(([key, count]) => (count > 0 ? [key] : []))

test('what is in memory when other segments are read stays there until the answer takes it', async () => {
  const { held, asked, segments } = aMemory(['a', 'c'])
  const reads = new PlannedReads({ segments, slots: new Slots(8) }, { maxBytes: 1_000, signal })
  reads.plan(
    ['a', 'b', 'c'].map((key) => aSegment(key)),
    1_000,
  )
  reads.begin()
  const read = await reads.take(aSegment('b'))
  expect(asked).toEqual(['b'])
  expect(reads.takeKept(aSegment('b'))).toBeUndefined()
  const kept = reads.takeKept(aSegment('c'))
  expect(kept).toBeDefined()
  expect(reads.takeKept(aSegment('c'))).toBeUndefined()
  expect(heldNow(held)).toEqual(['a', 'c', 'b'])
  kept?.release()
  read?.release()
  reads.end()
  expect(heldNow(held)).toEqual([])
})

test('without a read nothing is held, because nothing is evicted before the answer takes it', () => {
  const { held, segments } = aMemory(['a'])
  const reads = new PlannedReads({ segments, slots: new Slots(8) }, { maxBytes: 1_000, signal })
  reads.plan([aSegment('a')], 1_000)
  reads.begin()
  expect(reads.takeKept(aSegment('a'))).toBeUndefined()
  expect(heldNow(held)).toEqual([])
  reads.end()
})

test('the segments of a further look-up are read side by side', async () => {
  const { asked, segments } = aMemory([])
  const reads = new PlannedReads({ segments, slots: new Slots(8) }, { maxBytes: 1_000, signal })
  reads.planMore(
    ['a', 'b', 'c'].map((key) => aSegment(key)),
    250,
  )
  await Promise.resolve()
  expect(asked).toEqual(['a', 'b', 'c'])
  reads.end()
})
