// The budget of frames: at most one frame exceeds it, it never deadlocks, and no frame waits indefinitely.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fixedLimits } from '../limits.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { type Claim, Permits } from './permits.ts'

const aPool = (clock = new ManualClock()) => new Permits({ capacityBytes: 100, clock })
/** For frames that must not give way. */
const stays = (): never => expect.unreachable()

test('a release gives the bytes back, once', () => {
  const permits = aPool()
  const claim = permits.claim(stays)
  expect(claim.reserve(60, () => {})).toBe(true)
  claim.complete()
  expect(permits.usedBytes).toBe(60)
  claim.release()
  claim.release()
  expect(permits.usedBytes).toBe(0)
})

test('a new frame that would fit does not overtake one that waits', () => {
  const permits = aPool()
  const holder = permits.claim(stays)
  holder.reserve(90, () => {})
  holder.complete()
  const granted: string[] = []
  const large = permits.claim(stays)
  expect(large.reserve(50, () => granted.push('large'))).toBe(false)
  const small = permits.claim(stays)
  expect(small.reserve(5, () => granted.push('small'))).toBe(false)
  holder.release()
  expect(granted).toEqual(['large', 'small'])
})

test('a waiting frame that is released does not block others', () => {
  const permits = aPool()
  const holder = permits.claim(stays)
  holder.reserve(90, () => {})
  holder.complete()
  const gone = permits.claim(stays)
  gone.reserve(50, () => expect.unreachable())
  gone.release()
  expect(permits.claim(stays).reserve(5, () => {})).toBe(true)
})

interface Frame {
  readonly claim: Claim
  readonly sizeBytes: number
}

/** Reserves step by step until the frame is complete, like a connection. */
function fill({ claim, sizeBytes }: Frame, stepBytes: number): void {
  while (claim.heldBytes < sizeBytes && !claim.waits)
    if (!claim.reserve(Math.min(stepBytes, sizeBytes - claim.heldBytes), () => fill({ claim, sizeBytes }, stepBytes))) return
  if (claim.heldBytes === sizeBytes) claim.complete()
}

test('whatever the frames, each one completes, and at most one exceeds the budget', () => {
  const largestBytes = 80
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: largestBytes }), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 40 }),
      (sizes, stepBytes) => {
        const permits = aPool()
        const frames = sizes.map((sizeBytes) => ({ claim: permits.claim(stays), sizeBytes }))
        // All frames begin, so that each holds a part before any goes on.
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

test('H4: stalled frames hold only their part of the budget, and a complete frame is served from the rest at once', () => {
  const permits = new Permits({ capacityBytes: 100, incompletePart: 0.5, clock: new ManualClock() })
  const whole = permits.claim(stays)
  whole.reserve(10, () => {}, 'whole')
  whole.complete()
  for (let count = 0; count < 5; count += 1) expect(permits.claim(stays).reserve(10, () => {})).toBe(true)
  expect(permits.claim(stays).reserve(10, () => {})).toBe(false)
  expect(permits.claim(stays).reserve(40, () => {}, 'whole')).toBe(true)
})

test('H4: when a frame waits, the oldest frames that arrive too slowly give way, and only as many as needed', async () => {
  const clock = new ManualClock()
  const permits = aPool(clock)
  const gone: string[] = []
  const aFrame = (name: string): Claim => {
    const claim = permits.claim(() => {
      gone.push(name)
      claim.release()
    })
    return claim
  }
  const whole = aFrame('whole')
  whole.reserve(20, () => {})
  whole.complete()
  aFrame('first').reserve(40, () => {})
  await clock.advance(1)
  aFrame('second').reserve(40, () => {})
  await clock.advance(10 * fixedLimits.frameGraceMs)
  expect(gone).toEqual([])
  const granted: string[] = []
  expect(permits.claim(stays).reserve(30, () => granted.push('newcomer'))).toBe(false)
  expect(gone).toEqual(['first'])
  expect(granted).toEqual(['newcomer'])
  await clock.advance(10 * fixedLimits.frameGraceMs)
  expect(gone).toEqual(['first'])
})

test('H4: a frame has a period of grace, which starts again after a wait for the budget', async () => {
  const clock = new ManualClock()
  const permits = aPool(clock)
  const gone: string[] = []
  const slow = permits.claim(() => {
    gone.push('slow')
    slow.release()
  })
  slow.reserve(60, () => {})
  const whole = permits.claim(stays)
  whole.reserve(40, () => {})
  whole.complete()
  const waiting = permits.claim(() => gone.push('waiting'))
  waiting.reserve(30, () => {})
  await clock.advance(fixedLimits.frameGraceMs - 1)
  expect(gone).toEqual([])
  await clock.advance(2)
  expect(gone).toEqual(['slow'])
  permits.claim(stays).reserve(60, () => {})
  await clock.advance(fixedLimits.frameGraceMs - 1)
  expect(gone).toEqual(['slow'])
  await clock.advance(2)
  expect(gone).toEqual(['slow', 'waiting'])
})
