// Kafka's own perf tools with their defaults on this server and on Apache Kafka, in turn: MB/s, and the CPU seconds of the server per GB, in both directions.
import { consumerPerf, perfRecordBytes, producerPerf } from './apache-kafka.ts'
import { besideKafka, kafkaRow } from './beside-kafka.ts'
import { createTopic, deleteTopic } from './frames.ts'
import type { BenchOptions } from './options.ts'
import type { MeasuredServer } from './processes.ts'
import type { BenchRow } from './report.ts'
import { inTurn } from './rounds.ts'
import { WireClient } from './wire-client.ts'

const defaultRounds = 5
const partitions = 12
const records = 400_000
const quickRecords = 5_000
/** A run that takes longer has no result. */
const perfMs = 60_000
/** With a sync per message, Kafka writes some MB per second. */
const strictRecords = 5_000

interface PerfSample {
  readonly producedMbPerSecond: number
  readonly producedCpuSecondsPerGb: number
  readonly consumedMbPerSecond: number
  readonly consumedCpuSecondsPerGb: number
}

const rowsOf = [
  ['producedMbPerSecond', 'kafka-producer-perf-test, MB/s', '≥ 1'],
  ['producedCpuSecondsPerGb', 'server CPU s per GB produced', '≤ 1'],
  ['consumedMbPerSecond', 'kafka-consumer-perf-test, MB/s', '≥ 0.8'],
  ['consumedCpuSecondsPerGb', 'server CPU s per GB consumed', '≤ 2'],
] as const satisfies readonly (readonly [keyof PerfSample, string, string])[]

export async function kafkaBenches(options: BenchOptions): Promise<readonly BenchRow[]> {
  const rounds = { rounds: options.rounds ?? (options.quick ? 1 : defaultRounds) }
  const os = await besideKafka(options, 'os', async (servers) => {
    const count = options.quick ? quickRecords : records
    // The first run after a start is slower, above all in a JVM.
    for (const server of servers) await perfSample(server, quickRecords)
    return await inTurn(servers, rounds, (server) => perfSample(server, count))
  })
  const rows = rowsOf.map(([name, bench, goal]) =>
    kafkaRow(
      bench,
      goal,
      os.map((samples) => samples.map((sample) => sample[name])),
    ),
  )
  const strict = await besideKafka(options, 'strict', (servers) =>
    inTurn(servers, rounds, (server) =>
      withTopic(server, (topic) =>
        producerPerf({ port: server.port, topic, records: options.quick ? 100 : strictRecords, limitMs: perfMs }),
      ),
    ),
  )
  return [...rows, kafkaRow('strict: kafka-producer-perf-test, MB/s', '', strict)]
}

/** Produces the records to a new topic, and consumes them. */
async function perfSample(server: MeasuredServer, count: number): Promise<PerfSample> {
  return await withTopic(server, async (topic) => {
    const run = { port: server.port, topic, records: count, limitMs: perfMs }
    const gigabytes = (count * perfRecordBytes) / 1e9
    const began = server.cpuSeconds()
    const producedMbPerSecond = await producerPerf(run)
    const produced = server.cpuSeconds()
    const consumedMbPerSecond = await consumerPerf(run)
    const consumed = server.cpuSeconds()
    return {
      producedMbPerSecond,
      producedCpuSecondsPerGb: (produced - began) / gigabytes,
      consumedMbPerSecond,
      consumedCpuSecondsPerGb: (consumed - produced) / gigabytes,
    }
  })
}

/** Uses a new topic, and deletes it afterwards, so that the disk does not fill up. */
async function withTopic<T>({ port }: MeasuredServer, use: (topic: string) => Promise<T>): Promise<T> {
  const client = await WireClient.open(port)
  const topic = `perf-${crypto.randomUUID()}`
  await createTopic(client, partitions, topic)
  try {
    return await use(topic)
  } finally {
    await deleteTopic(client, topic)
    client.close()
  }
}
