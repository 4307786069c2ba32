// rpk's offsets and their meaning.
import { expect, test } from 'vitest'
import { type OffsetRange, offsetAt, type Position, parseOffsetRange } from './offset-range.ts'

const nowMs = Date.UTC(2026, 0, 31, 12)
const start: Position = { kind: 'start' }
const end: Position = { kind: 'end' }
const at = (offset: number): Position => ({ kind: 'offset', offset: BigInt(offset) })
const time = (text: string): Position => ({ kind: 'time', ms: Date.parse(text) })
const hourMs = 3_600_000

test.each<readonly [text: string, from: Position, until: Position | undefined]>([
  ['start', start, undefined],
  ['oldest', start, undefined],
  ['end', end, undefined],
  ['newest', end, undefined],
  ['0', at(0), undefined],
  ['7', at(7), undefined],
  ['7:', at(7), undefined],
  ['7:9', at(7), at(9)],
  ['7:end', at(7), end],
  [':9', start, at(9)],
  [':end', start, end],
  ['+5', { kind: 'after start', count: 5n }, undefined],
  ['-10', { kind: 'before end', count: 10n }, undefined],
  ['-10:end', { kind: 'before end', count: 10n }, end],
  ['start:-5', start, { kind: 'before end', count: 5n }],
  ['@-1h', { kind: 'time', ms: nowMs - hourMs }, undefined],
  ['@-1h:', { kind: 'time', ms: nowMs - hourMs }, undefined],
  ['@-1h:end', { kind: 'time', ms: nowMs - hourMs }, end],
  ['@-2h:-1h', { kind: 'time', ms: nowMs - 2 * hourMs }, { kind: 'time', ms: nowMs - hourMs }],
  ['@:-1h', start, { kind: 'time', ms: nowMs - hourMs }],
  ['@:2026-01-01', start, time('2026-01-01T00:00Z')],
  ['@2026-01-01', time('2026-01-01T00:00Z'), undefined],
  ['@2026-01-01:end', time('2026-01-01T00:00Z'), end],
  ['@2026-01-01:1h30m', time('2026-01-01T00:00Z'), time('2026-01-01T01:30Z')],
  ['@2026-01-01T08:15:30.250Z:2026-01-01T11:00+02:00', time('2026-01-01T08:15:30.250Z'), time('2026-01-01T09:00Z')],
  ['@2026-01-01T08:15:1m', time('2026-01-01T08:15Z'), time('2026-01-01T08:16Z')],
  // There are no records before the epoch.
  ['@-9999w', { kind: 'time', ms: 0 }, undefined],
  ['@1700000000', { kind: 'time', ms: 1_700_000_000_000 }, undefined],
  ['@1700000000123:1700000000124', { kind: 'time', ms: 1_700_000_000_123 }, { kind: 'time', ms: 1_700_000_000_124 }],
])('%s', (text, from, until) => {
  const parsed = parseOffsetRange(text, { nowMs })
  expect(parsed).toEqual<{ kind: string; range: OffsetRange }>({ kind: 'range', range: { from, until } })
})

test.each([
  ['', "'' is not a valid offset"],
  [':', ': is not a valid offset'],
  ['x', 'x is not a valid offset'],
  ['7:x', 'x is not a valid offset'],
  ['1:2:3', '1:2:3 is not a valid offset'],
  ['7:7', '7:7 is empty: it stops before 7, and begins at 7'],
  ['7:start', 'a range cannot end at the start'],
  ['@', '@ needs a time'],
  ['@:', '@: needs a time'],
  ['@1y', '1y is not a valid time'],
  ['@2026-02-30', '2026-02-30 is not an existing day or time'],
  ['@2026-01-01T25:00Z', 'is not an existing day or time'],
  ['@-1h:-2h', 'is empty: it stops at or before its begin'],
  ['99999999999999999999', 'is not a valid offset'],
])('%s is rejected with a reason', (text, why) => {
  expect(parseOffsetRange(text, { nowMs })).toMatchObject({ kind: 'wrong', why: expect.stringContaining(why) })
})

test('a position is an offset in each partition, within its bounds', () => {
  const partition = { start: 100n, end: 110n, byTime: 104n }
  expect(offsetAt(start, partition)).toBe(100n)
  expect(offsetAt(end, partition)).toBe(110n)
  expect(offsetAt(at(7), partition)).toBe(7n)
  expect(offsetAt({ kind: 'after start', count: 3n }, partition)).toBe(103n)
  expect(offsetAt({ kind: 'before end', count: 3n }, partition)).toBe(107n)
  expect(offsetAt({ kind: 'before end', count: 30n }, partition)).toBe(100n)
  expect(offsetAt({ kind: 'time', ms: 0 }, partition)).toBe(104n)
  expect(offsetAt({ kind: 'time', ms: 0 }, { ...partition, byTime: undefined })).toBe(110n)
})
