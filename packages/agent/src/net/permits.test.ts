// The budget of frames: never passed by more than one frame, never stuck, and nobody is passed for ever.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Claim, Permits } from './permits.ts'

test('what is released is there again, once', () => {
  const permits = new Permits(100)
  const claim = permits.claim()
  expect(claim.reserve(60, () => {})).toBe(true)
  claim.complete()
  expect(permits.usedBytes).toBe(60)
  claim.release()
  claim.release()
  expect(permits.usedBytes).toBe(0)
})

test('a newcomer that would fit does not pass one that waits', () => {
  const permits = new Permits(100)
  const holder = permits.claim()
  holder.reserve(90, () => {})
  holder.complete()
  const granted: string[] = []
  const large = permits.claim()
  expect(large.reserve(50, () => granted.push('large'))).toBe(false)
  const small = permits.claim()
  expect(small.reserve(5, () => granted.push('small'))).toBe(false)
  holder.release()
  expect(granted).toEqual(['large', 'small'])
})

test('one that waits and is gone holds nobody up', () => {
  const permits = new Permits(100)
  const holder = permits.claim()
  holder.reserve(90, () => {})
  holder.complete()
  const gone = permits.claim()
  gone.reserve(50, () => expect.unreachable())
  gone.release()
  expect(permits.claim().reserve(5, () => {})).toBe(true)
})

interface Frame {
  readonly claim: Claim
  readonly sizeBytes: number
}

/** Reserves step by step until the frame is whole, as a connection does. */
function fill({ claim, sizeBytes }: Frame, stepBytes: number): void {
  while (claim.heldBytes < sizeBytes && !claim.waits)
    if (!claim.reserve(Math.min(stepBytes, sizeBytes - claim.heldBytes), () => fill({ claim, sizeBytes }, stepBytes))) return
  if (claim.heldBytes === sizeBytes) claim.complete()
}

test('whatever the frames, each becomes whole in the end, and the budget is passed by one frame at most', () => {
  const largestBytes = 80
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: largestBytes }), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 40 }),
      (sizes, stepBytes) => {
        const permits = new Permits(100)
        const frames = sizes.map((sizeBytes) => ({ claim: permits.claim(), sizeBytes }))
        // All begin, so that each holds a part before any goes on.
        for (const { claim } of frames) claim.reserve(1, () => {})
        for (const frame of frames) fill(frame, stepBytes)
        const left = new Set(frames)
        while (left.size > 0) {
          expect(permits.usedBytes).toBeLessThanOrEqual(100 + largestBytes)
          const whole = [...left].find(({ claim }) => claim.whole)
          expect(whole).toBeDefined()
          if (whole === undefined) return
          whole.claim.release()
          left.delete(whole)
          for (const frame of left) if (!frame.claim.whole) fill(frame, stepBytes)
        }
        expect(permits.usedBytes).toBe(0)
      },
    ),
  )
})
