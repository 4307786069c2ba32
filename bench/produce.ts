// Produce and fetch against the bare loop: bytes per second, CPU per GB, and the latency of one request at a time.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkProduced, createTopic, fetchFrame, produceFrame } from './frames.ts'
import { bareLoop, cpuSeconds, type MeasuredServer, ours } from './processes.ts'
import { type BenchRow, median, quantile } from './report.ts'
import { load, WireClient } from './wire-client.ts'

type Durability = 'os' | 'strict'

export interface LoadResult {
  readonly megabytesPerSecond: number
  readonly cpuSecondsPerGb: number
  readonly p50Ms: number
}

const rounds = 5
const secondsPerRound = 1.5

export async function produceBenches(sizes: readonly number[], durability: Durability): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = []
  for (const sizeBytes of sizes) {
    const [mine, bare] = await sideBySide(sizeBytes, durability, 5)
    rows.push({
      bench: `produce ${size(sizeBytes)}, ${durability}, 5 in flight`,
      ours: `${mine.megabytesPerSecond.toFixed(0)} MB/s, ${mine.cpuSecondsPerGb.toFixed(2)} CPU s/GB`,
      baseline: `${bare.megabytesPerSecond.toFixed(0)} MB/s, ${bare.cpuSecondsPerGb.toFixed(2)} CPU s/GB`,
      ratio: mine.megabytesPerSecond / bare.megabytesPerSecond,
      goal: sizeBytes >= 16_384 ? '≥ 0.5' : '',
    })
  }
  return rows
}

export async function latencyBench(durability: Durability): Promise<BenchRow> {
  const [mine, bare] = await sideBySide(1_024, durability, 1)
  return {
    bench: `produce 1 KiB, ${durability}, one in flight, p50`,
    ours: `${mine.p50Ms.toFixed(2)} ms`,
    baseline: `${bare.p50Ms.toFixed(2)} ms`,
    ratio: mine.p50Ms / bare.p50Ms,
    goal: '≤ 3',
  }
}

export async function fetchBench(): Promise<BenchRow> {
  return await withServers(16_384, 'os', async (servers) => {
    const frame = produceFrame(16_384)
    const samples: [number[], number[]] = [[], []]
    for (const { port } of servers) {
      const client = await WireClient.open(port)
      for (let sent = 0; sent < 512; sent++) await client.send(frame.bytes)
      client.close()
    }
    for (let round = 0; round < rounds; round++) {
      for (const [index, { port }] of servers.entries()) {
        const client = await WireClient.open(port)
        let bytes = 0
        const { seconds } = await load(client, fetchFrame(0), {
          inFlight: 1,
          seconds: secondsPerRound,
          check: (answer) => (bytes += answer.length),
        })
        samples[index]?.push(bytes / seconds / 1e6)
        client.close()
      }
    }
    const [mine, bare] = [median(samples[0]), median(samples[1])]
    return {
      bench: 'fetch 1 MiB at a time',
      ours: `${mine.toFixed(0)} MB/s`,
      baseline: `${bare.toFixed(0)} MB/s`,
      ratio: mine / bare,
      goal: '≥ 0.5',
    }
  })
}

/** Runs both in turns, so that a disturbance of the machine affects both. */
async function sideBySide(sizeBytes: number, durability: Durability, inFlight: number): Promise<readonly [LoadResult, LoadResult]> {
  return await withServers(sizeBytes, durability, async (servers) => {
    const frame = produceFrame(sizeBytes)
    const samples: [LoadResult[], LoadResult[]] = [[], []]
    for (let round = -1; round < rounds; round++) {
      for (const [index, server] of servers.entries()) {
        const sample = await measure(server, frame, inFlight, index === 0 ? checkProduced : () => {})
        if (round >= 0) samples[index]?.push(sample) // the first round warms up
      }
    }
    return [medians(samples[0]), medians(samples[1])]
  })
}

export async function measure(
  server: MeasuredServer,
  frame: ReturnType<typeof produceFrame>,
  inFlight: number,
  check: (answer: Buffer) => void,
): Promise<LoadResult> {
  const client = await WireClient.open(server.port)
  const cpuBefore = cpuSeconds(server.pid) ?? Number.NaN
  const { answered, seconds, latenciesMs } = await load(client, frame.bytes, { inFlight, seconds: secondsPerRound, check })
  const cpu = (cpuSeconds(server.pid) ?? Number.NaN) - cpuBefore
  client.close()
  const bytes = answered * frame.batchBytes
  return { megabytesPerSecond: bytes / seconds / 1e6, cpuSecondsPerGb: (cpu / bytes) * 1e9, p50Ms: quantile(latenciesMs, 0.5) }
}

export function medians(samples: readonly LoadResult[]): LoadResult {
  return {
    megabytesPerSecond: median(samples.map((sample) => sample.megabytesPerSecond)),
    cpuSecondsPerGb: median(samples.map((sample) => sample.cpuSecondsPerGb)),
    p50Ms: median(samples.map((sample) => sample.p50Ms)),
  }
}

async function withServers<T>(
  sizeBytes: number,
  durability: Durability,
  use: (servers: readonly [MeasuredServer, MeasuredServer]) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    await using mine = await ours(['--dir', join(folder, 'lks'), '--durability', durability])
    await using bare = await bareLoop(join(folder, 'bare'), produceFrame(sizeBytes).batchAt, durability)
    const client = await WireClient.open(mine.port)
    await createTopic(client)
    client.close()
    return await use([mine, bare])
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

export function size(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MiB` : `${bytes / 1024} KiB`
}
