// What is reserved for an object of a known size: one piece of memory, of which each part is used once, and all of it given back.
import { expect, test } from 'vitest'
import { ObjectMemory } from './object-memory.ts'
import { SlabPool } from './slab-pool.ts'

const mib = 1024 * 1024

test('what is taken of reserved memory has one slab, and no two parts of it overlap', () => {
  const pool = new SlabPool({ maxFreeBytes: mib })
  const memory = new ObjectMemory()
  memory.reserve(pool, 30_000)
  const { usedBytes } = pool.gauge
  const parts = [10_000, 15_000, 5_000].map((sizeBytes, index) => memory.take(pool, sizeBytes).fill(index + 1))
  expect(pool.gauge.usedBytes).toBe(usedBytes)
  expect(parts.map((part) => new Set(part))).toEqual([new Set([1]), new Set([2]), new Set([3])])
  expect(parts.map(({ length }) => length)).toEqual([10_000, 15_000, 5_000])
  memory.release()
  expect(pool.gauge.usedBytes).toBe(0)
})

test('what no longer fits has a slab of its own', () => {
  const pool = new SlabPool({ maxFreeBytes: mib })
  const memory = new ObjectMemory()
  memory.reserve(pool, 8_000)
  const first = memory.take(pool, 8_000)
  const second = memory.take(pool, 8_000)
  expect(second.buffer).not.toBe(first.buffer)
  memory.release()
  expect(pool.gauge).toMatchObject({ usedBytes: 0 })
})

test('large memory goes back to the system with its release, and is not kept', () => {
  const pool = new SlabPool({ maxFreeBytes: 64 * mib })
  const memory = new ObjectMemory()
  memory.reserve(pool, 9 * mib)
  const part = memory.take(pool, 9 * mib)
  // Above the largest threshold below which the C library keeps freed memory.
  expect(part.buffer.byteLength).toBeGreaterThan(32 * mib)
  memory.release()
  expect(pool.gauge).toMatchObject({ usedBytes: 0, freeBytes: 0 })
  expect(part).toHaveLength(0)
})
