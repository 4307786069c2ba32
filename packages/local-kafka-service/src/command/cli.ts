// The command line: which commands there are, their help, and what the shell is told at the end.
import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option as Flag } from 'commander'
import { configFile, flagOf, type Option, options, variableOf } from '../options.ts'
import { explain, UserError } from '../user-error.ts'
import { productVersion } from '../version.ts'
import { dev } from './dev.ts'

/** Ends the process when the command has ended. */
export async function run(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<never> {
  const verbose = argv.includes('-v') || argv.includes('--verbose') || env[variableOf('verbose')] === 'true'
  try {
    await program(env).parseAsync([...argv])
    return process.exit(0)
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return process.exit(0)
    const told = asUserError(error)
    // Written in this turn: the process ends with it.
    process.stderr.write(explain(told, { verbose }), () => process.exit(told.exitCode))
    return await new Promise<never>(() => {})
  }
}

function program(env: Readonly<Record<string, string | undefined>>): Command {
  const quiet = { outputError: () => {} }
  const lks = new Command('lks')
    .description('Local Kafka Service: a Kafka that keeps its messages in a directory, in S3 or in memory.')
    .version(productVersion(), '--version')
    .configureOutput(quiet)
    .exitOverride()
  const command = lks
    .command('dev')
    .description('Run one server on this machine until Ctrl-C.')
    .configureOutput(quiet)
    .exitOverride()
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `\nEach option can also be given as an environment variable (--kafka-port is ${variableOf('kafka.port')}) or in ${configFile} ("kafka.port").\nWhat is said twice: the flag counts, then the variable, then the file.`,
    )
    .action(async (_given, { opts }: { opts: () => Record<string, string | boolean> }) => {
      await dev({ flags: flagsOf(opts.call(command)), env, file: readConfigFile() })
    })
  for (const option of options) command.addOption(asFlag(option))
  return lks
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

function asUserError(error: unknown): UserError {
  if (error instanceof UserError) return error
  if (error instanceof CommanderError) {
    // Without arguments commander prints the help and calls that an error.
    const what = error.code === 'commander.help' ? 'no command was given' : error.message.replace(/^error: /, '').replace(/\n/g, ' ')
    return new UserError('LKS-1008', { what, fix: ['see what there is: lks dev --help'] })
  }
  return new UserError('LKS-1999', {
    what: error instanceof Error ? error.message : String(error),
    why: 'this is a defect of Local Kafka Service',
    fix: ['run it again with -v and report what it prints'],
    cause: error,
  })
}
