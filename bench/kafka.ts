// The same load on this server and on Apache Kafka, in turns: `os` against Kafka's default, `strict` against Kafka with a flush per message.
// The load comes from one Node client and from Kafka's own producer-perf-test, which is stopped after a while. Needs LKS_TEST_KAFKA, the tool that starts Kafka.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { startProgram } from '../packages/sim/src/program.ts'
import { checkProduced, createTopic, produceFrame, topic } from './frames.ts'
import { freePort, kafkaTool, ours } from './processes.ts'
import { type BenchRow, median } from './report.ts'
import { load, WireClient } from './wire-client.ts'

const rounds = 3
const secondsPerRound = 2
const startMs = 60_000
/** With a sync per message a run writes a tenth of the data, because otherwise it would take minutes. */
const perfRecords = { os: 50_000, strict: 5_000 } as const
/** A run that takes longer has no result. */
const perfMs = 20_000

export async function kafkaBenches(): Promise<readonly BenchRow[]> {
  if (kafkaTool === undefined) return []
  return [...(await pair('os', '')), ...(await pair('strict', 'log.flush.interval.messages=1\n'))]
}

async function pair(durability: 'os' | 'strict', properties: string): Promise<readonly BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    await using mine = await ours(['--dir', join(folder, 'lks'), '--durability', durability])
    await using theirs = await apacheKafka(join(folder, 'kafka'), properties)
    const rows: BenchRow[] = []
    for (const { port } of [mine, theirs]) {
      const client = await WireClient.open(port)
      await createTopic(client)
      client.close()
    }
    for (const sizeBytes of [1_024, 16_384]) {
      const rates: [number[], number[]] = [[], []]
      const frame = produceFrame(sizeBytes)
      for (let round = -1; round < rounds; round++) {
        for (const [index, { port }] of [mine, theirs].entries()) {
          const client = await WireClient.open(port)
          const { answered, seconds } = await load(client, frame.bytes, { inFlight: 5, seconds: secondsPerRound, check: checkProduced })
          if (round >= 0) rates[index]?.push((answered * frame.batchBytes) / seconds / 1e6)
          client.close()
        }
      }
      rows.push(row(`${durability}: produce ${sizeBytes / 1024} KiB, a Node client`, median(rates[0]), median(rates[1])))
    }
    const perf: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++)
      for (const [index, { port }] of [mine, theirs].entries()) perf[index]?.push(await producerPerf(port, perfRecords[durability]))
    const done = (rates: readonly number[]): readonly number[] => rates.filter((rate) => !Number.isNaN(rate))
    rows.push(row(`${durability}: kafka-producer-perf-test`, median(done(perf[0])), median(done(perf[1]))))
    return rows
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

function row(bench: string, mine: number, theirs: number): BenchRow {
  const rate = (megabytes: number): string => (Number.isNaN(megabytes) ? `not done in ${perfMs / 1_000} s` : `${megabytes.toFixed(1)} MB/s`)
  const ratio = mine / theirs
  return { bench, ours: rate(mine), baseline: `${rate(theirs)} (Kafka)`, ratio: Number.isNaN(ratio) ? undefined : ratio, goal: '' }
}

async function apacheKafka(folder: string, properties: string): Promise<{ readonly port: number } & AsyncDisposable> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'extra.properties'), properties)
  const port = await freePort()
  // A separate process group, so that the JVM that the script starts ends with it.
  const broker = startProgram(kafkaTool ?? '', ['broker', folder, String(port)], { group: true })
  try {
    for (const deadline = performance.now() + startMs; ; ) {
      try {
        const client = await WireClient.open(port)
        client.close()
        return { port, [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose]() }
      } catch (error) {
        if (performance.now() > deadline) throw error
        await setTimeout(200)
      }
    }
  } catch (error) {
    await broker.kill()
    throw error
  }
}

/** MB per second; NaN if it was not done in time. */
async function producerPerf(port: number, records: number): Promise<number> {
  const args = ['--topic', topic, '--num-records', String(records), '--record-size', '1000', '--throughput', '-1']
  const to = ['--producer-props', `bootstrap.servers=127.0.0.1:${port}`, 'acks=all']
  await using perf = startProgram(kafkaTool ?? '', ['producer-perf', ...args, ...to], { limitMs: perfMs })
  const { signal, stdout } = await perf.ended
  if (signal === 'SIGKILL') return Number.NaN
  // The last line is the summary; its MB are MiB.
  const megabytes = /\(([\d.]+) MB\/sec\)/.exec(stdout.trim().split('\n').at(-1) ?? '')?.[1]
  if (megabytes === undefined) throw new Error(`no rate in: ${stdout}`)
  return Number(megabytes) * 1.048_576
}
