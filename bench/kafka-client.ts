// One Node client with five requests in flight on this server and on Apache Kafka, in turn: `os` against Kafka's default, `strict` against a sync per message.
import { besideKafka, kafkaRow } from './beside-kafka.ts'
import { checkProduced, createTopic, produceFrame } from './frames.ts'
import type { BenchOptions } from './options.ts'
import { type LoadResult, measure, secondsPerRound, size } from './produce.ts'
import type { BenchRow } from './report.ts'
import { inTurn } from './rounds.ts'
import { WireClient } from './wire-client.ts'

const defaultRounds = 3
const sizes = [1_024, 16_384]

export async function kafkaClientBenches(options: BenchOptions): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = []
  for (const durability of ['os', 'strict'] as const) {
    const samples = await besideKafka(options, durability, async (servers) => {
      for (const { port } of servers) {
        const client = await WireClient.open(port)
        await createTopic(client)
        client.close()
      }
      const load = { inFlight: 5, seconds: secondsPerRound(options), check: checkProduced }
      const rounds = { rounds: options.rounds ?? (options.quick ? 1 : defaultRounds), warmUps: 1 }
      const bySize: (readonly (readonly LoadResult[])[])[] = []
      for (const sizeBytes of sizes) bySize.push(await inTurn(servers, rounds, (server) => measure(server, produceFrame(sizeBytes), load)))
      return servers.map((_, server) => bySize.map((ofSize) => ofSize[server] ?? []))
    })
    for (const [index, sizeBytes] of sizes.entries()) {
      const rates = samples.map((ofServer) => (ofServer[index] ?? []).map(({ megabytesPerSecond }) => megabytesPerSecond))
      rows.push(kafkaRow(`${durability}: produce ${size(sizeBytes)}, a Node client, MB/s`, '', rates))
    }
  }
  return rows
}
