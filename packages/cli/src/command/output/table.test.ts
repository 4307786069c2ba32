// Tables for people are aligned in any alphabet, complete on a narrow terminal, and free of control characters.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { displayWidth } from './display-width.ts'
import { type Column, fields, table } from './table.ts'

interface Row {
  readonly name: string
  readonly count: number
}

const columns: readonly Column<Row>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'COUNT', value: ({ count }) => count, align: 'right' },
]

test('headers and names are aligned left, numbers right', () => {
  const text = table(columns, [
    { name: 'a', count: 5 },
    { name: 'longer', count: 1234567 },
  ])
  expect(text).toBe('NAME      COUNT\na             5\nlonger  1234567\n')
})

test('a table without rows has its headers', () => {
  expect(table(columns, [])).toBe('NAME  COUNT\n')
})

test('wide and combining characters keep the columns straight', () => {
  const text = table(columns, [
    { name: '注文', count: 1 },
    { name: 'Ärger', count: 2 },
    { name: 'A\u0308rger', count: 3 },
    { name: '🚀', count: 4 },
  ])
  const lines = text.trimEnd().split('\n')
  expect(new Set(lines.map(displayWidth))).toEqual(new Set([12]))
})

test('control characters in a name are escaped', () => {
  expect(table(columns, [{ name: 'a\u001b[31mb\nc\u202e', count: 1 }])).toContain('a\\x1b[31mb\\x0ac\\u202e  ')
})

test('on a narrow terminal no line is too long, and every name is complete', () => {
  const long = 'orders-of-the-northern-department-with-a-name-that-nobody-can-remember.v17'
  const text = table(columns, [{ name: long, count: 42 }], { columns: 40 })
  const lines = text.trimEnd().split('\n')
  expect(lines.every((line) => line.length <= 40)).toBe(true)
  expect(
    lines
      .slice(1)
      .map((line) => line.slice(0, 33).trim())
      .join(''),
  ).toBe(long)
  expect(lines[1]).toMatch(/ 42$/)
})

test('any rows fit as long as each column can have twelve characters', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ name: fc.string({ unit: 'grapheme', maxLength: 200 }), count: fc.nat() })),
      fc.integer({ min: 40, max: 120 }),
      (rows, width) => {
        for (const line of table(columns, rows, { columns: width }).trimEnd().split('\n'))
          expect(displayWidth(line)).toBeLessThanOrEqual(width)
      },
    ),
  )
})

test('the values of fields are aligned', () => {
  expect(
    fields([
      ['Topic', 'orders'],
      ['Partitions', 3],
    ]),
  ).toBe('Topic       orders\nPartitions  3\n')
})
