// Our builds and Apache Kafka side by side, each as its own server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apacheKafka } from './apache-kafka.ts'
import type { BenchOptions } from './options.ts'
import { type MeasuredServer, ours } from './processes.ts'
import { type BenchRow, comparedRow } from './report.ts'

/** Our builds, and Apache Kafka as the last server: with its defaults for `os`, and with a sync per message for `strict`. */
export async function besideKafka<Sample>(
  { builds }: BenchOptions,
  durability: 'os' | 'strict',
  use: (servers: readonly MeasuredServer[]) => Promise<readonly (readonly Sample[])[]>,
): Promise<readonly (readonly Sample[])[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    await using resources = new AsyncDisposableStack()
    const servers: MeasuredServer[] = []
    for (const [index, build] of builds.entries())
      servers.push(resources.use(await ours({ build, args: ['--dir', join(folder, String(index)), '--durability', durability] })))
    servers.push(resources.use(await apacheKafka(join(folder, 'kafka'), durability === 'strict' ? 'log.flush.interval.messages=1\n' : '')))
    return await use(servers)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** `samples` are ours, those of an older build if there is one, and Kafka's. */
export function kafkaRow(bench: string, goal: string, samples: readonly (readonly number[])[]): BenchRow {
  const [mine = [], before] = samples
  const baseline = samples.at(-1)
  return comparedRow({
    bench,
    ours: mine,
    before: samples.length > 2 ? before : undefined,
    baseline,
    baselineName: 'Kafka',
    shown: (value) => value.toFixed(value < 10 ? 2 : 0),
    goal,
  })
}
