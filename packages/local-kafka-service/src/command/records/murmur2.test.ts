// Keys go where Kafka's own producer puts them; the hashes are those of UtilsTest.testMurmur2 in Apache Kafka.
import { expect, test } from 'vitest'
import { murmur2, partitionOfKey } from './murmur2.ts'

test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('%s', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash)
})

test('the sign bit is cut off before the remainder, as in Utils.toPositive', () => {
  expect(partitionOfKey(Buffer.from('foobar'), 6)).toBe((-790332482 & 0x7fffffff) % 6)
})
