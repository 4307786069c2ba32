// Slabs: used again after the last release and not before, never kept beyond the maximum, and a wrong release is an error.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AssertionError } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import { largestSlabBytes, releasedByte, SlabPool, slabSize } from './slab-pool.ts'

const kib = 1024
const aPool = (maxFreeBytes = 1024 * kib): SlabPool => new SlabPool({ maxFreeBytes, fillsReleased: true })

test('a released slab is taken again by a request that it fits', () => {
  const pool = aPool()
  const first = pool.take(60 * kib)
  expect([first.bytes.length, pool.gauge.usedBytes, pool.gauge.freeBytes]).toEqual([64 * kib, 64 * kib, 0])
  first.release()
  expect([pool.gauge.usedBytes, pool.gauge.freeBytes]).toEqual([0, 64 * kib])
  expect(pool.take(32 * kib).bytes.buffer).not.toBe(first.bytes.buffer)
  expect(pool.take(64 * kib).bytes.buffer).toBe(first.bytes.buffer)
  expect([pool.gauge.usedBytes, pool.gauge.freeBytes]).toEqual([96 * kib, 0])
})

test.each([
  [0, 4 * kib],
  [1, 4 * kib],
  [4 * kib, 4 * kib],
  [4 * kib + 1, 5 * kib],
  [5 * kib, 5 * kib],
  [7 * kib + 1, 8 * kib],
  [8 * kib + 1, 10 * kib],
  [530_000, 640 * kib],
  [2 ** 20, 2 ** 20],
  [2 ** 20 + 1, 1.25 * 2 ** 20],
  [largestSlabBytes, largestSlabBytes],
  [largestSlabBytes + 1, largestSlabBytes + 1],
])('a request for %d bytes gets a slab of %d', (sizeBytes, slabBytes) => {
  expect(aPool().take(sizeBytes).bytes).toHaveLength(slabBytes)
})

test('a slab is free after the last of its references, and is then overwritten with the pattern', () => {
  const pool = aPool()
  const slab = pool.take(4 * kib)
  slab.bytes.fill(7)
  slab.retain()
  slab.release()
  expect([slab.bytes[0], pool.gauge.freeBytes]).toEqual([7, 0])
  slab.release()
  expect(slab.bytes.every((byte) => byte === releasedByte)).toBe(true)
  expect(pool.gauge.freeBytes).toBe(4 * kib)
})

test('a hold on chunks keeps each of their slabs once, and ignores other memory', () => {
  const pool = aPool()
  const [one, other] = [pool.take(4 * kib), pool.take(4 * kib)]
  const release = pool.hold([
    one.bytes.subarray(0, 10),
    one.bytes.subarray(10, 20),
    Uint8Array.of(1, 2, 3),
    other.bytes.subarray(5),
    one.bytes.subarray(20),
  ])
  one.release()
  other.release()
  expect(pool.gauge.freeBytes).toBe(0)
  release()
  expect([pool.gauge.freeBytes, pool.gauge.usedBytes]).toEqual([8 * kib, 0])
  pool.hold([new Uint8Array(5)])()
})

test('slabs beyond the maximum, and those of unusual size, are not kept', () => {
  const pool = aPool(8 * kib)
  const slabs = [pool.take(4 * kib), pool.take(4 * kib), pool.take(4 * kib), pool.take(largestSlabBytes + 1)]
  for (const slab of slabs) slab.release()
  expect(pool.gauge).toEqual({ usedBytes: 0, freeBytes: 8 * kib, maxFreeBytes: 8 * kib })
})

test('no slab is more than a quarter larger than what was requested', () => {
  const sizes = fc.integer({ min: 4 * kib, max: largestSlabBytes })
  fc.assert(
    fc.property(sizes, (sizeBytes) => {
      const slabBytes = slabSize(sizeBytes)
      expect(slabBytes).toBeGreaterThanOrEqual(sizeBytes)
      expect(slabBytes).toBeLessThanOrEqual(sizeBytes * 1.25)
      expect(slabSize(slabBytes)).toBe(slabBytes)
    }),
  )
})

test('a slab that is not kept has its memory taken away at once, and the sizes whose last use is the longest ago go first', () => {
  const pool = aPool(24 * kib)
  const [small, medium, large] = [pool.take(4 * kib), pool.take(8 * kib), pool.take(16 * kib)]
  medium.release()
  small.release()
  pool.take(8 * kib).release()
  large.release()
  expect([small.bytes.length, medium.bytes.length, large.bytes.length]).toEqual([0, 8 * kib, 16 * kib])
  expect(pool.gauge.freeBytes).toBe(24 * kib)
})

test('trimming gives back what was free all the time, beyond a reserve', () => {
  const reserve = fixedLimits.slabReserveBytes
  const pool = new SlabPool({ maxFreeBytes: 4 * reserve })
  const slabs = [pool.take(reserve), pool.take(reserve), pool.take(reserve)]
  for (const slab of slabs) slab.release()
  pool.trim()
  expect(pool.gauge.freeBytes).toBe(3 * reserve)
  pool.take(reserve).release()
  pool.trim() // one of the three was used
  expect(pool.gauge.freeBytes).toBe(2 * reserve)
  pool.trim()
  pool.trim()
  expect(pool.gauge.freeBytes).toBe(reserve)
})

test('an abandoned slab is neither overwritten nor used again', () => {
  const pool = aPool()
  const slab = pool.take(4 * kib)
  slab.bytes.fill(7)
  pool.slabOf(slab.bytes.subarray(8))?.abandon()
  slab.release()
  expect([slab.bytes[0], pool.gauge.freeBytes, pool.gauge.usedBytes]).toEqual([7, 0, 0])
})

test('a reference that is released twice, and one that is added too late, are errors, and the next user of the memory is not harmed', () => {
  const pool = aPool()
  const slab = pool.take(4 * kib)
  slab.release()
  const next = pool.take(4 * kib)
  expect(next.bytes.buffer).toBe(slab.bytes.buffer)
  expect(() => slab.release()).toThrow(AssertionError)
  expect(() => slab.retain()).toThrow(AssertionError)
  const released = pool.take(8 * kib)
  released.release()
  expect(() => pool.hold([released.bytes.subarray(1, 2)])).toThrow(AssertionError)
  expect([pool.gauge.usedBytes, pool.gauge.freeBytes]).toEqual([4 * kib, 8 * kib])
  next.release()
})

test('whatever is taken, held and released in any order, no two users share memory, and in the end all of it is back', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ sizeBytes: fc.integer({ min: 1, max: 20 * kib }), at: fc.nat(9) }), { maxLength: 60 }), (steps) => {
      const pool = new SlabPool({ maxFreeBytes: 64 * kib, fillsReleased: true })
      const held: { readonly bytes: Uint8Array; readonly mark: number; readonly release: () => void }[] = []
      for (const [mark, { sizeBytes, at }] of steps.entries()) {
        const slab = pool.take(sizeBytes)
        const bytes = slab.bytes.subarray(0, sizeBytes).fill(mark)
        const release = pool.hold([bytes])
        slab.release()
        held.push({ bytes, mark, release })
        if (at < held.length) {
          const [one] = held.splice(at, 1)
          one?.release()
        }
        for (const one of held) expect(one.bytes.every((byte) => byte === one.mark)).toBe(true)
      }
      for (const { release } of held) release()
      expect(pool.gauge.usedBytes).toBe(0)
      expect(pool.gauge.freeBytes).toBeLessThanOrEqual(64 * kib)
    }),
  )
})
