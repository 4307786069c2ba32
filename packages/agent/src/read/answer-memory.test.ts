// The memory that fetch answers share.
import { expect, test } from 'vitest'
import { type AnswerClaim, AnswerMemory } from './answer-memory.ts'

test('answers share the memory, and released memory is free for other answers', () => {
  const memory = new AnswerMemory(100)
  const [first, second] = [memory.claim(), memory.claim()]
  expect(first.reserve(80)).toBe(true)
  expect(second.reserve(30)).toBe(false)
  expect([second.rejected, memory.usedBytes]).toEqual([true, 80])
  first.giveBack(60)
  expect(second.reserve(30)).toBe(true)
  expect(memory.usedBytes).toBe(50)
  second.release()
  second.release()
  expect([second.rejected, memory.usedBytes]).toEqual([false, 20])
})

test('a lone answer may hold more than all memory, and then none is left for the others', () => {
  const memory = new AnswerMemory(100)
  const [large, other] = [memory.claim(), memory.claim()]
  expect(large.reserve(500)).toBe(true)
  expect(large.reserve(1)).toBe(false)
  expect(other.reserve(1)).toBe(false)
  large.release()
  expect(other.reserve(1)).toBe(true)
})

test('H2: an answer grows to its share, and in the end holds what it needs, even if that is more', () => {
  const memory = new AnswerMemory(100)
  const starved: string[] = []
  memory.onStarved(() => starved.push('starved'))
  const [first, second, third] = [memory.claim(), memory.claim(), memory.claim()]
  expect(first.grow(80)).toBe(25)
  expect(first.settle(60)).toBe(true)
  expect(second.grow(80)).toBe(10)
  expect(second.settle(5)).toBe(true)
  expect(memory.usedBytes).toBe(65)
  expect(third.settle(36)).toBe(false)
  expect([memory.usedBytes, starved.length]).toEqual([65, 1])
  first.release()
  expect(third.settle(36)).toBe(true)
  expect(memory.usedBytes).toBe(41)
})

test('a watch is called when an answer releases memory, until the watch ends', () => {
  const memory = new AnswerMemory(100)
  const [first, second] = [memory.claim(), memory.claim()]
  let reports = 0
  const unwatch = second.watch(() => (reports += 1))
  first.reserve(10)
  first.giveBack(5)
  expect(reports).toBe(1)
  unwatch()
  first.release()
  expect(reports).toBe(1)
})

test('clients that do not read their answers leave less to each next one, but never nothing', () => {
  const memory = new AnswerMemory(1_000_000)
  const held = Array.from({ length: 10 }, () => {
    const before = memory.usedBytes
    fill(memory.claim())
    return memory.usedBytes - before
  })
  expect(held).toEqual(held.toSorted((a, b) => b - a))
  expect(held[0]).toBeCloseTo(200_000, -4)
  expect(1_000_000 - memory.usedBytes).toBeGreaterThan(100_000)
})

test('only the free memory bounds the first piece of an answer', () => {
  const memory = new AnswerMemory(100)
  memory.claim().reserve(60)
  const second = memory.claim()
  expect(second.reserve(30)).toBe(true)
  expect(second.reserve(1)).toBe(false)
})

/** An answer that grows until its claim is rejected. */
function fill(claim: AnswerClaim): void {
  while (claim.reserve(1_000));
}
