// The latency of a whole transaction on 1, 10 and 100 partitions, on this server and on Apache Kafka in turn: one Produce with a record for each partition, then EndTxn, by the newest protocol.
import { EndTxn, Produce } from '@local-kafka-service/protocol'
import { besideKafka, kafkaRow } from './beside-kafka.ts'
import { createTopic } from './frames.ts'
import type { BenchOptions } from './options.ts'
import type { MeasuredServer } from './processes.ts'
import { secondsPerRound } from './produce.ts'
import type { BenchRow } from './report.ts'
import { inTurn, median } from './rounds.ts'
import { batchOf, begun, repeated } from './transactional-producer.ts'
import { WireClient } from './wire-client.ts'

const partitionCounts = [1, 10, 100]
const defaultRounds = 5

export async function transactionBenches(options: BenchOptions): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = []
  for (const durability of ['os', 'strict'] as const) {
    const samples = await besideKafka(options, durability, async (servers) => {
      for (const { port } of servers) {
        const client = await WireClient.open(port)
        for (const count of partitionCounts) await createTopic(client, count, topicOf(count))
        client.close()
      }
      const rounds = { rounds: options.rounds ?? (options.quick ? 1 : defaultRounds), warmUps: 1 }
      const byCount: (readonly (readonly number[])[])[] = []
      for (const count of partitionCounts)
        byCount.push(await inTurn(servers, rounds, (server) => medianMs(server, count, secondsPerRound(options))))
      return servers.map((_, server) => byCount.map((ofCount) => ofCount[server] ?? []))
    })
    for (const [index, count] of partitionCounts.entries()) {
      const latencies = samples.map((ofServer) => ofServer[index] ?? [])
      rows.push(kafkaRow(`${durability}: a transaction of ${count} partitions, p50, ms`, durability === 'os' ? '≤ 1.3' : '≤ 1', latencies))
    }
  }
  return rows
}

function topicOf(count: number): string {
  return `transactions-${count}`
}

/** From the Produce to the answer of EndTxn, with all repetitions: Kafka answers CONCURRENT_TRANSACTIONS while it still writes the markers of the transaction before. */
async function medianMs({ port }: MeasuredServer, count: number, seconds: number): Promise<number> {
  const client = await WireClient.open(port)
  const transactionalId = `bench-${count}`
  let producer = await begun(client, transactionalId)
  const latencies: number[] = []
  for (const ends = performance.now() + seconds * 1_000; performance.now() < ends; ) {
    const [sentMs, { id, epoch }] = [performance.now(), producer]
    const partitionData = Array.from({ length: count }, (_, index) => ({ index, records: batchOf(producer) }))
    const asked = { transactionalId, acks: -1, timeoutMs: 30_000, topicData: [{ name: topicOf(count), partitionData }] }
    await repeated('Produce', async () => {
      const { responses } = await client.ask(Produce, 12, asked)
      return responses[0]?.partitionResponses.find(({ errorCode }) => errorCode !== 0)?.errorCode ?? 0
    })
    await repeated('EndTxn', async () => {
      const answer = await client.ask(EndTxn, 5, { transactionalId, producerId: id, producerEpoch: epoch, committed: true })
      if (answer.errorCode === 0) producer = { id: answer.producerId, epoch: answer.producerEpoch }
      return answer.errorCode
    })
    latencies.push(performance.now() - sentMs)
  }
  client.close()
  return median(latencies)
}
