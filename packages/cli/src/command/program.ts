// The command line in commander, made from the table of commands: flags, arguments and help.
import { Argument, Command, Option as Flag } from 'commander'
import { UserError } from 'local-kafka-service/internal/user-error'
import type { ClientCommand, CommandArgument, CommandOption, ParsedCommand } from './client-command.ts'
import { optionsOf } from './options-of.ts'
import { folded } from './output/folded.ts'

export interface Chosen {
  readonly command: ClientCommand
  readonly given: ParsedCommand
}

/** All commands except those that run a server. The caller passes them, because a server starts without them: they load the client library. */
export interface ClientTable {
  readonly commands: readonly ClientCommand[]
  /** The meaning of the first word of a two-word command. */
  readonly groups: Readonly<Record<string, string>>
  /** The help text of `lks` itself. */
  readonly overview: (version: string) => string
}

/** Returns commander's tree. It calls `run` with the chosen command. */
export function programOf(version: string, client: ClientTable | undefined, run: (chosen: Chosen) => Promise<void>): Command {
  const lks = quiet(new Command('lks'))
    .version(version, '--version')
    .enablePositionalOptions()
    .helpCommand('help [command]', 'Show the usage of a command.')
  if (client === undefined) return lks
  lks.helpInformation = () => client.overview(version)
  for (const command of client.commands) add(lks, command, client.groups, run)
  return lks
}

/** Errors are thrown instead of printed; help fits 80 columns, whatever the terminal's width. */
export function quiet(command: Command): Command {
  return command
    .configureOutput({ outputError: () => {}, getOutHelpWidth: () => helpColumns, getErrHelpWidth: () => helpColumns })
    .configureHelp({ padWidth: () => termColumns, formatItem, subcommandTerm: (subcommand) => subcommand.name() })
    .helpOption('-h, --help', 'Show this help.')
    .exitOverride()
}

const helpColumns = 80
/** A longer term is on a line of its own. */
const termColumns = 24

function formatItem(term: string, _width: number, description: string): string {
  const lines = folded(description, helpColumns - termColumns - 4)
  const [first = '', ...others] = lines
  const fits = term.length <= termColumns
  const rows = fits ? [`  ${term.padEnd(termColumns)}  ${first}`, ...others.map(indented)] : [`  ${term}`, ...lines.map(indented)]
  return rows.map((line) => line.trimEnd()).join('\n')
}

function indented(line: string): string {
  return ' '.repeat(termColumns + 4) + line
}

function add(lks: Command, command: ClientCommand, groups: ClientTable['groups'], run: (chosen: Chosen) => Promise<void>): void {
  const [first = '', second] = command.path
  const parent = second === undefined ? lks : groupOf(lks, first, groups)
  const added = quiet(parent.command(second ?? first, { hidden: command.hidden === true }))
    .description(command.summary)
    .aliases([...(command.aliases ?? [])])
    .allowExcessArguments(false)
  for (const argument of command.arguments) added.addArgument(asArgument(argument))
  const options = optionsOf(command)
  for (const option of options) added.addOption(asFlag(option))
  if (command.passThrough === true) added.passThroughOptions()
  added.addHelpText('after', `\nExamples:\n${command.examples.map((example) => `  ${example}`).join('\n')}`)
  added.action(async () => await run({ command, given: givenOf(options, added) }))
}

function groupOf(lks: Command, name: string, groups: ClientTable['groups']): Command {
  const known = lks.commands.find((candidate) => candidate.name() === name)
  if (known !== undefined) return known
  return quiet(lks.command(name))
    .description(groups[name] ?? '')
    .usage('COMMAND')
    .helpCommand(false)
    .enablePositionalOptions()
}

function asArgument({ name, required, variadic, doc }: CommandArgument): Argument {
  const text = `${name}${variadic === true ? '...' : ''}`
  return new Argument(required ? `<${text}>` : `[${text}]`, doc)
}

function asFlag({ name, short, placeholder, repeatable, default: standard, doc }: CommandOption): Flag {
  const flags = `${short === undefined ? '' : `-${short}, `}--${name}${placeholder === undefined ? '' : ` <${placeholder}>`}`
  const flag = new Flag(flags, standard === undefined ? doc : `${doc} (default: ${standard})`)
  return repeatable === true ? flag.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]) : flag
}

/** Throws a UserError for a value that its option rejects. */
function givenOf(options: readonly CommandOption[], command: Command): ParsedCommand {
  const values = new Map<string, readonly string[]>()
  for (const option of options) {
    // The cast: the type of the values that commander makes of our declared flags.
    const value = command.getOptionValue(camelCase(option.name)) as string | boolean | readonly string[] | undefined
    const said = typeof value === 'object' ? value : value === undefined ? [] : [String(value)]
    for (const one of said) check(option, one)
    values.set(option.name, said)
  }
  const one = (name: string): string | undefined => values.get(name)?.at(-1)
  return {
    arguments: command.args,
    option: (name) => one(name) ?? options.find((option) => option.name === name)?.default,
    options: (name) => values.get(name) ?? [],
    flag: (name) => one(name) === 'true',
  }
}

function check({ name, doc, check: wrongWith }: CommandOption, value: string): void {
  const wrong = wrongWith?.(value)
  if (wrong !== undefined)
    throw new UserError('LKS-1004', { what: `--${name}: '${value}' ${wrong}`, why: doc, fix: [`use another value for --${name}`] })
}

/** Commander's name for the value of an option. */
function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}
