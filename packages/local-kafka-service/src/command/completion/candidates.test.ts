// What Tab offers, on the table of commands as it is.
import { expect, test } from 'vitest'
import { clientCommands } from '../commands.ts'
import { optionsOf } from '../options-of.ts'
import { candidates, wordsOf } from './candidates.ts'

function at(line: string) {
  return candidates({ words: wordsOf(line).slice(1), commands: clientCommands, optionsOf, devFlags: ['--memory', '--dir'] })
}

test('first words, then second words', () => {
  expect(at('lks ').words).toEqual(expect.arrayContaining(['dev', 'topic', 'group', 'version']))
  expect(at('lks ').words).not.toContain('__complete')
  expect(at('lks to').words).toEqual(['topic'])
  expect(at('lks topic d').words).toEqual(['describe', 'delete'])
  expect(at('lks dev --m').words).toEqual(['--memory'])
})

test('an option where a dash stands, its values behind it', () => {
  expect(at('lks topic list --o').words).toEqual(['--output'])
  expect(at('lks topic list -o ').words).toEqual(['table', 'json', 'yaml', 'name'])
  expect(at('lks topic list -o j').words).toEqual(['json'])
})

test('names of topics and groups are asked for where they stand, with the connection that was named', () => {
  expect(at('lks topic describe or')).toMatchObject({ names: 'topic', begun: 'or' })
  expect(at('lks topic delete a b ').names).toBe('topic')
  expect(at('lks group seek billing --topics ').names).toBe('topic')
  expect(at('lks group describe -b host:1 x')).toMatchObject({ names: 'group', values: new Map([['bootstrap-servers', ['host:1']]]) })
  expect(at('lks topic add-partitions orders ').names).toBeUndefined()
})

test('nothing is offered behind what there is not', () => {
  for (const line of ['lks nosuch ', 'lks topic nosuch x', 'lks version x']) expect(at(line)).toMatchObject({ words: [], names: undefined })
})

test('a line is cut as a shell does', () => {
  expect(wordsOf('lks  a "b c" d\\ e \'f"g\' h')).toEqual(['lks', 'a', 'b c', 'd e', 'f"g', 'h'])
  expect(wordsOf('lks topic ')).toEqual(['lks', 'topic', ''])
})
