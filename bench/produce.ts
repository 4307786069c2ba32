// Produce and fetch against the bare loop: bytes per second, CPU per GB, and the latency of one request at a time.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkProduced, createTopic, fetchFrame, type ProduceFrame, produceFrame } from './frames.ts'
import type { BenchOptions } from './options.ts'
import { bareLoop, type MeasuredServer, ours } from './processes.ts'
import { type BenchRow, comparedRow } from './report.ts'
import { inTurn, median, quantile } from './rounds.ts'
import { type Load, load, WireClient } from './wire-client.ts'

type Durability = 'os' | 'strict'

export interface LoadResult {
  readonly megabytesPerSecond: number
  readonly cpuSecondsPerGb: number
  readonly p50Ms: number
}

/** The samples of each subject. */
interface Compared<Sample> {
  readonly ours: readonly Sample[]
  readonly before: readonly Sample[] | undefined
  readonly bare: readonly Sample[]
}

const defaultRounds = 5
const defaultSecondsPerRound = 1.5
const quickSecondsPerRound = 0.2

export async function produceBenches(
  options: BenchOptions,
  sizes: readonly number[],
  durability: Durability,
): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = []
  for (const sizeBytes of sizes) {
    const { ours: mine, before, bare } = await produced(options, { sizeBytes, durability, inFlight: 5 })
    const bench = `produce ${size(sizeBytes)}, ${durability}, 5 in flight`
    const row = (name: keyof LoadResult, unit: string, digits: number, goal: string): BenchRow =>
      comparedRow({
        bench: `${bench}, ${unit}`,
        ours: mine.map((sample) => sample[name]),
        before: before?.map((sample) => sample[name]),
        baseline: bare.map((sample) => sample[name]),
        shown: (value) => value.toFixed(digits),
        goal,
      })
    rows.push(row('megabytesPerSecond', 'MB/s', 0, sizeBytes >= 16_384 ? '≥ 0.8' : ''), row('cpuSecondsPerGb', 'CPU s/GB', 2, ''))
  }
  return rows
}

export async function latencyBench(options: BenchOptions, durability: Durability): Promise<BenchRow> {
  const { ours: mine, before, bare } = await produced(options, { sizeBytes: 1_024, durability, inFlight: 1 })
  return comparedRow({
    bench: `produce 1 KiB, ${durability}, one in flight, p50`,
    ours: mine.map(({ p50Ms }) => p50Ms),
    before: before?.map(({ p50Ms }) => p50Ms),
    baseline: bare.map(({ p50Ms }) => p50Ms),
    shown: (ms) => `${ms.toFixed(2)} ms`,
    goal: '≤ 1.5',
  })
}

export async function fetchBench(options: BenchOptions): Promise<readonly BenchRow[]> {
  const frame = produceFrame(16_384)
  const seconds = secondsPerRound(options)
  const {
    ours: mine,
    before,
    bare,
  } = await withServers(options, { sizeBytes: 16_384, durability: 'os' }, async (servers) => {
    for (const { port } of servers) {
      const client = await WireClient.open(port)
      for (let sent = 0; sent < 512; sent++) await client.send(frame.bytes)
      client.close()
    }
    return await inTurn(servers, { rounds: options.rounds ?? (options.quick ? 1 : defaultRounds), warmUps: 1 }, async (server) => {
      const client = await WireClient.open(server.port)
      const cpuBefore = server.cpuSeconds()
      let bytes = 0
      const { seconds: took } = await load(client, fetchFrame(0), { inFlight: 1, seconds, check: (answer) => (bytes += answer.length) })
      client.close()
      return { megabytesPerSecond: bytes / took / 1e6, cpuSecondsPerGb: ((server.cpuSeconds() - cpuBefore) / bytes) * 1e9 }
    })
  })
  const row = (name: 'megabytesPerSecond' | 'cpuSecondsPerGb', unit: string, digits: number): BenchRow =>
    comparedRow({
      bench: `fetch 1 MiB at a time, ${unit}`,
      ours: mine.map((sample) => sample[name]),
      before: before?.map((sample) => sample[name]),
      baseline: bare.map((sample) => sample[name]),
      shown: (value) => value.toFixed(digits),
    })
  return [row('megabytesPerSecond', 'MB/s', 0), row('cpuSecondsPerGb', 'CPU s/GB', 2)]
}

export async function measure(server: MeasuredServer, frame: ProduceFrame, of: Load): Promise<LoadResult> {
  const client = await WireClient.open(server.port)
  const cpuBefore = server.cpuSeconds()
  const { answered, seconds: took, latenciesMs } = await load(client, frame.bytes, of)
  const cpu = server.cpuSeconds() - cpuBefore
  client.close()
  const bytes = answered * frame.batchBytes
  return { megabytesPerSecond: bytes / took / 1e6, cpuSecondsPerGb: (cpu / bytes) * 1e9, p50Ms: quantile(latenciesMs, 0.5) }
}

export function medians(samples: readonly LoadResult[]): LoadResult {
  return {
    megabytesPerSecond: median(samples.map((sample) => sample.megabytesPerSecond)),
    cpuSecondsPerGb: median(samples.map((sample) => sample.cpuSecondsPerGb)),
    p50Ms: median(samples.map((sample) => sample.p50Ms)),
  }
}

export function secondsPerRound({ quick }: BenchOptions): number {
  return quick ? quickSecondsPerRound : defaultSecondsPerRound
}

export function size(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MiB` : `${bytes / 1024} KiB`
}

async function produced(
  options: BenchOptions,
  { inFlight, ...of }: { readonly sizeBytes: number; readonly durability: Durability; readonly inFlight: number },
): Promise<Compared<LoadResult>> {
  return await withServers(options, of, (servers) => {
    const frame = produceFrame(of.sizeBytes)
    const rounds = { rounds: options.rounds ?? (options.quick ? 1 : defaultRounds), warmUps: 1 }
    // The bare loop's answers are not those of Kafka.
    return inTurn(servers, rounds, (server) =>
      measure(server, frame, { inFlight, seconds: secondsPerRound(options), check: server === servers.at(-1) ? () => {} : checkProduced }),
    )
  })
}

/** Our builds, and the bare loop as the last server. */
async function withServers<Sample>(
  { builds: [build, before] }: BenchOptions,
  { sizeBytes, durability }: { readonly sizeBytes: number; readonly durability: Durability },
  use: (servers: readonly MeasuredServer[]) => Promise<readonly (readonly Sample[])[]>,
): Promise<Compared<Sample>> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    await using mine = await ours({ build, args: ['--dir', join(folder, 'lks'), '--durability', durability] })
    await using older = before && (await ours({ build: before, args: ['--dir', join(folder, 'before'), '--durability', durability] }))
    await using bare = await bareLoop(join(folder, 'bare'), produceFrame(sizeBytes).batchAt, durability)
    const servers = older === undefined ? [mine] : [mine, older]
    for (const { port } of servers) {
      const client = await WireClient.open(port)
      await createTopic(client)
      client.close()
    }
    const samples = await use([...servers, bare])
    return { ours: samples[0] ?? [], before: older && samples[1], bare: samples.at(-1) ?? [] }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
