// The table of keys that log compaction knows: it finds each of them, also while it grows, and takes no more memory than it may.
import type { KeyColumns } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { hash128 } from './hash.ts'
import { KeyOffsets } from './key-offsets.ts'

const utf8 = new TextEncoder()

test('the smallest map has room for one key, and does not find another', () => {
  const latest = new KeyOffsets({ maxBytes: 1, maxKeys: 100 })
  expect(latest.room).toBe(1)
  put(latest, ['a'], 5)
  expect([latest.room, ...lastOffsets(latest, ['a', 'b', null])]).toEqual([0, 5, -1, -1])
})

test('the map grows up to its bound, and finds each key in a full table', () => {
  const maxBytes = 24 * 50_000
  const latest = new KeyOffsets({ maxBytes, maxKeys: 1e9 })
  expect(latest.sizeBytes).toBeLessThan(maxBytes / 2)
  const keys = Array.from({ length: latest.room }, (_, index) => `key ${index}`)
  put(latest, keys, 0)
  put(latest, ['key 7', null], 3)
  expect([latest.room, latest.keys, latest.sizeBytes]).toEqual([0, 45_000, maxBytes])
  expect(lastOffsets(latest, keys)).toEqual(keys.map((_, offset) => offset))
  expect(lastOffsets(latest, ['another'])).toEqual([-1])
  put(latest, ['key 7'], 60_000)
  expect(lastOffsets(latest, ['key 7', 'key 8'])).toEqual([60_000, 8])
})

test('a map that grows takes no further memory', () => {
  const latest = new KeyOffsets({ maxBytes: 24 * 300_000, maxKeys: 1e9 })
  const reserved = process.memoryUsage().arrayBuffers
  const columns = Array.from({ length: 200 }, (_, batch) => columnsOf(keysOf(batch)))
  const offsetDelta = Int32Array.from({ length: 1_000 }, (_, index) => index)
  const ofColumns = process.memoryUsage().arrayBuffers - reserved
  const most = columns.map((keys, batch) => {
    latest.putAll(keys, { baseOffset: batch * 1_000, offsetDelta })
    return process.memoryUsage().arrayBuffers - reserved - ofColumns
  })
  expect(latest.keys).toBe(200_000)
  expect(latest.sizeBytes).toBeGreaterThan(24 * 200_000)
  // What moves while it grows is copied a slot at a time: tens of kilobytes until the collector comes.
  expect(Math.max(...most)).toBeLessThan(1_000_000)
  for (let batch = 0; batch < 200; batch++)
    expect(lastOffsets(latest, keysOf(batch))).toEqual(Array.from({ length: 1_000 }, (_, index) => batch * 1_000 + index))
})

test('a map that grows finds keys whose hashes are side by side, and those that have come around from its end', () => {
  const latest = new KeyOffsets({ maxBytes: 24 * 100_000, maxKeys: 1e9 })
  const hash = new Uint32Array(4)
  const isLast = (key: string): boolean => {
    const bytes = utf8.encode(key)
    hash128(bytes, { start: 0, end: bytes.length }, hash, 0)
    return (hash[0] ?? 0) / 2 ** 32 > 1 - 1 / 64
  }
  const some = Array.from({ length: 100_000 }, (_, index) => `key ${index}`)
  // More of them than a 64th of the slots.
  const keys = [...some.filter(isLast), ...some.filter((key) => !isLast(key)).slice(0, 30_000)]
  for (let first = 0; first < keys.length; first += 500) {
    put(latest, keys.slice(first, first + 500), first)
    // Growing moves all of them.
    const known = keys.slice(0, first + 500)
    if (first % 4_000 === 0) expect(lastOffsets(latest, known)).toEqual(known.map((_, offset) => offset))
  }
  expect(lastOffsets(latest, keys)).toEqual(keys.map((_, offset) => offset))
  expect(latest.sizeBytes).toBeGreaterThan(24 * 2 ** 15)
  expect(lastOffsets(latest, ['another', null])).toEqual([-1, -1])
})

// The check of the reference implementation (smhasher's VerificationTest), which publishes this number.
test('the hash is MurmurHash3', () => {
  const into = new Uint32Array(4)
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  const hashes = new Uint32Array(256 * 4)
  for (let length = 0; length < 256; length++) {
    hash128(bytes, { start: 0, end: length, seed: 256 - length }, hashes, length * 4)
  }
  hash128(new Uint8Array(hashes.buffer), { start: 0, end: hashes.byteLength }, into)
  expect(into[0]).toBe(0xb3ec_e62a)
})

function keysOf(batch: number): readonly string[] {
  return Array.from({ length: 1_000 }, (_, index) => `key ${batch * 1_000 + index}`)
}

/** Each key has the next offset. */
function put(latest: KeyOffsets, keys: readonly (string | null)[], baseOffset: number): void {
  latest.putAll(columnsOf(keys), { baseOffset, offsetDelta: Int32Array.from(keys.keys()) })
}

function lastOffsets(latest: KeyOffsets, keys: readonly (string | null)[]): readonly number[] {
  const offsets = new Float64Array(keys.length)
  latest.lastOffsetsOf(columnsOf(keys), offsets)
  return [...offsets]
}

function columnsOf(keys: readonly (string | null)[]): KeyColumns {
  const ends: number[] = []
  for (const key of keys) ends.push((ends.at(-1) ?? 0) + (key?.length ?? 0))
  return {
    count: keys.length,
    bytes: utf8.encode(keys.join('')),
    keyStart: Int32Array.from([0, ...ends].slice(0, keys.length)),
    keyEnd: Int32Array.from(ends, (end, index) => (keys[index] === null ? -1 : end)),
  }
}
