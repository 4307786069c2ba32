// The memory of batches: shared by the objects of its time, used again when all of them are done, never while one is not, and never after a flush that was given up.
import { expect, test } from 'vitest'
import { ObjectMemory } from '../memory/object-memory.ts'
import { SlabPool } from '../memory/slab-pool.ts'
import { BatchMemory } from './batch-memory.ts'

const kib = 1024

function aMemory() {
  const pool = new SlabPool({ maxFreeBytes: 1024 * kib, fillsReleased: true })
  return { pool, memory: new BatchMemory(pool, { batchSlabBytes: 16 * kib }) }
}

const aBatch = (sizeBytes: number, mark: number): Uint8Array => new Uint8Array(sizeBytes).fill(mark)

test('small batches share a slab, and a large one has its own', () => {
  const { pool, memory } = aMemory()
  const object = new ObjectMemory()
  const [small, next, large] = [
    memory.copy(aBatch(3 * kib, 1), object),
    memory.copy(aBatch(3 * kib, 2), object),
    memory.copy(aBatch(4 * kib, 3), object),
  ]
  expect([next.buffer === small.buffer, next.byteOffset, large.buffer === small.buffer]).toEqual([true, 3 * kib, false])
  expect(pool.gauge.usedBytes).toBe(20 * kib)
})

test('a slab that two objects share is used again when both are released, and not before', () => {
  const { pool, memory } = aMemory()
  const [first, second, third] = [new ObjectMemory(), new ObjectMemory(), new ObjectMemory()]
  const one = memory.copy(aBatch(3 * kib, 1), first)
  const other = memory.copy(aBatch(3 * kib, 2), second)
  for (let index = 0; index < 4; index += 1) memory.copy(aBatch(3 * kib, 3), third)
  second.release()
  expect([one[0], other[0], pool.gauge.freeBytes]).toEqual([1, 2, 0])
  first.release()
  // The third object holds its first batches, which went into the same slab.
  expect([one[0], pool.gauge.freeBytes]).toEqual([1, 0])
  third.release()
  expect([one[0], other[0], pool.gauge.freeBytes]).toEqual([0xdb, 0xdb, 16 * kib])
})

test('the slab that is being filled is not used again while batches are copied into it', () => {
  const { pool, memory } = aMemory()
  const first = new ObjectMemory()
  const one = memory.copy(aBatch(kib, 1), first)
  first.release()
  const other = memory.copy(aBatch(kib, 2), new ObjectMemory())
  expect([other.buffer === one.buffer, other.byteOffset, pool.gauge.freeBytes]).toEqual([true, kib, 0])
})

test('the memory of a flush that was given up is left to the collector', () => {
  const { pool, memory } = aMemory()
  const object = new ObjectMemory()
  const bytes = memory.copy(aBatch(8 * kib, 1), object)
  object.abandon()
  expect([bytes[0], pool.gauge.freeBytes, pool.gauge.usedBytes]).toEqual([1, 0, 0])
})
