// A key's partition is the one that Kafka's own producer chooses; the hashes are those of UtilsTest.testMurmur2 in Apache Kafka.
import { expect, test } from 'vitest'
import { murmur2, partitionOfKey } from './murmur2.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2 of %s is the same as in Kafka', (key, hash) => {
  expect(murmur2(bytesOf(key))).toBe(hash)
})

test('a key that is a slice of a larger array is hashed alone', () => {
  expect(murmur2(bytesOf('xxfoobarxx').subarray(2, 8))).toBe(-790332482)
})

test('the sign of a hash is cut off before the remainder, as in Utils.toPositive', () => {
  expect(partitionOfKey(bytesOf('21'), 10)).toBe((-973932308 & 0x7fffffff) % 10)
  expect(partitionOfKey(bytesOf('foobar'), 6)).toBe((-790332482 & 0x7fffffff) % 6)
})
