// The cache that chain and reader share: one request for concurrent readers, two budgets, and a tail that no lagging reader can evict.
import { expect, test } from 'vitest'
import { releasedByte } from '../../memory/slab-pool.ts'
import { aPool } from '../../memory/testing/a-pool.ts'
import { bytes, failure, patterned, text } from '../object-store.contract.ts'
import { abortedError, ObjectStoreError } from '../object-store.ts'
import type { StoredRange } from '../stored-range.ts'
import { type Hook, HookedObjects, silence } from '../testing/hooked-objects.ts'
import { CachedObjects } from './cached.ts'

const blockBytes = 100

/** A cache over a store that holds `old` objects of 1,000 bytes which this process has not written. */
async function cached({
  maxBytes = 100_000,
  old = 1,
  before,
}: {
  readonly maxBytes?: number
  readonly old?: number
  readonly before?: Hook
} = {}): Promise<{ readonly inner: HookedObjects; readonly store: CachedObjects }> {
  const inner = new HookedObjects(before === undefined ? {} : { before })
  for (let index = 0; index < old; index += 1) await inner.bucket.put(`old/${index}`, [patterned(1_000, index)])
  return { inner, store: new CachedObjects(inner, { maxBytes, blockBytes }) }
}

function reads(inner: HookedObjects): readonly string[] {
  return inner.requests
    .filter(({ operation }) => operation === 'read')
    .map(({ keys, range }) => `${keys[0]} ${range?.start}+${range?.length}`)
}

/** The smallest piece of memory: a block counts as the piece that it is in. */
const leastSlabBytes = 4_096

test('a written object is read without a request, and held without a copy', async () => {
  const { inner, store } = await cached()
  const chunk = patterned(500)
  await store.put('k', [bytes('head'), chunk])
  const held = await store.hold('k', { start: 14, length: 20 })
  expect(held.pieces).toEqual([chunk.subarray(10, 30)])
  expect(held.pieces[0]?.buffer).toBe(chunk.buffer)
  held.release()
  const got = await store.read('k', { start: 2, length: 3 })
  expect(text(got.subarray(0, 2))).toBe('ad')
  got.fill(0)
  expect(text((await store.read('k')).subarray(0, 4))).toBe('head')
  expect(reads(inner)).toEqual([])
  expect(store.meters).toEqual({ bytes: 504, hits: 3, misses: 0 })
})

test('the memory of a written object is used again after its eviction and its last reader', async () => {
  const memory = aPool()
  const store = new CachedObjects(new HookedObjects({}), { maxBytes: 2 * 16_384, memory })
  const slabs = Array.from({ length: 4 }, () => memory.take(16_384))
  const held: StoredRange[] = []
  for (const [index, slab] of slabs.entries()) {
    slab.bytes.fill(index)
    await store.put(`k${index}`, [slab.bytes])
    slab.release()
    if (index === 1) held.push(await store.hold('k1', { start: 0, length: 10 }))
  }
  const firstBytes = (): readonly (number | undefined)[] => slabs.map(({ bytes: [byte] }) => byte)
  // The budget keeps the last one.
  expect(firstBytes()).toEqual([releasedByte, 1, releasedByte, 3])
  held[0]?.release()
  expect(firstBytes()).toEqual([releasedByte, releasedByte, releasedByte, 3])
  await store.close()
  expect(memory.gauge.usedBytes).toBe(0)
})

test.each([100_000, 0])(
  'the memory of blocks is used again after their eviction and their last reader, with a budget of %d',
  async (maxBytes) => {
    const inner = new HookedObjects({})
    await inner.bucket.put('old', [patterned(40_000)])
    const memory = aPool()
    const store = new CachedObjects(inner, { maxBytes, blockBytes: 10_000, memory })
    const ranges = [5, 9_990, 9_990, 25_000].map((start) => ({ start, length: 12_000 }))
    const held = await Promise.all(ranges.map((range) => store.hold('old', range)))
    store.forget('old')
    for (const [index, { pieces, release }] of held.map((one) => ({ pieces: one.pieces, release: () => one.release() })).entries()) {
      const { start } = ranges[index] ?? { start: 0 }
      expect(Buffer.compare(Buffer.concat(pieces), patterned(40_000).subarray(start, start + 12_000))).toBe(0)
      release()
    }
    expect(memory.gauge.usedBytes).toBe(0)
    expect(held[0]?.pieces[0]?.[0]).toBe(releasedByte)
  },
)

test('reads that fail or that their readers give up leave no memory behind', async () => {
  const held = Promise.withResolvers<void>()
  const inner = new HookedObjects({ before: ({ keys }) => (keys[0] === 'slow' ? held.promise : undefined) })
  await inner.bucket.put('slow', [patterned(1_000)])
  const memory = aPool()
  const store = new CachedObjects(inner, { maxBytes: 100_000, blockBytes, memory })
  const gone = new AbortController()
  const [slow, missing] = [
    failure(store.hold('slow', { start: 0, length: 10 }, gone.signal)),
    failure(store.hold('missing', { start: 0, length: 10 })),
  ]
  gone.abort()
  expect([await slow, await missing]).toMatchObject([{ kind: 'aborted' }, { kind: 'missing' }])
  held.resolve()
  await expect.poll(() => memory.gauge.usedBytes).toBe(0)
})

