// How often one answer asks the database.
import { crc32c } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import type { Incarnation, TopicId } from '../core/ids.ts'
import { defaultLimits } from '../limits.ts'
import type { FindSegments, PartitionState, Segment } from '../metadata/metadata-store.ts'
import { systemClock } from '../time/system-clock.ts'
import { Turns } from '../time/turns.ts'
import { Tails } from '../view/tails.ts'
import { type FetchAnswer, Reader, type ReaderParts } from './reader.ts'

const topicId = 'topic' as TopicId
const me: Incarnation = { id: 1, nonce: 'nonce' }
const batchBytes = 100

/** Of ten batches with one record each. */
const segmentsOfLog = Array.from({ length: 20 }, (_, index) => ({
  objectKey: `object ${index}`,
  byteStart: 56,
  sizeBytes: 10 * batchBytes,
  baseOffset: 10 * index,
  lastOffset: 10 * index + 9,
  maxTimestamp: 1,
})) as unknown as readonly Segment[]

/** A log whose segments are all in memory, but whose rows only the database has; a look-up returns at most `segmentsPerFind`. */
function aReader(segmentsPerFind: number): { readonly reader: Reader; readonly finds: FindSegments[] } {
  const finds: FindSegments[] = []
  const watermarks = { logStartOffset: 0, highWatermark: 200, lastStableOffset: 200 }
  const state = (partition: number): PartitionState => {
    return { topicId, partition, logId: 1, lastAbortOffset: -1, maxTimestamp: 1, owner: me.id, epoch: 0, ...watermarks }
  }
  const segments: Partial<ReaderParts['segments']> = {
    aheadBytes: 0,
    isInMemory: () => true,
    isComing: () => true,
    takeInMemory: ({ lastOffset }, { fromOffset, maxBytes }) => {
      const batches = Math.min(lastOffset + 1 - fromOffset, Math.floor(maxBytes / batchBytes))
      const sizeBytes = batches * batchBytes
      return { chunks: [new Uint8Array(sizeBytes)], sizeBytes, nextOffset: fromOffset + batches, release: () => {} }
    },
  }
  const tails = new Tails(async (asked) => asked.map(({ partition }) => state(partition)), defaultLimits)
  const reader = new Reader({
    log: {
      partitions: async (asked) => asked.map(({ partition }) => state(partition)),
      find: async (asks) => {
        finds.push(...asks)
        return asks.map(({ offset, maxSegments }) => {
          const found = segmentsOfLog.filter(({ lastOffset }) => lastOffset >= offset).slice(0, maxSegments)
          return { kind: 'found', segments: found, ...watermarks }
        })
      },
    },
    segments: segments as ReaderParts['segments'],
    tails,
    follower: { loaded: (asked) => tails.loaded(asked) },
    clock: systemClock,
    turns: new Turns(systemClock),
    crc32c,
    limits: { ...defaultLimits, segmentsPerFind },
  })
  return { reader, finds }
}

async function nextOffsetOf(reader: Reader, maxBytes: number): Promise<number> {
  const [answer] = await reader.fetch([{ topicId, partition: 0, offset: 0, maxBytes }], {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 100_000,
    readCommitted: false,
    signal: new AbortController().signal,
  })
  return (answer as Extract<FetchAnswer, { readonly kind: 'data' }>).nextOffset
}

test('an answer that has no room for the next batch makes no further look-up', async () => {
  const { reader, finds } = aReader(64)
  expect(await nextOffsetOf(reader, 2_550)).toBe(25)
  expect(finds.map(({ offset }) => offset)).toEqual([0])
})

test('an answer with room for more than one look-up finds makes another one', async () => {
  const { reader, finds } = aReader(2)
  expect(await nextOffsetOf(reader, 3_550)).toBe(35)
  expect(finds.map(({ offset }) => offset)).toEqual([0, 20])
})
