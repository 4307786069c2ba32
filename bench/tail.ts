// A consumer at the end of a partition, alone and while another reads 2 GB from the beginning of a topic: the time from the send of a record to its receipt, p99.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Program, startProgram } from '../packages/sim/src/program.ts'
import { type Build, repository } from './builds.ts'
import { checkProduced, createTopic, produceFrame, stampedFrame, stampOf, topic } from './frames.ts'
import type { BenchOptions } from './options.ts'
import { dropPageCache } from './page-cache.ts'
import { ours } from './processes.ts'
import { type BenchRow, comparedRow } from './report.ts'
import { inTurn, quantile } from './rounds.ts'
import { TopicReader } from './topic-reader.ts'
import { load, WireClient } from './wire-client.ts'

const defaultRounds = 3
const partitions = 12
const coldBytes = 2e9
const quickColdBytes = 2e7
/** Twice what the slowest build needs. */
const fillSeconds = 240
/** Fewer latencies than this have no p99 worth a figure. */
const fewestRecords = 100
const quickFewestRecords = 5
const phaseMs = { warmUp: 3_000, alone: 8_000 }
const quickPhaseMs = { warmUp: 300, alone: 500 }
/** A slower reader is stopped then. */
const besideMs = 15_000
const betweenRecordsMs = 10

interface TailSample {
  readonly aloneMs: number
  readonly besideMs: number
  readonly readerMbPerSecond: number
}

interface TailSubject {
  readonly build: Build
  /** The data directory, for this build only: an older one rejects that of a newer one. */
  readonly folder: string
}

interface TailRun {
  readonly args: readonly string[]
  readonly quick: boolean
  /** The bytes of the batches of the filled topic. */
  readonly coldBytes: number
}

export async function tailBenches({ builds, quick, rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  const parent = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    const subjects = builds.map((build, index) => ({ build, folder: join(parent, String(index)) }))
    let filledBytes = 0
    for (const subject of subjects) filledBytes = await fill(subject, quick ? quickColdBytes : coldBytes)
    const rows: BenchRow[] = []
    for (const [store, args] of [
      ['a directory', []],
      ['a store of 100 ms', ['--store-latency', '100ms']],
    ] as const) {
      const [mine = [], before] = await inTurn(subjects, { rounds: rounds ?? (quick ? 1 : defaultRounds) }, (subject) =>
        tailSample(subject, { args, quick, coldBytes: filledBytes }),
      )
      rows.push(...tailRows(store, mine, before))
    }
    return rows
  } finally {
    await rm(parent, { recursive: true, force: true, maxRetries: 3 })
  }
}

function tailRows(store: string, mine: readonly TailSample[], before: readonly TailSample[] | undefined): readonly BenchRow[] {
  const row = (bench: string, value: (sample: TailSample) => number, shown: (value: number) => string, goal: string): BenchRow =>
    comparedRow({ bench: `${store}: ${bench}`, ours: mine.map(value), before: before?.map(value), shown, goal })
  const ms = (value: number): string => `${value.toFixed(1)} ms`
  return [
    row('tail p99, alone', (sample) => sample.aloneMs, ms, ''),
    row('tail p99, beside a reader of old records', (sample) => sample.besideMs, ms, ''),
    row(
      'beside / alone',
      (sample) => sample.besideMs / sample.aloneMs,
      (value) => value.toFixed(2),
      '≤ 2',
    ),
    row(
      'that reader, MB/s',
      (sample) => sample.readerMbPerSecond,
      (value) => value.toFixed(0),
      '',
    ),
  ]
}

/** Returns the bytes of the batches. Rejects if the server has not acknowledged all of them: the builds would not read the same. */
async function fill({ build, folder }: TailSubject, bytes: number): Promise<number> {
  await using server = await ours({ build, args: ['--dir', folder] })
  const client = await WireClient.open(server.port)
  await createTopic(client, partitions)
  const frame = produceFrame(80 * 1024, partitions)
  const requests = Math.ceil(bytes / (partitions * frame.batchBytes))
  const { answered } = await load(client, frame.bytes, { inFlight: 5, seconds: fillSeconds, requests, check: checkProduced })
  client.close()
  if (answered < requests) throw new Error(`${build.main} stored ${answered} of ${requests} requests in ${fillSeconds} s`)
  return requests * partitions * frame.batchBytes
}

/** Both phases have the same server: a new one, whose memory has none of the old records. Nor has the memory of the system. */
async function tailSample({ build, folder }: TailSubject, { args, quick, coldBytes: bytes }: TailRun): Promise<TailSample> {
  const phases = quick ? quickPhaseMs : phaseMs
  const fewest = quick ? quickFewestRecords : fewestRecords
  await dropPageCache(folder)
  await using server = await ours({ build, args: ['--dir', folder, ...args] })
  await tailP99(server.port, setTimeout(phases.warmUp), 0)
  const alone = await tailP99(server.port, setTimeout(phases.alone), fewest)
  await using reader = startProgram(process.execPath, [
    '--conditions=lks-source',
    join(repository, 'bench/cold-reader.ts'),
    String(server.port),
    topic,
    String(partitions),
    String(bytes),
  ])
  await reader.firstLine()
  const began = performance.now()
  const readBefore = bytesOf(reader)
  const limit = new AbortController()
  let ended = began
  const end = Promise.race([reader.succeeded(), setTimeout(besideMs, undefined, { signal: limit.signal }).catch(() => {})]).finally(() => {
    ended = performance.now()
  })
  const beside = await tailP99(server.port, end, fewest)
  limit.abort()
  const readBytes = bytesOf(reader) - readBefore
  if (readBytes === 0) throw new Error('the reader of old records read nothing beside the consumer at the end')
  return { aloneMs: alone, besideMs: beside, readerMbPerSecond: readBytes / 1e3 / (ended - began) }
}

function bytesOf({ lines }: Pick<Program, 'lines'>): number {
  return lines.reduce((sum, line) => sum + Number(line), 0)
}

/** Produces small records at a steady pace and consumes them until `end` settles. Rejects if there were fewer than `fewest`. */
async function tailP99(port: number, end: Promise<unknown>, fewest: number): Promise<number> {
  const [producer, consumer] = [await WireClient.open(port), await WireClient.open(port)]
  // A topic of its own: the records of earlier phases, each in a small object, would have to be read before the first new one.
  const tailTopic = `tail-${randomUUID()}`
  await createTopic(producer, 1, tailTopic)
  const latenciesMs: number[] = []
  let sentCount = 0
  let ended = false
  const stop = end.finally(() => (ended = true))
  const reader = new TopicReader(consumer, { topic: tailTopic, partitions: 1, maxWaitMs: 500 })
  const produce = async (): Promise<void> => {
    const answers: Promise<void>[] = []
    for (; !ended; sentCount++) {
      answers.push(producer.send(stampedFrame(tailTopic, performance.now())).then((answer) => checkProduced(answer, tailTopic)))
      await setTimeout(betweenRecordsMs)
    }
    await Promise.all(answers)
  }
  const consume = async (): Promise<void> => {
    while (!ended || latenciesMs.length < sentCount) {
      for (const batch of await reader.next()) {
        latenciesMs.push(performance.now() - stampOf(batch))
      }
    }
  }
  await Promise.all([stop, produce(), consume()])
  producer.close()
  consumer.close()
  if (latenciesMs.length < fewest) throw new Error(`only ${latenciesMs.length} records were consumed, which is too few for a p99`)
  return quantile(latenciesMs, 0.99)
}
