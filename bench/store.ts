// A produce to a store with a latency of 100 ms, and commits of 50 partitions per second on SQLite and on PostgreSQL (the server in LKS_TEST_POSTGRES).
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { checkProduced, createTopic, produceFrame } from './frames.ts'
import { ours } from './processes.ts'
import { type BenchRow, quantile } from './report.ts'
import { load, WireClient } from './wire-client.ts'

const latencyMs = 100
const partitions = 50

export async function storeBenches(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [
    await loneProduce(),
    await commits('SQLite, os', ['--durability', 'os']),
    await commits('SQLite, strict', ['--durability', 'strict']),
  ]
  const { LKS_TEST_POSTGRES: postgres } = process.env
  if (postgres !== undefined) rows.push(await commits('PostgreSQL', ['--metadata', postgres, '--cluster-id', randomUUID()]))
  return rows
}

/** Single requests with pauses, like those of a client that has nothing else to send: each waits only for the store. */
async function loneProduce(): Promise<BenchRow> {
  return await withServer(['--store-latency', `${latencyMs}ms`], 1, async (client) => {
    const { bytes } = produceFrame(1_024)
    const latenciesMs: number[] = []
    for (let sent = 0; sent < 10; sent++) {
      const began = performance.now()
      checkProduced(await client.send(bytes))
      latenciesMs.push(performance.now() - began)
      await setTimeout(500)
    }
    const p50 = quantile(latenciesMs, 0.5)
    return {
      bench: 'lone produce, store of 100 ms, p50',
      ours: `${p50.toFixed(1)} ms`,
      baseline: `${latencyMs} ms`,
      ratio: p50 / latencyMs,
      goal: '≤ 1.15',
    }
  })
}

async function commits(name: string, args: readonly string[]): Promise<BenchRow> {
  return await withServer(args, partitions, async (client) => {
    const frame = produceFrame(200, partitions)
    await load(client, frame.bytes, { inFlight: 1, seconds: 1, check: checkProduced })
    const { answered, seconds } = await load(client, frame.bytes, { inFlight: 1, seconds: 3, check: checkProduced })
    const ours = `${(answered / seconds).toFixed(0)} commits/s, ${((answered * partitions) / seconds).toFixed(0)} batches/s`
    return { bench: `commits of ${partitions} partitions, ${name}`, ours, baseline: '', ratio: undefined, goal: '' }
  })
}

async function withServer<T>(args: readonly string[], topicPartitions: number, use: (client: WireClient) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    await using server = await ours(['--dir', join(folder, 'lks'), ...args])
    const client = await WireClient.open(server.port)
    await createTopic(client, topicPartitions)
    const result = await use(client)
    client.close()
    return result
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
