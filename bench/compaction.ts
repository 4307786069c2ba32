// Log compaction beside Kafka's log cleaner: a partition whose keys were written over and over is compacted to the last value of each key, while a producer writes to another topic.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { buildBatch, IncrementalAlterConfigs, readBatchHeader } from '@local-kafka-service/protocol'
import { nativeCrc32c } from '../packages/agent/src/codecs.ts'
import { apacheKafka, kafkaTool } from './apache-kafka.ts'
import { checkProduced, createTopic, framed, stampedFrame } from './frames.ts'
import type { BenchOptions } from './options.ts'
import { forgetPeak, type MeasuredServer, ours, peakResidentMb } from './processes.ts'
import { type BenchRow, comparedRow } from './report.ts'
import { inTurn, quantile } from './rounds.ts'
import { TopicReader } from './topic-reader.ts'
import { WireClient } from './wire-client.ts'

const keyCount = 1_000_000
const quickKeyCount = 20_000
/** How often each key is written. */
const writesPerKey = 20
const recordsPerBatch = 1_000
const valueBytes = 40
const batchesInFlight = 5
/** A prime that divides neither number of keys: each pass over the keys has another order. */
const stride = 7_919

const logTopic = 'users'
const probeTopic = 'probe'
const betweenProbesMs = 10
const aloneMs = 8_000
const quickAloneMs = 1_000
/** Several times what both need. */
const limitMs = 600_000

/** Nothing is compacted while the records are written. */
const written = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'segment.bytes': String(64 * 1024 * 1024) }

interface CompactionSample {
  readonly megabytesPerSecond: number
  readonly cpuSecondsPerGb: number
  readonly peakMb: number
  /** What the pass, and the producer beside it, add to what the server holds after the records were written. */
  readonly addedMb: number
  readonly aloneP99Ms: number
  readonly besideP99Ms: number
  readonly recordsLeft: number
}

interface CompactingServer extends MeasuredServer {
  /** Called before the time is taken. */
  readonly prepare: (client: WireClient) => Promise<void>
  /** Resolves at the end of the pass. */
  readonly compact: (client: WireClient) => Promise<void>
}

interface CompactionSubject {
  readonly name: string
  readonly start: (folder: string) => Promise<CompactingServer>
}

export async function compactionBenches({ builds, quick, rounds = 1 }: BenchOptions): Promise<readonly BenchRow[]> {
  const subjects: readonly CompactionSubject[] = [
    ...builds.map((build) => ({
      name: build.main,
      async start(folder: string) {
        const server = await ours({ build, args: ['--dir', folder] })
        const compact = async (client: WireClient): Promise<void> => {
          await setConfigs(client, { 'cleanup.policy': 'compact' })
          await server.compact(logTopic)
        }
        return { ...server, prepare: async () => {}, compact }
      },
    })),
    ...(kafkaTool === undefined ? [] : [{ name: 'Kafka', start: kafkaSubject }]),
  ]
  const keys = quick ? quickKeyCount : keyCount
  const samples = await inTurn(subjects, { rounds }, (subject) => compactionSample(subject, { keys, quick }))
  const before = builds.length > 1 ? samples[1] : undefined
  const kafkas = kafkaTool === undefined ? undefined : samples.at(-1)
  const row = (
    bench: string,
    value: (sample: CompactionSample) => number,
    { digits = 0, goal = '' }: { readonly digits?: number; readonly goal?: string } = {},
  ): BenchRow =>
    comparedRow({
      bench: `compaction of ${keys} keys, ${writesPerKey} times: ${bench}`,
      ours: samples[0]?.map(value) ?? [],
      before: before?.map(value),
      ...(kafkas !== undefined && { baseline: kafkas.map(value), baselineName: 'Kafka' }),
      shown: (number) => number.toFixed(digits),
      goal,
    })
  return [
    row('MB of the log per second', (sample) => sample.megabytesPerSecond, { digits: 1, goal: '≥ 0.7' }),
    row('CPU s per GB of the log', (sample) => sample.cpuSecondsPerGb, { digits: 1 }),
    row('peak resident memory, MiB', (sample) => sample.peakMb, { goal: '≤ 256 MiB' }),
    row('resident memory that is added, MiB', (sample) => sample.addedMb),
    row('produce p99 alone, ms', (sample) => sample.aloneP99Ms, { digits: 1 }),
    row('produce p99 beside it, ms', (sample) => sample.besideP99Ms, { digits: 1 }),
    row('p99 beside / alone', (sample) => sample.besideP99Ms / sample.aloneP99Ms, { digits: 2, goal: '≤ 2 (ours)' }),
    row('records left', (sample) => sample.recordsLeft),
  ]
}

