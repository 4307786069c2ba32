// The options of `lks dev` and `lks start` on the command line: the flags come from the table of options; the environment and a file can set the same values.
import { readFileSync } from 'node:fs'
import { errorText } from '@local-kafka-service/agent/native-error'
import { type Command, Option as Flag } from 'commander'
import {
  type ConfigFile,
  defaultConfigFile,
  flagOf,
  type Option,
  type OptionSources,
  optionsFor,
  type ServerCommand,
  variableOf,
} from 'local-kafka-service/internal/options'
import { UserError } from 'local-kafka-service/internal/user-error'

export interface ServerCall {
  readonly name: ServerCommand
  readonly env: Readonly<Record<string, string | undefined>>
  readonly run: (command: ServerCommand, given: OptionSources) => Promise<void>
}

const examples: Readonly<Record<ServerCommand, readonly string[]>> = {
  dev: ['lks dev', 'lks dev --memory --kafka-port 0', 'lks dev --storage s3://bucket/prefix --metadata postgres://me@host/lks'],
  start: [
    'lks start --storage s3://bucket/prefix --metadata postgres://me@host/lks',
    'lks start --config /etc/lks.json --advertised kafka.example.com:9092',
  ],
}

/** Adds the options and the action to commander's command. */
export function completeServer(command: Command, { name, env, run }: ServerCall): void {
  command
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `
Each option can also be given as an environment variable (--kafka-port is
${variableOf('kafka.port')}) or in the configuration file ("kafka.port").
\`lks config print ${name} [options]\` shows each value and its source.
A flag comes before the variable, and the variable before the file.

Examples:
${examples[name].map((example) => `  ${example}`).join('\n')}`,
    )
    .action(async (_given, { opts }: { opts: () => Record<string, string | boolean> }) => {
      const flags = flagsOf(name, opts.call(command))
      await run(name, { flags, env, file: readConfigFile(flags.config ?? env[variableOf('config')]) })
    })
  for (const option of optionsFor(name)) {
    const flag = asFlag(option, name)
    command.addOption(isSetting(option) ? flag.hideHelp() : flag)
  }
  command.addOption(new Flag('--help-settings', 'Show the other options: the settings of the server.').helpGroup('Settings:'))
  command.on('option:help-settings', () => showSettings(command, name))
}

/** The settings of an agent are many, so the help has a page of its own for them. */
function isSetting({ group, name }: Option): boolean {
  return group === 'Settings' && name !== 'config'
}

/** Ends as `--help` does. */
function showSettings(command: Command, name: ServerCommand): void {
  const settings = new Set(
    optionsFor(name)
      .filter(isSetting)
      .map((option) => flagOf(option.name)),
  )
  for (const flag of command.options) flag.hideHelp(!settings.has(flag.long ?? ''))
  command.help()
}

function asFlag({ name, placeholder, repeatable, short, default: values, doc, group }: Option, command: ServerCommand): Flag {
  const value = values[command]
  const flag = `${short === undefined ? '' : `${short}, `}${flagOf(name)}${placeholder === undefined ? '' : ` <${placeholder}>`}`
  const standard = placeholder === undefined || value === null || value === '' ? '' : ` (default: ${value})`
  const made = new Flag(flag, `${doc}${standard}`).helpGroup(`${group}:`)
  return repeatable === true
    ? made.argParser((value: string, before: string | undefined) => (before === undefined ? value : `${before},${value}`))
    : made
}

/** The values by option name. Commander's camel-case names cannot be converted back, so each option is looked up. */
function flagsOf(command: ServerCommand, given: Readonly<Record<string, string | boolean>>): Readonly<Record<string, string>> {
  const flags: Record<string, string> = {}
  for (const { name } of optionsFor(command)) {
    const value = given[name.replace(/\.(.)/g, (_, letter: string) => letter.toUpperCase())]
    if (value !== undefined) flags[name] = String(value)
  }
  return flags
}

/** Undefined when no file was named, and the default one does not exist. */
function readConfigFile(named: string | undefined): ConfigFile | undefined {
  const path = named ?? defaultConfigFile
  try {
    return { path, text: readFileSync(path, 'utf8') }
  } catch (error) {
    if (named === undefined && error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new UserError('LKS-1007', {
      what: `${path} cannot be read`,
      why: errorText(error),
      fix: [named === undefined ? `fix or remove ${path}` : `name a file that exists and that this user may read: --config <file>`],
      cause: error,
    })
  }
}
