// The meaning of --to and --topics of lks group seek.
import { expect, test } from 'vitest'
import { parseOffsetRange } from '../records/offset-range.ts'
import { seekTarget, topicScope, wantedOffset } from './seek-target.ts'

const now = Date.parse('2026-01-31T12:00:00Z')

test.each([
  ['start', { kind: 'start' }],
  ['end', { kind: 'end' }],
  ['0', { kind: 'offset', offset: 0 }],
  ['42', { kind: 'offset', offset: 42 }],
  ['-10', { kind: 'by', by: -10 }],
  ['+3', { kind: 'by', by: 3 }],
  ['current', { kind: 'by', by: 0 }],
  ['@2026-01-31T11:00:00Z', { kind: 'time', timestamp: now - 3_600_000 }],
  ['@2026-01-31T12:00:00+01:00', { kind: 'time', timestamp: now - 3_600_000 }],
  ['@-1h', { kind: 'time', timestamp: now - 3_600_000 }],
  ['@1769860800000', { kind: 'time', timestamp: 1_769_860_800_000 }],
])('%s', (text, target) => {
  expect(seekTarget(text, now)).toEqual(target)
})

test('a time is read as in lks consume -O: UTC unless it names a zone', () => {
  for (const text of ['2026-01-31', '2026-01-31T12:00', '-1h30m', '1769860800']) {
    const range = parseOffsetRange(`@${text}`, { nowMs: now })
    const { timestamp: ms } = seekTarget(`@${text}`, now) as { readonly timestamp: number }
    expect(range).toEqual({ kind: 'range', range: { from: { kind: 'time', ms }, until: undefined } })
  }
  expect(seekTarget('@2026-01-31', now)).toEqual({ kind: 'time', timestamp: Date.UTC(2026, 0, 31) })
})

test.each(['', 'begin', '@', '@yesterday', '@2026-13-01', '@-1', '@2026-02-31', '1.5', '--1', '12345678901234567890'])(
  '%j is rejected',
  (text) => {
    expect(typeof seekTarget(text, now)).toBe('string')
  },
)

test('an offset is limited to the partition, and a relative target needs a committed offset', () => {
  const at = { start: 10, end: 20, committed: 15, time: undefined }
  expect(wantedOffset({ kind: 'offset', offset: 3 }, at)).toBe(10)
  expect(wantedOffset({ kind: 'offset', offset: 99 }, at)).toBe(20)
  expect(wantedOffset({ kind: 'by', by: -2 }, at)).toBe(13)
  expect(wantedOffset({ kind: 'by', by: -99 }, at)).toBe(10)
  expect(wantedOffset({ kind: 'by', by: 1 }, { ...at, committed: undefined })).toBeUndefined()
})

test('a time after the last record means the end', () => {
  const at = { start: 10, end: 20, committed: undefined, time: -1 }
  expect(wantedOffset({ kind: 'time', timestamp: now }, at)).toBe(20)
  expect(wantedOffset({ kind: 'time', timestamp: now }, { ...at, time: 12 })).toBe(12)
})

test('a topic with partitions', () => {
  expect(topicScope('orders')).toEqual({ topic: 'orders', partitions: undefined })
  expect(topicScope('orders:0,2-4,3')).toEqual({ topic: 'orders', partitions: [0, 2, 3, 4] })
  for (const text of ['', ':0', 'orders:', 'orders:a', 'orders:4-2', 'orders:0,,1']) expect(typeof topicScope(text)).toBe('string')
})
