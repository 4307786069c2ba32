// lks dev on the command line: its flags come from the table of options, its values also from the environment and a file.
import { readFileSync } from 'node:fs'
import { type Command, Option as Flag } from 'commander'
import { configFile, flagOf, type Option, options, variableOf } from '../options.ts'
import { UserError } from '../user-error.ts'
import { dev } from './dev.ts'

/** Gives commander's command its options and its action. */
export function completeDev(command: Command, env: Readonly<Record<string, string | undefined>>): void {
  command
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `
Each option can also be given as an environment variable (--kafka-port is
${variableOf('kafka.port')}) or in ${configFile} ("kafka.port").
What is said twice: the flag counts, then the variable, then the file.

Examples:
  lks dev
  lks dev --memory --kafka-port 0
  lks dev --storage s3://bucket/prefix --metadata postgres://me@host/lks`,
    )
    .action(async (_given, { opts }: { opts: () => Record<string, string | boolean> }) => {
      await dev({ flags: flagsOf(opts.call(command)), env, file: readConfigFile() })
    })
  for (const option of options) command.addOption(asFlag(option))
}

function asFlag({ name, placeholder, short, default: value, doc, group }: Option): Flag {
  const flag = `${short === undefined ? '' : `${short}, `}${flagOf(name)}${placeholder === undefined ? '' : ` <${placeholder}>`}`
  const standard = placeholder === undefined || value === null || value === '' ? '' : ` (default: ${value})`
  return new Flag(flag, `${doc}${standard}`).helpGroup(`${group}:`)
}

/** By option name. Commander gives them in camel case, which has no way back: so each name is asked for. */
function flagsOf(given: Readonly<Record<string, string | boolean>>): Readonly<Record<string, string>> {
  const flags: Record<string, string> = {}
  for (const { name } of options) {
    const value = given[name.replace(/\.(.)/g, (_, letter: string) => letter.toUpperCase())]
    if (value !== undefined) flags[name] = String(value)
  }
  return flags
}

/** Undefined where there is none. */
function readConfigFile(): string | undefined {
  try {
    return readFileSync(configFile, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new UserError('LKS-1007', {
      what: `${configFile} cannot be read`,
      why: error instanceof Error ? error.message : String(error),
      fix: [`mend or remove ${configFile}`],
      cause: error,
    })
  }
}
