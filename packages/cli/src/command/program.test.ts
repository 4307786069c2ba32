// The command line made from the table of commands: each help text fits, each command documents its use, and arguments reach the command unchanged.
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { UserError } from 'local-kafka-service/internal/user-error'
import { expect, test } from 'vitest'
import type { ParsedCommand } from './client-command.ts'
import { allCommands, calledCommand, commandGroups } from './commands.ts'
import { optionsOf } from './options-of.ts'
import { overview } from './overview.ts'
import { type Chosen, programOf } from './program.ts'

const clientCommands = await allCommands()
const table = { commands: clientCommands, groups: commandGroups, overview: (version: string) => overview(version, clientCommands) }

async function given(...words: readonly string[]): Promise<ParsedCommand> {
  let chosen: Chosen | undefined
  await programOf('1.2.3', table, async (one) => void (chosen = one)).parseAsync(['node', 'lks', ...words])
  if (chosen === undefined) throw new Error('no command was chosen')
  return chosen.given
}

function allOf(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allOf)]
}

test('the overview fits one screen of 80 columns and 24 lines', () => {
  const lines = overview('10.20.30', clientCommands).trimEnd().split('\n')
  expect(lines.length).toBeLessThanOrEqual(23)
  expect(lines.filter((line) => line.length > 80)).toEqual([])
})

test('each help fits 80 columns', () => {
  const helps = allOf(programOf('1.2.3', table, async () => {})).map((command) => command.helpInformation())
  expect(helps.length).toBeGreaterThan(clientCommands.length)
  expect(helps.flatMap((help) => help.split('\n')).filter((line) => line.length > 80)).toEqual([])
})

test.each(clientCommands.filter(({ hidden }) => hidden !== true).map((command) => [command.path.join(' '), command] as const))(
  'lks %s has a summary, examples of its use, and unique option names',
  (name, command) => {
    expect(command.summary).toMatch(/^[A-Z].*\.$/)
    expect(command.examples.length).toBeGreaterThan(0)
    for (const example of command.examples) {
      expect(example).toContain(`lks ${name}`)
      expect(example.length).toBeLessThanOrEqual(78)
    }
    const options = optionsOf(command)
    expect(new Set(options.map((option) => option.name)).size).toBe(options.length)
    const shorts = options.flatMap(({ short = [] }) => short)
    expect(new Set(shorts).size).toBe(shorts.length)
    expect(shorts.filter((short) => !/^[a-zA-Z]$/.test(short))).toEqual([])
    if (command.path.length > 1) expect(commandGroups[command.path[0] ?? '']).toBeDefined()
  },
)

test('a command is found by its words, without loading the others', async () => {
  for (const command of clientCommands) expect((await calledCommand([...command.path, 'x', '--flag']))?.path).toEqual(command.path)
  expect((await calledCommand(['--version']))?.path).toEqual(['version'])
  for (const words of [[], ['topic'], ['topic', 'lst'], ['--help'], ['nosuch'], ['constructor']])
    expect(await calledCommand(words)).toBeUndefined()
})

test('options reach the command: defaults, switches and repeated options', async () => {
  const create = await given('topic', 'create', 'a', 'b', '-p', '3', '-c', 'x=1', '--config', 'y=2')
  expect(create.arguments).toEqual(['a', 'b'])
  expect(create.option('partitions')).toBe('3')
  expect(create.options('config')).toEqual(['x=1', 'y=2'])
  expect(create.option('output')).toBe('table')
  expect(create.flag('if-not-exists')).toBe(false)
  expect((await given('topic', 'create', 'a', '--if-not-exists')).flag('if-not-exists')).toBe(true)
})

test('a value may begin with a minus sign', async () => {
  expect((await given('group', 'seek', 'g', '--to', '-10')).option('to')).toBe('-10')
  expect((await given('group', 'seek', 'g', '--to=-10')).option('to')).toBe('-10')
})

test('words after the command of exec belong to that command', async () => {
  expect((await given('exec', 'npm', 'test', '--watch', '-v')).arguments).toEqual(['npm', 'test', '--watch', '-v'])
  expect((await given('exec', '--topic', 'a:3', '--', 'npm', 'test', '-v')).arguments).toEqual(['npm', 'test', '-v'])
})

test('an invalid value of an option is rejected with a reason', async () => {
  await expect(given('topic', 'list', '-o', 'xml')).rejects.toThrow(UserError)
  await expect(given('topic', 'create', 'a', '-p', '0')).rejects.toThrow(/must be an integer of at least 1/)
  await expect(given('group', 'lag', '--every', 'soon')).rejects.toThrow(/duration/)
})

test('an unknown command or an extra argument is rejected with a suggestion', async () => {
  await expect(given('topik')).rejects.toThrow(/unknown command 'topik'[\s\S]*topic/)
  await expect(given('topic', 'lst')).rejects.toThrow(/unknown command 'lst'[\s\S]*list/)
  await expect(given('group', 'list', 'more')).rejects.toThrow(/too many arguments/)
  await expect(given('topic', 'list', '--outptu', 'json')).rejects.toThrow(/--output/)
})

test('only a running client command loads the client library, not the server or the command line', () => {
  const loaded = loadedFrom([
    'cli/src/main.ts',
    'local-kafka-service/src/index.ts',
    'cli/src/command/cli.ts',
    'cli/src/command/run-server.ts',
  ])
  expect(loaded.size).toBeGreaterThan(50)
  expect([...loaded].filter((name) => name.startsWith('@platformatic/'))).toEqual([])
})

/** Everything that these files load through top-level imports: the paths below `packages` for the commands and the product, and the names of other packages. */
function loadedFrom(entries: readonly string[]): ReadonlySet<string> {
  const packages = new URL('../../../', import.meta.url)
  const loaded = new Set(entries)
  for (const name of loaded) {
    if (!name.endsWith('.ts')) continue
    const file = new URL(name, packages)
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )(?:[^;']*? from )?'([^']+)'/gm))
      loaded.add(
        specifier.startsWith('.')
          ? new URL(specifier, file).href.slice(packages.href.length)
          : specifier.replace(/^local-kafka-service\/internal\/(.+)$/, 'local-kafka-service/src/$1.ts'),
      )
  }
  return loaded
}
