// One answer in each of the output formats.
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { recordedTerminal } from '../testing/recorded-terminal.ts'
import { fieldsBlock, type OutputView, rendered, show, tableBlock } from './output.ts'
import { hasColours } from './paint.ts'

const view: OutputView = {
  value: [{ name: 'orders' }],
  names: ['orders'],
  blocks: [fieldsBlock([['Topics', 1]]), tableBlock([{ header: 'TOPIC', value: (name: string) => name }], ['orders'])],
}
const plain = { interactive: false, columns: 80, colours: false }

test('table, json, yaml and name have the same content', () => {
  expect(rendered('table', view, plain)).toBe('Topics  1\n\nTOPIC\norders\n')
  expect(JSON.parse(rendered('json', view, plain))).toEqual([{ name: 'orders' }])
  expect(rendered('yaml', view, plain)).toBe('- name: orders\n')
  expect(rendered('name', view, plain)).toBe('orders\n')
})

test('the note about an empty result is not part of the data', () => {
  const nothing: OutputView = { value: [], names: [], blocks: [], nothing: 'there are no topics' }
  const people = recordedTerminal()
  show(people, 'table', nothing)
  expect(people.said()).toEqual({ data: '', talk: 'there are no topics\n' })
  const program = recordedTerminal()
  show(program, 'json', nothing)
  expect(program.said()).toEqual({ data: '[]\n', talk: '' })
})

test('long names are broken only on a terminal', () => {
  const long = 'x'.repeat(200)
  const block = tableBlock([{ header: 'TOPIC', value: (name: string) => name }], [long])
  expect(rendered('table', { value: [], names: [], blocks: [block] }, plain)).toContain(long)
  expect(rendered('table', { value: [], names: [], blocks: [block] }, { interactive: true, columns: 80, colours: false })).not.toContain(
    long,
  )
})

test('N9: keys and lags are coloured, and every column keeps its place', () => {
  const rows = [
    { group: 'billing', lag: 12 },
    { group: 'audit', lag: 0 },
  ]
  const block = tableBlock<(typeof rows)[number]>(
    [
      { header: 'GROUP', value: ({ group }) => group },
      { header: 'LAG', value: ({ lag }) => lag, align: 'right', style: ({ lag }) => (lag > 0 ? 'lag' : undefined) },
    ],
    rows,
  )
  const view: OutputView = { value: rows, names: [], blocks: [fieldsBlock([['Groups', 2]]), block] }
  const coloured = rendered('table', view, { interactive: true, columns: 80, colours: true })
  expect(coloured).toContain('\u001b[36mGroups\u001b[39m  2\n')
  expect(coloured).toContain('\u001b[36mGROUP\u001b[39m    \u001b[36mLAG\u001b[39m\n')
  expect(coloured).toContain('billing   \u001b[33m12\u001b[39m\naudit      0\n')
  expect(stripVTControlCharacters(coloured)).toBe(rendered('table', view, plain))
})

test('N9: there are no colours without a terminal, with NO_COLOR, or on a terminal without colours', () => {
  expect(hasColours({ isTTY: true }, {})).toBe(true)
  expect(hasColours({ isTTY: true }, { NO_COLOR: '' })).toBe(true)
  expect(hasColours({}, {})).toBe(false)
  expect(hasColours({ isTTY: true }, { NO_COLOR: '1' })).toBe(false)
  expect(hasColours({ isTTY: true }, { TERM: 'dumb' })).toBe(false)
})