test('what was verified of a range is known as long as its bytes are in memory', async () => {
  const { store } = await cached()
  await store.put('new', [patterned(500)])
  for (const key of ['new', 'old/0']) {
    const range = { start: 50, length: 300 }
    await store.read(key, { start: 0, length: 100 })
    const first = await store.hold(key, range)
    expect(first.isVerified('a rule')).toBe(false)
    first.verify('a rule')
    first.release()
    const again = await store.hold(key, range)
    expect([again.isVerified('a rule'), again.isVerified('another')]).toEqual([true, false])
    again.release()
    const other = await store.hold(key, { start: 50, length: 200 })
    expect(other.isVerified('a rule')).toBe(false)
    other.release()
    if (key === 'new') continue
    store.forget(key)
    await store.read(key, { start: 0, length: 100 })
    const later = await store.hold(key, range)
    expect(later.isVerified('a rule')).toBe(false)
    later.release()
  }
})

test('a failed put leaves nothing in the cache', async () => {
  const { store } = await cached({
    before({ operation }) {
      if (operation === 'put') throw new ObjectStoreError('unavailable', 'unknown', 'away')
    },
  })
  expect(await failure(store.put('k', [bytes('x')]))).toMatchObject({ kind: 'unavailable' })
  expect(await failure(store.read('k'))).toMatchObject({ kind: 'missing' })
  expect(store.meters.bytes).toBe(0)
})

test('a read is widened to whole blocks, and its neighbours need no request', async () => {
  const { inner, store } = await cached()
  const object = patterned(1_000, 0)
  expect(Buffer.compare(await store.read('old/0', { start: 150, length: 100 }), object.subarray(150, 250))).toBe(0)
  expect(Buffer.compare(await store.read('old/0', { start: 100, length: 200 }), object.subarray(100, 300))).toBe(0)
  expect(reads(inner)).toEqual(['old/0 100+200'])
  expect(store.meters).toMatchObject({ hits: 1, misses: 1 })
})

test('only the gap between cached blocks is fetched', async () => {
  const { inner, store } = await cached()
  await store.read('old/0', { start: 100, length: 100 })
  await store.read('old/0', { start: 400, length: 100 })
  expect(Buffer.compare(await store.read('old/0', { start: 50, length: 600 }), patterned(1_000, 0).subarray(50, 650))).toBe(0)
  expect(reads(inner)).toEqual(['old/0 100+100', 'old/0 400+100', 'old/0 0+100', 'old/0 200+200', 'old/0 500+200'])
})

test('concurrent reads of the same range share one request', async () => {
  const held = Promise.withResolvers<void>()
  const { inner, store } = await cached({ before: () => held.promise })
  const readers = Array.from({ length: 20 }, (_, index) => store.read('old/0', { start: 100 + index, length: 50 }))
  held.resolve()
  const got = await Promise.all(readers)
  for (const [index, one] of got.entries()) expect(Buffer.compare(one, patterned(1_000, 0).subarray(100 + index, 150 + index))).toBe(0)
  expect(reads(inner)).toEqual(['old/0 100+100'])
})

test('a reader that gives up harms no other; the request is aborted when the last one gives up', async () => {
  const held = Promise.withResolvers<void>()
  const { inner, store } = await cached({
    before: (request) => Promise.race([held.promise, silence(request, () => abortedError('no', 'it'))]),
  })
  const [one, other] = [new AbortController(), new AbortController()]
  const range = { start: 100, length: 50 }
  const [first, second] = [failure(store.read('old/0', range, one.signal)), failure(store.read('old/0', range, other.signal))]
  one.abort()
  expect(await first).toMatchObject({ kind: 'aborted', applied: 'no' })
  expect(inner.requests[0]?.signal?.aborted).toBe(false)
  other.abort()
  expect(await second).toMatchObject({ kind: 'aborted' })
  expect(inner.requests[0]?.signal?.aborted).toBe(true)
  held.resolve()
  expect(
    Buffer.compare(await store.read('old/0', range), patterned(1_000, 0).subarray(100, 150)),
    'the next reader gets a new request',
  ).toBe(0)
  expect(inner.requests).toHaveLength(2)
})

test('a failed read fails all its waiters, and is not kept', async () => {
  const { inner, store } = await cached({
    before({ number }) {
      if (number === 1) throw new ObjectStoreError('unavailable', 'no', 'away')
    },
  })
  const range = { start: 0, length: 10 }
  const failures = await Promise.all([failure(store.read('old/0', range)), failure(store.read('old/0', range))])
  for (const error of failures) expect(error).toMatchObject({ kind: 'unavailable' })
  expect(await store.read('old/0', range)).toHaveLength(10)
  expect(inner.requests).toHaveLength(2)
})

