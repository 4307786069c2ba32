// The mark-compacts of the server's heap per GB and its peak memory, in both directions: 12 partitions with batches of 16 KiB, as a default Java producer sends them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Build } from './builds.ts'
import { checkProduced, createTopic, produceFrame, topic } from './frames.ts'
import type { BenchOptions } from './options.ts'
import { forgetPeak, type OurServer, ours, peakResidentMb } from './processes.ts'
import { type BenchRow, comparedRow } from './report.ts'
import { inTurn } from './rounds.ts'
import { TopicReader } from './topic-reader.ts'
import { load, WireClient } from './wire-client.ts'

const defaultRounds = 5
const partitions = 12
const batchBytes = 16 * 1024
/** Of producing. Consuming ends with the topic, and at the latest after as long. */
const seconds = 8
const quickSeconds = 0.5

interface MemorySample {
  readonly producedCompactsPerGb: number
  readonly producedPeakMb: number
  readonly consumedCompactsPerGb: number
  readonly consumedPeakMb: number
}

const rowsOf = [
  ['producedCompactsPerGb', 'mark-compacts per GB produced', 1, ''],
  ['producedPeakMb', 'peak memory while producing, MB', 0, '≤ 250'],
  ['consumedCompactsPerGb', 'mark-compacts per GB consumed', 1, ''],
  ['consumedPeakMb', 'peak memory while consuming, MB', 0, ''],
] as const satisfies readonly (readonly [keyof MemorySample, string, number, string])[]

export async function memoryBenches({ builds, quick, rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  const [mine = [], before] = await inTurn(builds, { rounds: rounds ?? (quick ? 1 : defaultRounds) }, (build) =>
    memorySample(build, quick ? quickSeconds : seconds),
  )
  return rowsOf.map(([name, bench, digits, goal]) =>
    comparedRow({
      bench,
      ours: mine.map((sample) => sample[name]),
      before: before?.map((sample) => sample[name]),
      shown: (value) => value.toFixed(digits),
      goal,
    }),
  )
}

/** Each sample has a server of its own. */
async function memorySample(build: Build, limitSeconds: number): Promise<MemorySample> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    await using server = await ours({ build, args: ['--dir', folder], countsCollections: true })
    const client = await WireClient.open(server.port)
    await createTopic(client, partitions)
    const produced = await measured(server, async () => {
      const frame = produceFrame(batchBytes, partitions)
      const { answered } = await load(client, frame.bytes, { inFlight: 5, seconds: limitSeconds, check: checkProduced })
      return answered * partitions * frame.batchBytes
    })
    const consumed = await measured(server, () => consume(client, limitSeconds))
    client.close()
    return {
      producedCompactsPerGb: produced.compactsPerGb,
      producedPeakMb: produced.peakMb,
      consumedCompactsPerGb: consumed.compactsPerGb,
      consumedPeakMb: consumed.peakMb,
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** `work` returns how many bytes it moved. */
async function measured(
  server: OurServer,
  work: () => Promise<number>,
): Promise<{ readonly compactsPerGb: number; readonly peakMb: number }> {
  forgetPeak(server.pid)
  const before = await server.markCompactCount()
  const bytes = await work()
  return {
    compactsPerGb: ((await server.markCompactCount()) - before) / (bytes / 1e9),
    peakMb: peakResidentMb(server.pid) ?? Number.NaN,
  }
}

async function consume(client: WireClient, limitSeconds: number): Promise<number> {
  const reader = new TopicReader(client, { topic, partitions, maxWaitMs: 0 })
  const ends = performance.now() + limitSeconds * 1_000
  let bytes = 0
  while (performance.now() < ends) {
    const batches = await reader.next()
    if (batches.length === 0) break
    for (const batch of batches) bytes += batch.length
  }
  return bytes
}
