// The pieces of a record's text equal its whole text.
import type { LogRecord } from '@local-kafka-service/agent'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { httpLimits } from './limits.ts'
import { recordJson } from './record-json.ts'
import { joined, recordText } from './record-text.ts'

/** Text of all widths, or bytes that are not text; repeated until it is longer than a piece. */
const someBytes = fc.option(
  fc
    .tuple(
      fc.oneof(
        fc.string({ unit: 'binary', minLength: 1 }).map((text) => Buffer.from(text)),
        fc.uint8Array({ minLength: 1 }),
      ),
      fc.boolean(),
    )
    .map(([bytes, isLong]) =>
      Buffer.concat(Array.from({ length: isLong ? Math.ceil((2 * httpLimits.pieceBytes) / bytes.length) : 1 }, () => bytes)),
    ),
)
const aRecord: fc.Arbitrary<LogRecord> = fc.record({
  partition: fc.nat(),
  offset: fc.nat(),
  timestamp: fc.integer(),
  key: someBytes,
  value: someBytes,
  headers: fc.array(fc.record({ key: fc.string(), value: someBytes }), { maxLength: 3 }),
})

test('H3: a record of any size is written in pieces that together are its JSON', () => {
  fc.assert(
    fc.property(aRecord, (record) => {
      expect([...recordText(record)].join('')).toBe(JSON.stringify(recordJson(record)))
    }),
    { numRuns: 50 },
  )
})

test('H3: of a value of control characters no piece is larger than six times the step', () => {
  const value = Buffer.alloc(1_000_000)
  const pieces = [...joined(recordText({ partition: 0, offset: 0, timestamp: 0, key: null, value, headers: [] }))]
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(7 * httpLimits.pieceBytes)
  expect(pieces.join('')).toHaveLength(6_000_000 + '{"partition":0,"offset":0,"timestamp":0,"key":null,"value":"","headers":[]}'.length)
})
