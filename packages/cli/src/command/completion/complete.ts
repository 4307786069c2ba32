// lks __complete LINE: prints the candidates for the end of the line, one per line. The shells' completion scripts call it.
import type { ClientCommand, CommandContext } from '../client-command.ts'
import { isServerCommand, type serverCommands } from '../server-commands.ts'
import { candidates, fitting, wordsOf } from './candidates.ts'

/** The longest acceptable delay after Tab. */
const deadlineMs = 2_000

/** `commands`: the table, which has this command, too. */
export function completeFrom(commands: () => Promise<readonly ClientCommand[]>): ClientCommand {
  return {
    path: ['__complete'],
    summary: 'Print the candidates for the end of a line.',
    arguments: [{ name: 'line', required: true, doc: 'The line up to the cursor, beginning with lks.' }],
    options: [],
    examples: [],
    standalone: true,
    hidden: true,
    async run({ arguments: [line = ''] }, { terminal, env }) {
      const words = wordsOf(line).slice(1)
      const { optionsOf } = await import('../options-of.ts')
      const found = candidates({
        words,
        commands: await commands(),
        optionsOf,
        serverFlags: isServerCommand(words[0]) ? await serverFlags(words[0]) : [],
      })
      const names = found.names === undefined ? [] : fitting(await namesOf(found.names, found.values, env), found.begun)
      terminal.data.write([...found.words, ...names].map((word) => `${word}\n`).join(''))
    },
  }
}

async function serverFlags(command: keyof typeof serverCommands): Promise<readonly string[]> {
  const { flagOf, optionsFor } = await import('local-kafka-service/internal/options')
  return [...optionsFor(command).map(({ name }) => flagOf(name)), '--help-settings', '--help']
}

/** Empty when the cluster does not answer: an error message must not appear in the user's command line. */
async function namesOf(
  kind: 'topic' | 'group',
  values: ReadonlyMap<string, readonly string[]>,
  env: CommandContext['env'],
): Promise<readonly string[]> {
  try {
    const { connectionOf } = await import('../connection.ts')
    const { ClusterClient } = await import('../../cluster/cluster-client.ts')
    const [bootstrap, profile] = ['bootstrap-servers', 'profile'].map((name) => values.get(name)?.at(-1))
    const connection = connectionOf({ bootstrap, properties: values.get('property') ?? [], profile }, env)
    const short = { ...connection, connectTimeoutMs: deadlineMs, requestTimeoutMs: deadlineMs }
    await using cluster = await ClusterClient.open({ connection: short, signal: AbortSignal.timeout(deadlineMs) })
    if (kind === 'topic') {
      const { clusterState } = await import('../../cluster/cluster-metadata.ts')
      return (await clusterState(cluster, null)).topics.map(({ name }) => name)
    }
    const { listGroups } = await import('../../cluster/groups.ts')
    return (await listGroups(cluster)).map(({ id }) => id)
  } catch {
    return []
  }
}
