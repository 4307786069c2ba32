// Fails the build if the agent would be loaded before the Kafka port is open. That is easily done: one imported constant is enough, and it costs a third of the start.
import type { OutputBundle, Plugin } from 'rolldown'

/** The module that `lks dev` loads to open the port. */
const opensThePort = '/packages/cli/src/command/run-server.ts'
/** The composition root of the agent: wherever it is, the agent is. */
const agent = '/packages/agent/src/agent.ts'

export function portBeforeAgent(): Plugin {
  return {
    name: 'port before agent',
    generateBundle(_options, bundle) {
      const file = Object.values(bundle).find((candidate) => has(candidate, opensThePort))
      if (file === undefined) throw new Error(`no chunk has ${opensThePort}`)
      const path = pathToAgent(bundle, [file.fileName], new Set())
      if (path === undefined) return
      const advice = 'name what it needs of the agent in the group `port` of rolldown.config.ts, or import it later'
      throw new Error(`the agent would be loaded before the Kafka port is open (${path.join(' imports ')}): ${advice}`)
    },
  }
}

function has(file: OutputBundle[string] | undefined, module: string): boolean {
  return file?.type === 'chunk' && file.moduleIds.some((id) => id.endsWith(module))
}

/** Continues `path`, the names of chunks that import one another when they are loaded. Undefined if it does not lead to the agent. */
function pathToAgent(bundle: OutputBundle, path: readonly string[], seen: Set<string>): readonly string[] | undefined {
  const name = path.at(-1) ?? ''
  const file = bundle[name]
  if (has(file, agent)) return path
  if (file?.type !== 'chunk' || seen.has(name)) return undefined
  seen.add(name)
  for (const next of file.imports) {
    const found = pathToAgent(bundle, [...path, next], seen)
    if (found !== undefined) return found
  }
  return undefined
}
