// The work of `lks bench`: producers and one consumer at the same time, and what they measured.
import { counted } from 'local-kafka-service/internal/counted'
import { ClusterClient, withCluster } from '../../cluster/cluster-client.ts'
import type { CommandContext, ParsedCommand } from '../client-command.ts'
import { bytesText } from '../output/bytes-text.ts'
import { fieldsBlock, formatOf, show } from '../output/output.ts'
import { openReader, partitionsOf } from '../records/clients.ts'
import { BenchConsumer } from './bench-consumer.ts'
import { type BenchPlan, benchPlanOf } from './bench-plan.ts'
import { BenchProducer, type ProducedTotals } from './bench-producer.ts'
import { BenchValues } from './bench-values.ts'
import { Latencies, type LatencySummary } from './latencies.ts'

/** Rejects with a UserError when the cluster rejects a batch or is away. Ctrl-C ends the load early, and the result is shown. */
export async function runBench(given: ParsedCommand, context: CommandContext): Promise<void> {
  const own = given.option('topic') === undefined
  const plan = benchPlanOf(given)
  if (own) await createTopic(plan.topic, Number(given.option('partitions') ?? 6), context)
  try {
    const result = await measure(plan, { consumes: !given.flag('produce-only') }, context)
    showResult(result, plan, given, context)
  } finally {
    if (own) await deleteTopic(plan.topic, context)
  }
}

/** The time for the last records to arrive. */
const lastRecordsMs = 30_000

interface BenchResult {
  readonly partitions: number
  readonly produced: ProducedTotals & { readonly seconds: number; readonly latency: LatencySummary | undefined }
  /** Undefined: nothing was consumed. */
  readonly consumed: { readonly records: number; readonly seconds: number; readonly latency: LatencySummary | undefined } | undefined
}

async function measure(plan: BenchPlan, { consumes }: { readonly consumes: boolean }, context: CommandContext): Promise<BenchResult> {
  const { connection, signal, terminal } = context
  const reader = await openReader(connection, [plan.topic])
  try {
    const partitions = await partitionsOf(reader, { topic: plan.topic, wanted: [] })
    const values = new BenchValues({ sizeBytes: plan.sizeBytes, mark: BenchValues.newMark(Math.random), random: Math.random })
    const consumer = consumes ? await BenchConsumer.open({ client: reader, topic: plan.topic, partitions, values, context }) : undefined
    const latencies = new Latencies()
    const beganMs = performance.now()
    const ending = AbortSignal.any([signal, AbortSignal.timeout(plan.durationMs)])
    const producers = await Promise.all(
      Array.from({ length: plan.producers }, (_, index) =>
        BenchProducer.open({ plan, values, latencies, partitions, index, connection, terminal }),
      ),
    )
    const shown = showProgress(producers, context)
    let produced: ProducedTotals
    let producedMs: number
    try {
      await Promise.all(producers.map((producer) => producer.run(ending)))
      producedMs = performance.now() - beganMs
      produced = sum(producers)
      await consumer?.until(produced.records, AbortSignal.any([signal, AbortSignal.timeout(lastRecordsMs)]))
    } finally {
      shown.stop()
      await consumer?.stop()
      await Promise.all(producers.map((producer) => producer.close()))
    }
    return {
      partitions: partitions.length,
      produced: { ...produced, seconds: producedMs / 1000, latency: latencies.summary() },
      consumed: consumer && { records: consumer.records, seconds: consumer.seconds, latency: consumer.latencies.summary() },
    }
  } finally {
    await reader.close(true)
  }
}

function sum(producers: readonly ProducedTotals[]): ProducedTotals {
  return {
    records: producers.reduce((all, { records }) => all + records, 0),
    requests: producers.reduce((all, { requests }) => all + requests, 0),
  }
}

/** On a terminal, one line that is written again every second. */
function showProgress(producers: readonly ProducedTotals[], { terminal }: CommandContext): { readonly stop: () => void } {
  if (!terminal.interactive) return { stop() {} }
  const timer = setInterval(() => terminal.talk.write(`\r${sum(producers).records.toLocaleString('en')} records produced `), 1_000)
  return {
    stop() {
      clearInterval(timer)
      terminal.talk.write(`\r${' '.repeat(50)}\r`)
    },
  }
}

function showResult(
  { partitions, produced, consumed }: BenchResult,
  plan: BenchPlan,
  given: ParsedCommand,
  { terminal }: CommandContext,
): void {
  const { topic, sizeBytes, producers, batch, compression, acks } = plan
  const of = (records: number, seconds: number) => ({
    records,
    seconds,
    recordsPerSecond: seconds === 0 ? 0 : records / seconds,
    bytesPerSecond: seconds === 0 ? 0 : (records * sizeBytes) / seconds,
  })
  const written = of(produced.records, produced.seconds)
  const read = consumed && of(consumed.records, consumed.seconds)
  const missing = read === undefined ? 0 : written.records - read.records
  const rateText = ({ recordsPerSecond, bytesPerSecond }: ReturnType<typeof of>): string =>
    `${Math.round(recordsPerSecond).toLocaleString('en')} records/s, ${bytesText(Math.round(bytesPerSecond))}/s`
  show(terminal, formatOf(given), {
    value: {
      topic,
      partitions,
      sizeBytes,
      producers,
      batch,
      compression,
      acks,
      produced: { ...written, requests: produced.requests, latency: produced.latency ?? null },
      consumed: read === undefined ? null : { ...read, endToEnd: consumed?.latency ?? null },
    },
    names: [topic],
    blocks: [
      fieldsBlock([
        [
          'Load',
          `${counted(producers, 'producer')}, ${counted(partitions, 'partition')}, ${batch} × ${bytesText(sizeBytes)} a request, acks ${acks}, ${compression === 'none' ? 'no compression' : compression}`,
        ],
        ['Produced', `${produced.records.toLocaleString('en')} records in ${produced.seconds.toFixed(1)} s: ${rateText(written)}`],
        ['Acknowledged', latencyText(produced.latency)],
        ...(read === undefined
          ? []
          : ([
              ['Consumed', `${read.records.toLocaleString('en')} records in ${read.seconds.toFixed(1)} s: ${rateText(read)}`],
              ['End to end', latencyText(consumed?.latency)],
            ] as const)),
      ]),
    ],
  })
  if (missing > 0) terminal.talk.write(`${missing.toLocaleString('en')} records had not arrived when the bench ended\n`)
}

function latencyText(latency: LatencySummary | undefined): string {
  if (latency === undefined) return '-'
  const { p50Ms, p95Ms, p99Ms, maxMs } = latency
  return `p50 ${ms(p50Ms)}, p95 ${ms(p95Ms)}, p99 ${ms(p99Ms)}, at most ${ms(maxMs)}`
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}

async function createTopic(name: string, partitions: number, context: CommandContext): Promise<void> {
  await withCluster(context, async (cluster) => {
    await cluster.withRetries(() => cluster.admin.createTopics({ topics: [name], partitions, replicas: -1 }))
  })
}

/** Also after Ctrl-C, with a time limit. A topic that cannot be deleted is named, so that the user can do it. */
async function deleteTopic(name: string, { connection, terminal }: CommandContext): Promise<void> {
  try {
    await using cluster = await ClusterClient.open({ connection, signal: AbortSignal.timeout(deleteMs) })
    await cluster.withRetries(() => cluster.admin.deleteTopics({ topics: [name] }))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    terminal.talk.write(`the topic ${name} could not be deleted (${error.message}): lks topic delete ${name}\n`)
  }
}

const deleteMs = 10_000
