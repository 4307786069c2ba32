// One answer in each of the formats.
import { expect, test } from 'vitest'
import { recordedTerminal } from '../testing/recorded-terminal.ts'
import { fieldsBlock, rendered, show, tableBlock, type View } from './output.ts'

const view: View = {
  value: [{ name: 'orders' }],
  names: ['orders'],
  blocks: [fieldsBlock([['Topics', 1]]), tableBlock([{ header: 'TOPIC', value: (name: string) => name }], ['orders'])],
}
const plain = { interactive: false, columns: 80 }

test('table, json, yaml and name say the same', () => {
  expect(rendered('table', view, plain)).toBe('Topics  1\n\nTOPIC\norders\n')
  expect(JSON.parse(rendered('json', view, plain))).toEqual([{ name: 'orders' }])
  expect(rendered('yaml', view, plain)).toBe('- name: orders\n')
  expect(rendered('name', view, plain)).toBe('orders\n')
})

test('that there is nothing is said to people, not among the data', () => {
  const nothing: View = { value: [], names: [], blocks: [], nothing: 'there are no topics' }
  const people = recordedTerminal()
  show(people, 'table', nothing)
  expect(people.said()).toEqual({ data: '', talk: 'there are no topics\n' })
  const program = recordedTerminal()
  show(program, 'json', nothing)
  expect(program.said()).toEqual({ data: '[]\n', talk: '' })
})

test('only a terminal breaks long names', () => {
  const long = 'x'.repeat(200)
  const block = tableBlock([{ header: 'TOPIC', value: (name: string) => name }], [long])
  expect(rendered('table', { value: [], names: [], blocks: [block] }, plain)).toContain(long)
  expect(rendered('table', { value: [], names: [], blocks: [block] }, { interactive: true, columns: 80 })).not.toContain(long)
})
