// How large merged objects may be on lines of different speeds, with the times of the store on a clock that the test moves.
import { beforeEach, expect, test } from 'vitest'
import { ObjectStoreError, type ObjectStoreErrorKind } from '../objects/object-store.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { MergeSize } from './merge-size.ts'

const maxBytes = 1_200
const leastBytes = 100

let clock: ManualClock
let size: MergeSize
/** Of the line, which is so fast. */
let bytesPerSecond: number
let fails: ObjectStoreErrorKind | undefined

beforeEach(() => {
  clock = new ManualClock()
  bytesPerSecond = 1e9
  fails = undefined
  size = new MergeSize({ objects: { put: onLine }, clock, maxBytes })
})

/** As a PUT has 10 s. */
async function onLine(_key: string, body: readonly Uint8Array[]): Promise<void> {
  const ms = (body.reduce((sum, chunk) => sum + chunk.length, 0) / bytesPerSecond) * 1_000
  await clock.advance(Math.min(ms, 10_000))
  const kind = fails ?? (ms > 10_000 ? 'timeout' : undefined)
  if (kind !== undefined) throw new ObjectStoreError(kind, 'unknown', 'it failed')
}

async function put(sizeBytes: number): Promise<'stored' | ObjectStoreErrorKind> {
  try {
    await size.put('key', [new Uint8Array(sizeBytes - 1), new Uint8Array(1)])
    return 'stored'
  } catch (error) {
    if (error instanceof ObjectStoreError) return error.kind
    throw error
  }
}

test('each time-out halves the size until the line takes an object, and then it stays', async () => {
  bytesPerSecond = 35
  const sizes: number[] = []
  for (let puts = 0; puts < 8; puts += 1) {
    sizes.push(size.objectBytes)
    await put(size.objectBytes)
  }
  expect(sizes).toEqual([1_200, 600, 300, 300, 300, 300, 300, 300])
})

test('the size is never below that of a full flush', async () => {
  bytesPerSecond = 1
  for (let puts = 0; puts < 8; puts += 1) expect(await put(size.objectBytes)).toBe('timeout')
  expect(size.objectBytes).toBe(leastBytes)
})

test('an object of less than the full size that timed out was too large as well', async () => {
  bytesPerSecond = 35
  expect(await put(700)).toBe('timeout')
  expect(size.objectBytes).toBe(350)
})

test('full objects that are stored quickly make the next ones larger, up to the maximum', async () => {
  bytesPerSecond = 1
  while (size.objectBytes > leastBytes) await put(size.objectBytes)
  bytesPerSecond = 1e9
  expect(await put(leastBytes / 2)).toBe('stored')
  expect(size.objectBytes, 'a small object shows nothing').toBe(leastBytes)
  const sizes: number[] = []
  for (let puts = 0; puts < 6; puts += 1) {
    await put(size.objectBytes)
    sizes.push(size.objectBytes)
  }
  expect(sizes).toEqual([200, 400, 800, 1_200, 1_200, 1_200])
})

test('a store that is away changes nothing: neither other errors nor time-outs of small objects', async () => {
  for (const kind of ['unavailable', 'throttled', 'aborted', 'denied'] as const) {
    fails = kind
    expect(await put(maxBytes)).toBe(kind)
  }
  fails = 'timeout'
  expect(await put(leastBytes)).toBe('timeout')
  expect(size.objectBytes).toBe(maxBytes)
})
