// What answers keep from other use until they are sent.
import { expect, test } from 'vitest'
import { HeldMemory } from '../memory/held-memory.ts'
import { releasedByte, SlabPool } from '../memory/slab-pool.ts'
import type { FetchAnswer } from './reader.ts'
import { withoutSparseViews } from './sparse-answers.ts'

const watermarks = { nextOffset: 9, highWatermark: 9, lastStableOffset: 9, logStartOffset: 0 }
const failed: FetchAnswer = { kind: 'error', error: 'OFFSET_OUT_OF_RANGE' }

/** Two answers out of one slab of 64 KiB, with the first `sizeBytes` of it and the last. */
function anAnswer(sizeBytes: number) {
  const pool = new SlabPool({ maxFreeBytes: 1024 * 1024, fillsReleased: true })
  const slab = pool.take(64 * 1024)
  slab.bytes.fill(7)
  const held = new HeldMemory()
  held.add(() => slab.release())
  const views = [slab.bytes.subarray(0, sizeBytes), slab.bytes.subarray(slab.bytes.length - sizeBytes)]
  const answers = views.map((view): FetchAnswer => ({ kind: 'data', chunks: [view], sizeBytes, ...watermarks }))
  return { pool, held, answers: [...answers, failed], bytes: Buffer.alloc(sizeBytes, 7) }
}

const chunksOf = (answers: readonly FetchAnswer[]) => answers.flatMap((answer) => (answer.kind === 'data' ? [...answer.chunks] : []))

test('an answer that uses a quarter of its memory is sent as it is', () => {
  const { pool, held, answers } = anAnswer(8 * 1024)
  expect(withoutSparseViews(answers, held, 4)).toBe(answers)
  expect(pool.gauge.usedBytes).toBe(64 * 1024)
  held.release()
  expect(pool.gauge.usedBytes).toBe(0)
})

test('an answer that uses less is copied, and its memory is free at once', () => {
  const { pool, held, answers, bytes } = anAnswer(8 * 1024 - 1)
  const copied = withoutSparseViews(answers, held, 4)
  expect(pool.gauge.usedBytes).toBe(0)
  expect(chunksOf(answers).map(([byte]) => byte)).toEqual([releasedByte, releasedByte])
  expect(copied).toEqual(answers.map((answer) => (answer.kind === 'data' ? { ...answer, chunks: [bytes] } : answer)))
  held.release()
})

test('answers without records hold nothing', () => {
  const held = new HeldMemory()
  const empty: FetchAnswer = { kind: 'data', chunks: [], sizeBytes: 0, ...watermarks }
  const answers = [empty, failed]
  expect(withoutSparseViews(answers, held, 4)).toBe(answers)
})
