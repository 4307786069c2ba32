// A produce to a store with a latency of 100 ms, and commits of 50 partitions per second on SQLite and on PostgreSQL (the server in LKS_TEST_POSTGRES).
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Build } from './builds.ts'
import { checkProduced, createTopic, produceFrame } from './frames.ts'
import type { BenchOptions } from './options.ts'
import { ours } from './processes.ts'
import { type BenchRow, comparedRow } from './report.ts'
import { inTurn } from './rounds.ts'
import { load, WireClient } from './wire-client.ts'

const latencyMs = 100
const partitions = 50

export async function storeBenches(options: BenchOptions): Promise<readonly BenchRow[]> {
  const { LKS_TEST_POSTGRES: postgres } = process.env
  return [
    await loneProduce(options),
    await commits(options, 'SQLite, os', () => ['--durability', 'os']),
    await commits(options, 'SQLite, strict', () => ['--durability', 'strict']),
    ...(postgres === undefined ? [] : [await commits(options, 'PostgreSQL', () => ['--metadata', postgres, '--cluster-id', randomUUID()])]),
  ]
}

/** Single requests with pauses, like those of a client that has nothing else to send: each waits only for the store. */
async function loneProduce({ builds, quick, rounds }: BenchOptions): Promise<BenchRow> {
  const { bytes } = produceFrame(1_024)
  const [mine = [], before] = await inTurn(builds, { rounds: rounds ?? 1 }, (build) =>
    withServer(build, ['--store-latency', `${latencyMs}ms`], 1, async (client) => {
      const latenciesMs: number[] = []
      for (let sent = 0; sent < (quick ? 1 : 10); sent++) {
        const began = performance.now()
        checkProduced(await client.send(bytes))
        latenciesMs.push(performance.now() - began)
        await setTimeout(500)
      }
      return latenciesMs
    }),
  )
  return comparedRow({
    bench: 'lone produce, store of 100 ms, p50',
    ours: mine.flat(),
    before: before?.flat(),
    baseline: [latencyMs],
    shown: (ms) => `${ms.toFixed(1)} ms`,
    goal: '≤ 1.15',
  })
}

async function commits({ builds, quick, rounds }: BenchOptions, name: string, args: () => readonly string[]): Promise<BenchRow> {
  const frame = produceFrame(200, partitions)
  const [mine = [], before] = await inTurn(builds, { rounds: rounds ?? 1 }, (build) =>
    withServer(build, args(), partitions, async (client) => {
      const check = checkProduced
      await load(client, frame.bytes, { inFlight: 1, seconds: quick ? 0.2 : 1, check })
      const { answered, seconds } = await load(client, frame.bytes, { inFlight: 1, seconds: quick ? 0.2 : 3, check })
      return answered / seconds
    }),
  )
  return comparedRow({
    bench: `commits of ${partitions} partitions, ${name}`,
    ours: mine,
    before,
    shown: (perSecond) => `${perSecond.toFixed(0)} commits/s, ${(perSecond * partitions).toFixed(0)} batches/s`,
  })
}

async function withServer<T>(
  build: Build,
  args: readonly string[],
  topicPartitions: number,
  use: (client: WireClient) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    await using server = await ours({ build, args: ['--dir', join(folder, 'lks'), ...args] })
    const client = await WireClient.open(server.port)
    await createTopic(client, topicPartitions)
    const result = await use(client)
    client.close()
    return result
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
