// A store with a latency of 100 ms, as S3 has: what a default Java producer and a default Java consumer get from it, and the requests to the store that they cost.
// The consumer reads after a restart, so that nothing is in memory.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { consumerPerf, type PerfRun, perfRecordBytes, producerPerf } from './apache-kafka.ts'
import type { Build } from './builds.ts'
import { createTopic } from './frames.ts'
import type { BenchOptions } from './options.ts'
import { dropPageCache } from './page-cache.ts'
import { type OurServer, ours } from './processes.ts'
import { type BenchRow, comparedRow } from './report.ts'
import { inTurn } from './rounds.ts'
import { WireClient } from './wire-client.ts'

const defaultRounds = 3
/** Of a direction, from the first answer on; a slower build is measured by what it has done until then. */
const limitMs = 15_000
/** A tool that has no answer by then ends the bench. On a machine with many busy processes, the start of a JVM has taken 15 s. */
const beginMs = 120_000
const fillMs = 180_000
const checkMs = 50

/** One number of partitions: the records that are produced to the slow store, those that are there for the consumer, and the goals in MB/s. */
interface ColdCase {
  readonly partitions: number
  readonly produceRecords: number
  readonly storedRecords: number
  readonly goals: { readonly produce: string; readonly consume: string }
}

const cases: readonly ColdCase[] = [
  { partitions: 1, produceRecords: 8_000, storedRecords: 100_000, goals: { produce: '≥ 0.7 MB/s', consume: '' } },
  { partitions: 12, produceRecords: 80_000, storedRecords: 400_000, goals: { produce: '≥ 8 MB/s', consume: '≥ 75 MB/s' } },
]
const quickRecords = 500

interface ColdSample {
  readonly producedMbPerSecond: number
  readonly putsPerGb: number
  readonly consumedMbPerSecond: number
  readonly getsPerGb: number
}

export async function coldBenches({ builds, quick, rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = []
  for (const { goals, ...of } of cases) {
    const counts = quick ? { ...of, produceRecords: quickRecords, storedRecords: quickRecords } : of
    const [mine = [], before] = await inTurn(builds, { rounds: rounds ?? (quick ? 1 : defaultRounds) }, (build) =>
      coldSample(build, counts),
    )
    const row = (name: keyof ColdSample, bench: string, goal: string): BenchRow =>
      comparedRow({
        bench: `store of 100 ms, ${of.partitions} ${of.partitions === 1 ? 'partition' : 'partitions'}: ${bench}`,
        ours: mine.map((sample) => sample[name]),
        before: before?.map((sample) => sample[name]),
        shown: (value) => value.toFixed(value < 10 ? 2 : 0),
        goal,
      })
    rows.push(
      row('producedMbPerSecond', 'produce, MB/s', goals.produce),
      row('putsPerGb', 'PUTs per GB produced', ''),
      row('consumedMbPerSecond', 'cold consume, MB/s', goals.consume),
      row('getsPerGb', 'GETs per GB consumed', ''),
    )
  }
  return rows
}

async function coldSample(build: Build, { partitions, produceRecords, storedRecords }: Omit<ColdCase, 'goals'>): Promise<ColdSample> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  const slow = ['--dir', folder, '--store-latency', '100ms']
  try {
    {
      await using server = await ours({ build, args: ['--dir', folder] })
      const client = await WireClient.open(server.port)
      for (const topic of ['produced', 'stored']) await createTopic(client, partitions, topic)
      client.close()
      const rate = await producerPerf({ port: server.port, topic: 'stored', records: storedRecords, limitMs: fillMs })
      if (Number.isNaN(rate)) throw new Error(`${build.main} has not stored ${storedRecords} records within ${fillMs / 1_000} s`)
    }
    let produced: Moved
    {
      await using server = await ours({ build, args: slow })
      const { port } = server
      produced = await moved(server, { api: 'Produce', records: produceRecords, operation: 'put' }, (begun) =>
        producerPerf({ port, topic: 'produced', records: produceRecords, limitMs, begun }),
      )
    }
    await dropPageCache(folder)
    await using server = await ours({ build, args: slow })
    const { port } = server
    const consumed = await moved(server, { api: 'Fetch', records: storedRecords, operation: 'read' }, (begun) =>
      consumerPerf({ port, topic: 'stored', records: storedRecords, limitMs, begun }),
    )
    return {
      producedMbPerSecond: produced.megabytesPerSecond,
      putsPerGb: produced.requestsPerGb,
      consumedMbPerSecond: consumed.megabytesPerSecond,
      getsPerGb: consumed.requestsPerGb,
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

interface Moved {
  readonly megabytesPerSecond: number
  /** Requests to the store. */
  readonly requestsPerGb: number
}

interface MovedBy {
  readonly api: 'Produce' | 'Fetch'
  readonly records: number
  readonly operation: 'put' | 'read'
}

/**
 * `work` returns MB per second, or NaN if it was not done in time. In that case the server's count of the bytes that it has acknowledged or sent, from the first ones on, is divided
 * by the limit.
 */
async function moved(
  server: OurServer,
  { api, records, operation }: MovedBy,
  work: (begun: NonNullable<PerfRun['begun']>) => Promise<number>,
): Promise<Moved> {
  const requests = (): Promise<number> => server.metric('lks_store_requests_total', { operation })
  const bytes = (): Promise<number> => server.metric(api === 'Produce' ? 'lks_request_bytes_total' : 'lks_reply_bytes_total', { api })
  const before = { requests: await requests(), bytes: await bytes() }
  const rate = await work(async (ended) => {
    for (const deadline = performance.now() + beginMs; (await bytes()) <= before.bytes; ) {
      if (performance.now() > deadline) throw new Error(`${api}: nothing was moved within ${beginMs / 1_000} s of the tool's start`)
      if (ended.aborted) return
      await setTimeout(checkMs)
    }
  })
  const done = !Number.isNaN(rate)
  const movedBytes = done ? records * perfRecordBytes : (await bytes()) - before.bytes
  const requestCount = (await requests()) - before.requests
  // A build without these metrics: there is nothing to report.
  if (!(movedBytes > 0 && requestCount > 0))
    throw new Error(`${api}: ${movedBytes} bytes were moved with ${requestCount} requests to the store`)
  return { megabytesPerSecond: done ? rate : movedBytes / 1e3 / limitMs, requestsPerGb: requestCount / (movedBytes / 1e9) }
}
