// YAML for programs: text that looks like another type is quoted.
import { expect, test } from 'vitest'
import { yaml } from './yaml.ts'

test('lists and maps in block style', () => {
  expect(
    yaml([
      { name: 'orders', partitions: [{ partition: 0, replicas: [1, 2] }], configs: {} },
      { name: 'b', partitions: [] },
    ]),
  ).toBe(
    `- name: orders
  partitions:
    - partition: 0
      replicas:
        - 1
        - 2
  configs: {}
- name: b
  partitions: []
`,
  )
})

test.each([
  ['orders.v1-a_b', 'orders.v1-a_b'],
  ['true', '"true"'],
  ['No', '"No"'],
  ['null', '"null"'],
  ['12', '"12"'],
  ['1e3', '"1e3"'],
  ['-', '"-"'],
  ['', '""'],
  ['a: b', '"a: b"'],
  ['# no', '"# no"'],
  ['line\nbreak', '"line\\nbreak"'],
  ['~', '"~"'],
  ['with space', 'with space'],
  ['trailing ', '"trailing "'],
])('the text %j', (text, written) => {
  expect(yaml({ key: text })).toBe(`key: ${written}\n`)
})

test('null, numbers, booleans; undefined fields are left out', () => {
  expect(yaml({ a: null, b: 1, c: true, d: undefined })).toBe('a: null\nb: 1\nc: true\n')
  expect(yaml([])).toBe('[]\n')
})
