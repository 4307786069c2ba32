// The options of `lks dev` on the command line: the flags come from the table of options; the environment and a file can set the same values.
import { readFileSync } from 'node:fs'
import { errorText } from '@local-kafka-service/agent/native-error'
import { type Command, Option as Flag } from 'commander'
import { configFile, flagOf, type Option, options, variableOf } from 'local-kafka-service/internal/options'
import { UserError } from 'local-kafka-service/internal/user-error'
import { dev } from './dev.ts'

/** Adds the options and the action to commander's command. */
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

/** The values by option name. Commander's camel-case names cannot be converted back, so each option is looked up. */
function flagsOf(given: Readonly<Record<string, string | boolean>>): Readonly<Record<string, string>> {
  const flags: Record<string, string> = {}
  for (const { name } of options) {
    const value = given[name.replace(/\.(.)/g, (_, letter: string) => letter.toUpperCase())]
    if (value !== undefined) flags[name] = String(value)
  }
  return flags
}

/** Undefined when the file does not exist. */
function readConfigFile(): string | undefined {
  try {
    return readFileSync(configFile, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new UserError('LKS-1007', {
      what: `${configFile} cannot be read`,
      why: errorText(error),
      fix: [`fix or remove ${configFile}`],
      cause: error,
    })
  }
}