test('both halves stay within their budgets, and the oldest bytes are evicted first', async () => {
  const { inner, store } = await cached({ maxBytes: 4 * leastSlabBytes, old: 10 })
  for (let index = 0; index < 10; index += 1) {
    await store.put(`new/${index}`, [patterned(2_000, index)])
    await store.read(`old/${index}`, { start: 0, length: 1_000 })
    expect(store.meters.bytes).toBeLessThanOrEqual(4 * leastSlabBytes)
  }
  const before = inner.requests.length
  for (const index of [6, 7, 8, 9]) await store.read(`new/${index}`, { start: 0, length: 500 })
  for (const index of [8, 9]) await store.read(`old/${index}`, { start: 0, length: 1_000 })
  expect(inner.requests.length).toBe(before)
  await store.read('new/5', { start: 0, length: 500 })
  await store.read('old/7', { start: 0, length: 1_000 })
  expect(inner.requests.length).toBe(before + 2)
})

test('bytes that are read again stay longer than bytes that are not', async () => {
  const { inner, store } = await cached({ maxBytes: 4 * leastSlabBytes, old: 3 })
  const all = { start: 0, length: 1_000 }
  for (const index of [0, 1, 0, 2]) await store.read(`old/${index}`, all)
  const before = inner.requests.length
  await store.read('old/0', all)
  expect(inner.requests.length).toBe(before)
  await store.read('old/1', all)
  expect(inner.requests.length).toBe(before + 1)
})

test('lagging readers never evict the tail', async () => {
  const { inner, store } = await cached({ maxBytes: 4_000, old: 50 })
  for (let index = 0; index < 4; index += 1) await store.put(`tail/${index}`, [patterned(500, index)])
  for (let index = 0; index < 50; index += 1) await store.read(`old/${index}`, { start: 0, length: 1_000 })
  const before = inner.requests.length
  for (let index = 0; index < 4; index += 1)
    expect(Buffer.compare(await store.read(`tail/${index}`, { start: 0, length: 500 }), patterned(500, index))).toBe(0)
  expect(inner.requests.length).toBe(before)
})

test('an object larger than the budget is written and read, but not kept', async () => {
  const { store } = await cached({ maxBytes: 1_000 })
  await store.put('large', [patterned(5_000)])
  expect(Buffer.compare(await store.read('large', { start: 1_000, length: 3_000 }), patterned(5_000).subarray(1_000, 4_000))).toBe(0)
  expect(store.meters.bytes).toBeLessThanOrEqual(1_000)
})

test('a range beyond the end is corrupt, from memory as from the store', async () => {
  const { store } = await cached()
  await store.put('k', [patterned(1_000)])
  for (const key of ['k', 'old/0', 'old/0'])
    expect(await failure(store.read(key, { start: 950, length: 100 })), key).toMatchObject({ kind: 'corrupt', applied: 'no' })
})

test('a forgotten or removed object is read again, also when a read was in flight', async () => {
  const held = Promise.withResolvers<void>()
  const { inner, store } = await cached({ before: ({ number }) => (number === 1 ? held.promise : undefined) })
  const range = { start: 0, length: 100 }
  const onItsWay = store.read('old/0', range)
  store.forget('old/0')
  held.resolve()
  await onItsWay
  expect(store.meters.bytes).toBe(0)
  await store.read('old/0', range)
  expect(reads(inner)).toHaveLength(2)
  await store.put('k', [bytes('x')])
  await store.remove(['k', 'old/0'])
  expect(store.meters.bytes).toBe(0)
  for (const key of ['k', 'old/0']) expect(await failure(store.read(key, { start: 0, length: 1 }))).toMatchObject({ kind: 'missing' })
})

test('what is read ahead costs one request, is found by its reader, and counts against the bound until then', async () => {
  const { inner, store } = await cached({ maxBytes: 4 * leastSlabBytes, old: 2 })
  expect(store.aheadBytes).toBe(leastSlabBytes)
  await Promise.all([store.readAhead('old/0', { start: 50, length: 300 }), store.readAhead('missing', { start: 0, length: 10 })])
  expect([store.aheadBytes, store.has('old/0', { start: 0, length: 400 })]).toEqual([0, true])
  await store.read('old/0', { start: 120, length: 200 })
  expect(store.aheadBytes).toBe(leastSlabBytes)
  const [, got] = await Promise.all([store.readAhead('old/1', { start: 0, length: 100 }), store.read('old/1', { start: 0, length: 100 })])
  expect(Buffer.compare(got, patterned(1_000, 1).subarray(0, 100))).toBe(0)
  expect(store.aheadBytes, 'a reader waited for it').toBe(leastSlabBytes)
  expect(reads(inner)).toEqual(['old/0 0+400', 'missing 0+100', 'old/1 0+100'])
})

test('a range is as it was put if the store has verified all of its blocks', async () => {
  const { store } = await cached({
    before({ range }) {
      if (range?.start === 0) range.onVerified?.()
    },
  })
  const isAsPut = async (start: number, length: number): Promise<boolean> => {
    const held = await store.hold('old/0', { start, length })
    held.release()
    return held.isAsPut
  }
  expect([await isAsPut(0, 100), await isAsPut(100, 100), await isAsPut(50, 100), await isAsPut(10, 20)]).toEqual([
    true,
    false,
    false,
    true,
  ])
})
