// Numbers, sizes and times as text for people.
import { expect, test } from 'vitest'
import { ago, bytes, count, dollars, duration, inputTime, millis, numberOf, plural, shortCount, until } from './format.ts'

test('numbers and sizes have at most three digits and a unit', () => {
  expect([0, 999, 1000, 1536, 1024 * 1024 * 12.34, 2 ** 50].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1000 B',
    '1.5 KiB',
    '12.3 MiB',
    '1024 TiB',
  ])
  expect([0, 0.5, 12, 999.9, 1500, 2_000_000].map(shortCount)).toEqual(['0', '0.5', '12', '1 k', '1.5 k', '2 M'])
  expect(count(1234567)).toBe('1,234,567')
  expect([plural(1, 'topic'), plural(0, 'topic')]).toEqual(['1 topic', '0 topics'])
})

test('money keeps the digits that a small amount needs', () => {
  expect([0, 0.0000123, 0.5, 12].map(dollars)).toEqual(['$0', '$0.000012', '$0.50', '$12.00'])
})

test('an instant is shown in an input for times as the clock of the browser has it, and no instant as nothing', () => {
  const local = new Date(2026, 10, 9, 4, 3, 2)
  expect(inputTime(local.toISOString())).toBe('2026-11-09T04:03:02')
  expect(['', '1h'].map(inputTime)).toEqual(['', ''])
})

test('times are relative to now', () => {
  const now = 1_000_000_000_000
  expect([0, 5_000, 600_000, 7_200_000, 864_000_000].map((ms) => ago(now - ms, now))).toEqual([
    'now',
    '5 s ago',
    '10 min ago',
    '2 h ago',
    '10 days ago',
  ])
  expect(ago(now + 60_000, now)).toBe('in the future')
  expect([-9, 1_000, 5_000, 600_000, 7_200_000, 864_000_000].map((ms) => until(now + ms, now))).toEqual([
    'now',
    'now',
    'in 5 s',
    'in 10 min',
    'in 2 h',
    'in 10 days',
  ])
  expect([0, 0.04, 0.421, 9.96, 42.04, 99.6, 999.4, 999.6, 1_540, 31_400].map(millis)).toEqual([
    '0 ms',
    '0.04 ms',
    '0.42 ms',
    '10 ms',
    '42 ms',
    '100 ms',
    '999 ms',
    '1 s',
    '1.5 s',
    '31 s',
  ])
  expect([604_800_000, 3_600_000, 90_000, 250, -1].map(duration)).toEqual([
    '7 days',
    '1 hour',
    '1.5 minutes',
    '250 milliseconds',
    undefined,
  ])
})

test('a number with a unit is the number of a config', () => {
  expect(['7d', ' 1.5 h ', '90 s', '7', 'd', '7 parsecs'].map((written) => numberOf(written, 'milliseconds'))).toEqual([
    604_800_000,
    5_400_000,
    90_000,
    undefined,
    undefined,
    undefined,
  ])
  expect(['1 GiB', '10MB', '7d'].map((written) => numberOf(written, 'bytes'))).toEqual([1_073_741_824, 10_485_760, undefined])
})
