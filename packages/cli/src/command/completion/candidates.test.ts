// The candidates that Tab offers, on the real table of commands.
import { expect, test } from 'vitest'
import { allCommands } from '../commands.ts'
import { optionsOf } from '../options-of.ts'
import { candidates, wordsOf } from './candidates.ts'

const clientCommands = await allCommands()

function at(line: string) {
  return candidates({ words: wordsOf(line).slice(1), commands: clientCommands, optionsOf, serverFlags: ['--memory', '--dir'] })
}

test('the first word of a command is completed, then its second word', () => {
  expect(at('lks ').words).toEqual(expect.arrayContaining(['dev', 'start', 'topic', 'group', 'version']))
  expect(at('lks ').words).not.toContain('__complete')
  expect(at('lks to').words).toEqual(['topic'])
  expect(at('lks topic d').words).toEqual(['describe', 'delete', 'delete-records'])
  expect(at('lks dev --m').words).toEqual(['--memory'])
})

test('a dash is completed to an option, and an option to its values', () => {
  expect(at('lks topic list --o').words).toEqual(['--output'])
  expect(at('lks topic list -o ').words).toEqual(['table', 'json', 'yaml', 'name'])
  expect(at('lks topic list -o j').words).toEqual(['json'])
})

test('topic and group names are requested in their positions, with the connection options of the line', () => {
  expect(at('lks topic describe or')).toMatchObject({ names: 'topic', begun: 'or' })
  expect(at('lks topic delete a b ').names).toBe('topic')
  expect(at('lks group seek billing --topics ').names).toBe('topic')
  expect(at('lks group describe -b host:1 x')).toMatchObject({ names: 'group', values: new Map([['bootstrap-servers', ['host:1']]]) })
  expect(at('lks topic add-partitions orders ').names).toBeUndefined()
})

test('an unknown command has no candidates', () => {
  for (const line of ['lks nosuch ', 'lks topic nosuch x', 'lks version x']) expect(at(line)).toMatchObject({ words: [], names: undefined })
})

test('a line is split into words as a shell does it', () => {
  expect(wordsOf('lks  a "b c" d\\ e \'f"g\' h')).toEqual(['lks', 'a', 'b c', 'd e', 'f"g', 'h'])
  expect(wordsOf('lks topic ')).toEqual(['lks', 'topic', ''])
})
