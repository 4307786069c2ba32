// The command line: parses the arguments, runs the chosen command and sets the exit code.
import { errorText } from '@local-kafka-service/agent/native-error'
import { CommanderError } from 'commander'
import { explain, UserError } from 'local-kafka-service/internal/user-error'
import { productVersion } from 'local-kafka-service/internal/version'
import type { CommandContext } from './client-command.ts'
import { connectionFrom, connectionOf } from './connection.ts'
import { Exit } from './exit.ts'
import { type Chosen, type ClientTable, programOf, quiet } from './program.ts'
import { isServerCommand, serverCommands } from './server-commands.ts'
import { endWithoutReader, type Farewells, flushed, processTerminal, wrongPaint } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Ends the process when the command has ended. */
export async function run(argv: readonly string[], env: Env): Promise<never> {
  const farewells: Farewells = new Set()
  // A server continues when its output is no longer read.
  if (!isServerCommand(argv[2]) || argv.some((word) => helpFlags.has(word))) endWithoutReader(farewells)
  const exitCode = await ended(argv, env, farewells)
  await flushed()
  return process.exit(exitCode)
}

/** With one of these, the command of a server only prints. */
const helpFlags: ReadonlySet<string> = new Set(['--help', '-h', '--help-settings'])

/** The exit code: 0 success, 1 failure, 2 usage error, 130 interrupted, or the exit code of a child process. */
async function ended(argv: readonly string[], env: Env, farewells: Farewells): Promise<number> {
  const verbose = ownWords(argv).some((word) => word === '-v' || word === '--verbose') || env.LKS_VERBOSE === 'true'
  const client = isServerCommand(argv[2]) ? undefined : await clientTable(argv.slice(2))
  const program = programOf(productVersion(), client, (chosen) => runClient(chosen, { env, verbose, farewells }))
  const servers = Object.entries(serverCommands).map(([name, summary]) => quiet(program.command(name)).description(summary))
  try {
    if (client !== undefined && argv.length <= 2) {
      process.stdout.write(client.overview(productVersion()))
      return 0
    }
    // The options of a server are loaded only for its commands, because they load the whole server. `lks help dev` needs them, too.
    const named = argv.slice(2, 4).find(isServerCommand)
    const server = servers.find((command) => command.name() === named)
    if (named !== undefined && server !== undefined) {
      const [{ completeServer }, { runServer }] = await Promise.all([import('./server-command.ts'), import('./run-server.ts')])
      completeServer(server, { name: named, env, run: runServer })
    }
    await program.parseAsync([...argv])
    return 0
  } catch (error) {
    if (error instanceof Exit) return error.exitCode
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const told = asUserError(error, argv)
    process.stderr.write(explain(told, { verbose, wrong: wrongPaint(env) }))
    return told.exitCode
  }
}

/** Only the command that is called, or all for help and errors. Skipped when a server starts: loading these modules would delay the opening of its port. */
async function clientTable(words: readonly string[]): Promise<ClientTable> {
  const [{ allCommands, calledCommand, commandGroups }, { overview }] = await Promise.all([
    import('./commands.ts'),
    import('./overview.ts'),
  ])
  const called = await calledCommand(words)
  const commands = called === undefined ? await allCommands() : [called]
  return { commands, groups: commandGroups, overview: (version) => overview(version, commands) }
}

/** In `lks exec -- npm test -v` the flag belongs to npm. */
function ownWords(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('--')
  return argv.slice(2, at === -1 ? undefined : at)
}

async function runClient(
  { command, given }: Chosen,
  { env, verbose, farewells }: { readonly env: Env; readonly verbose: boolean; readonly farewells: Farewells },
): Promise<void> {
  const terminal = processTerminal(env, farewells)
  const connection =
    command.standalone === true
      ? connectionFrom({ bootstrap: undefined, properties: [], env: {} })
      : connectionOf(
          {
            bootstrap: given.option('bootstrap-servers'),
            properties: given.options('property'),
            profile: given.option('profile'),
          },
          env,
        )
  const interrupted = new AbortController()
  if (command.standalone !== true) {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        // once() has removed the handler, so a second signal ends the process at once.
        interrupted.abort(signal)
      })
    }
  }
  const context: CommandContext = { terminal, env, signal: interrupted.signal, verbose, connection }
  try {
    await command.run(given, context)
  } catch (error) {
    if (interrupted.signal.aborted) throw new Exit(interrupted.signal.reason === 'SIGTERM' ? 143 : 130)
    if (!isOfClient(error)) throw error
    const { explainClient } = await import('../cluster/client-errors.ts')
    throw await explainClient(error, connection)
  }
}

/** True for an error of the client library. It checks without loading the library. */
function isOfClient(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('PLT_KFK_')
}

function asUserError(error: unknown, argv: readonly string[]): UserError {
  if (error instanceof UserError) return error
  if (error instanceof CommanderError) {
    return new UserError('LKS-1008', wrongCall(error, argv.slice(2)))
  }
  return new UserError('LKS-1999', {
    what: errorText(error),
    why: 'this is a defect of Local Kafka Service',
    fix: ['run it again with -v and report the output'],
    cause: error,
  })
}

function wrongCall(
  { code, message }: CommanderError,
  words: readonly string[],
): { readonly what: string; readonly fix: readonly string[] } {
  const at = words.findIndex((word) => !/^[a-z]/.test(word))
  const path = words.slice(0, at === -1 ? 2 : Math.min(at, 2))
  const help = ['lks', ...(code === 'commander.unknownCommand' ? path.slice(0, -1) : path), '--help'].join(' ')
  // A group without a subcommand: commander prints the help and treats that as an error.
  const what = code === 'commander.help' ? `lks ${path.join(' ')} needs a subcommand` : message.replace(/^error: /, '').replace(/\n/g, ' ')
  const fix = [`see the commands: ${help}`]
  if (path.length === 0) fix.push('put options after the command, as in: lks topic list -b localhost:9092')
  return { what, fix }
}
