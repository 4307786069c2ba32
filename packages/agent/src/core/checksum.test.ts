// The checksum of joined parts is that of their bytes.
import { crc32c } from '@local-kafka-service/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinChecksums } from './checksum.ts'

test('the checksum of two parts is that of their bytes one after the other', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3_000 }), fc.uint8Array({ maxLength: 3_000 }), (before, after) => {
      expect(joinChecksums(crc32c(before), crc32c(after), after.length)).toBe(crc32c(Buffer.concat([before, after])))
    }),
  )
})

test.each([0, 1, 16_384, 65_536, 1_048_637, 20_000_000])('a second part of %d bytes is joined', (length) => {
  const [before, after] = [Uint8Array.of(1, 2, 3), Buffer.alloc(length, 'abcdefg')]
  expect(joinChecksums(crc32c(before), crc32c(after), length)).toBe(crc32c(Buffer.concat([before, after])))
})
