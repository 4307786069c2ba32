// Watches the server during an attack: the latencies of the ordinary client, the memory of the process, and the budgets in /metrics.
import { fileURLToPath } from 'node:url'
import { quantile } from '../../bench/rounds.ts'
import { startProgram } from '../../packages/sim/src/program.ts'
import type { Target } from './attack.ts'

/** What the ordinary client prints. */
export interface Latencies {
  /** In milliseconds, by the kind of request. */
  readonly latencies: Readonly<Record<string, readonly number[]>>
  readonly failures: readonly string[]
}

export interface Others {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly worstMs: number
  /** The kind of request that waited longest. */
  readonly worstKind: string
  readonly failures: readonly string[]
}

export interface OrdinaryClient extends AsyncDisposable {
  /** What it saw since the last call. */
  seen(): Promise<Others>
}

export async function ordinaryClient(target: Target): Promise<OrdinaryClient> {
  const program = fileURLToPath(new URL('ordinary-client.ts', import.meta.url))
  const client = startProgram(process.execPath, ['--conditions=lks-source', program, String(target.port), target.server.urls.data])
  await client.firstLine()
  return {
    async seen() {
      const before = client.lines.length
      client.write('\n')
      await client.until(() => client.lines.length > before)
      // The cast: both programs are compiled from one type.
      return summary(JSON.parse(client.lines.at(-1) ?? '') as Latencies)
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

function summary({ latencies, failures }: Latencies): Others {
  const all = Object.values(latencies).flat()
  const worstOf = (kind: string): number => (latencies[kind] ?? []).reduce((most, each) => Math.max(most, each), 0)
  const [worstKind = 'none'] = Object.keys(latencies).toSorted((a, b) => worstOf(b) - worstOf(a))
  return {
    count: all.length,
    p50Ms: quantile(all, 0.5),
    p99Ms: quantile(all, 0.99),
    worstMs: worstOf(worstKind),
    worstKind,
    failures,
  }
}

export interface Watched {
  readonly residentMiB: number
  /** The sum of the limits of all parts of the memory. */
  readonly limitMiB: number
  /** In CPU time. 0: no turn was long. */
  readonly longestTurnMs: number
  /** The parts of memory that held more than their limit, with both in bytes. */
  readonly overLimit: ReadonlyMap<string, string>
}

/** Samples until the returned function is called. */
export function watch(target: Target): () => Promise<Watched> {
  const over = new Map<string, string>()
  let most = target.residentMiB()
  let limitMiB = 0
  const turnsBefore = target.longTurnsMs().length
  const look = async (): Promise<void> => {
    const values = await target.metrics()
    const limits = [...values].filter(([name]) => name.startsWith('lks_memory_limit_bytes{'))
    limitMiB = limits.reduce((sum, [, bytes]) => sum + bytes, 0) / 1024 / 1024
    for (const [name, bytes] of values) {
      const part = /^lks_memory_bytes\{part="([^"]+)"\}$/.exec(name)?.[1]
      const limit = part === undefined ? undefined : values.get(`lks_memory_limit_bytes{part="${part}"}`)
      if (part !== undefined && limit !== undefined && bytes > limit) over.set(part, `${bytes} of ${limit}`)
    }
  }
  const memory = setInterval(() => {
    most = Math.max(most, target.residentMiB())
  }, 50)
  // While no request is answered, there is nothing to see; the next look is.
  const budgets = setInterval(() => void look().catch(() => {}), 500)
  return async () => {
    clearInterval(memory)
    clearInterval(budgets)
    await look()
    return { residentMiB: most, limitMiB, longestTurnMs: Math.max(0, ...target.longTurnsMs().slice(turnsBefore)), overLimit: over }
  }
}