async function compactionSample(
  { name, start }: CompactionSubject,
  { keys, quick }: { readonly keys: number; readonly quick: boolean },
): Promise<CompactionSample> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    await using server = await start(folder)
    const client = await WireClient.open(server.port)
    await createTopic(client, 1, logTopic, written)
    await createTopic(client, 1, probeTopic)
    const logBytes = await fill(client, keys)
    await server.prepare(client)
    const aloneP99Ms = await produceP99(server.port, setTimeout(quick ? quickAloneMs : aloneMs))
    forgetPeak(server.pid)
    const beforeMb = peakResidentMb(server.pid) ?? Number.NaN
    const [began, cpuBefore] = [performance.now(), server.cpuSeconds()]
    let ended = began
    const compacted = server.compact(client).then(() => void (ended = performance.now()))
    const besideP99Ms = await produceP99(server.port, compacted)
    const cpuSeconds = server.cpuSeconds() - cpuBefore
    const peakMb = peakResidentMb(server.pid) ?? Number.NaN
    const recordsLeft = await countRecords(client)
    client.close()
    // The last record may have a key of its own.
    if (recordsLeft < keys || recordsLeft > keys + 1) throw new Error(`${name} has left ${recordsLeft} records of ${keys} keys`)
    return {
      megabytesPerSecond: logBytes / 1e3 / (ended - began),
      cpuSecondsPerGb: cpuSeconds / (logBytes / 1e9),
      peakMb,
      addedMb: peakMb - beforeMb,
      aloneP99Ms,
      besideP99Ms,
      recordsLeft,
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Returns the bytes of the batches. */
async function fill(client: WireClient, keys: number): Promise<number> {
  const baseTimestamp = Date.now()
  const value = Buffer.alloc(valueBytes)
  let bytes = 0
  const answers: Promise<void>[] = []
  for (let first = 0; first < keys * writesPerKey; first += recordsPerBatch) {
    const records = Array.from({ length: recordsPerBatch }, (_, offsetDelta) => {
      const at = first + offsetDelta
      const pass = Math.floor(at / keys)
      const key = Buffer.from(`user-${(at * (stride + 2 * pass)) % keys}`)
      const own = Buffer.from(value)
      own.write(`${at} ${Math.imul(at, 0x9e3779b1) >>> 0}`)
      return { offsetDelta, timestamp: baseTimestamp, key, value: own, headers: [] }
    })
    const batch = buildBatch({ baseTimestamp, records }, nativeCrc32c)
    bytes += batch.length
    answers.push(client.send(framed(batch, 1, logTopic).bytes).then((answer) => checkProduced(answer, logTopic)))
    if (answers.length === batchesInFlight) await answers.shift()
  }
  await Promise.all(answers)
  return bytes
}

/** Of single records at a steady pace, until `end` settles. */
async function produceP99(port: number, end: Promise<unknown>): Promise<number> {
  const client = await WireClient.open(port)
  const latenciesMs: number[] = []
  let ended = false
  const stop = end.finally(() => (ended = true))
  const answers: Promise<void>[] = []
  while (!ended) {
    const sentMs = performance.now()
    answers.push(
      client.send(stampedFrame(probeTopic, sentMs)).then((answer) => {
        checkProduced(answer, probeTopic)
        latenciesMs.push(performance.now() - sentMs)
      }),
    )
    await setTimeout(betweenProbesMs)
  }
  await Promise.all([stop, ...answers])
  client.close()
  return quantile(latenciesMs, 0.99)
}

async function countRecords(client: WireClient): Promise<number> {
  const reader = new TopicReader(client, { topic: logTopic, partitions: 1, maxWaitMs: 0 })
  let count = 0
  for (;;) {
    const batches = await reader.next()
    if (batches.length === 0) return count
    for (const batch of batches) count += readBatchHeader(batch, 0).recordCount
  }
}

/** Its cleaner leaves the newest segment alone, so one more record begins another segment. The checkpoint file says how far it has cleaned. */
async function kafkaSubject(folder: string): Promise<CompactingServer> {
  const server = await apacheKafka(folder, 'log.cleaner.backoff.ms=100\n')
  const prepare = async (client: WireClient): Promise<void> => {
    await setConfigs(client, { 'segment.ms': '1000' })
    await setTimeout(1_100)
    checkProduced(await client.send(stampedFrame(logTopic, 0, 'last')), logTopic)
  }
  const compact = async (client: WireClient): Promise<void> => {
    await setConfigs(client, { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01' })
    const checkpoint = join(folder, 'log/cleaner-offset-checkpoint')
    for (const deadline = performance.now() + limitMs; performance.now() < deadline; await setTimeout(20)) {
      const text = await readFile(checkpoint, 'utf8').catch(() => '')
      if (text.split('\n').some((line) => line.startsWith(`${logTopic} 0 `))) return
    }
    throw new Error(`Kafka has not compacted the topic within ${limitMs / 1_000} s`)
  }
  return { ...server, prepare, compact }
}

async function setConfigs(client: WireClient, configs: Readonly<Record<string, string>>): Promise<void> {
  const set = Object.entries(configs).map(([name, value]) => ({ name, configOperation: 0, value }))
  const resources = [{ resourceType: 2, resourceName: logTopic, configs: set }]
  const { responses } = await client.ask(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
  const code = responses[0]?.errorCode
  if (code !== 0) throw new Error(`the configs were not changed: error ${code}`)
}
