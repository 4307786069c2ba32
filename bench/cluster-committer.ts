// An agent of `pnpm bench cluster`: commits flushes to a Metadata Service as fast as it answers, and prints how many, and how long each took. Its connections live until its input ends.
import { openMetadata } from '../packages/agent/src/metadata/open.ts'
import { openPostgres } from '../packages/agent/src/metadata/postgres.ts'
import { systemClock, systemRandom } from '../packages/agent/src/time/system-clock.ts'
import { endProgram } from '../packages/sim/src/program.ts'
import { quantile } from './rounds.ts'

export interface CommitterResult {
  readonly commits: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const [url = '', clusterId = '', topicId = '', owner = '', nonce = '', epochs = '', secondsText = ''] = process.argv.slice(2)
// Each partition with the epoch of its slot: `0:1,3:1`.
const mine = epochs.split(',').map((pair) => pair.split(':').map(Number))
const seconds = Number(secondsText)
const sql = await openPostgres({ url, connections: 2 })
const store = await openMetadata(sql, { clusterId, newClusterId: clusterId, clock: systemClock, random: systemRandom })
const incarnation = { id: Number(owner), nonce }
let sequence = 0

async function commit(): Promise<void> {
  sequence += 1
  const batches = mine.map(([partition = 0, epoch = 0], at) => {
    const producer = { producerId: -1, producerEpoch: -1, baseSequence: -1 }
    return { topicId, partition, epoch, offsets: 1, maxTimestamp: 1, byteStart: 56 + at * 1_000, sizeBytes: 1_000, ...producer }
  })
  const flush = { incarnation, prev: sequence - 1, sequence, object: { sizeBytes: 56 + mine.length * 1_000, checksum: 1 } }
  const outcome = await store.log.commit({ ...flush, batches, producerIdExpirationMs: 86_400_000 })
  if (outcome.kind !== 'committed') throw new Error(`not committed: ${outcome.kind}`)
  const rejected = outcome.result.verdicts.find(({ kind }) => kind !== 'appended')
  if (rejected !== undefined) throw new Error(`not appended: ${JSON.stringify(rejected)}`)
}

for (let warmUp = 0; warmUp < 20; warmUp += 1) await commit()
process.stdout.write('ready\n')
const over = new Promise((resolve) => process.stdin.once('end', resolve))
await new Promise((resolve) => process.stdin.once('data', resolve))
const latenciesMs: number[] = []
const began = performance.now()
while (performance.now() - began < seconds * 1_000) {
  const sent = performance.now()
  await commit()
  latenciesMs.push(performance.now() - sent)
}
const result: CommitterResult = {
  commits: latenciesMs.length,
  seconds: (performance.now() - began) / 1_000,
  p50Ms: quantile(latenciesMs, 0.5),
  p99Ms: quantile(latenciesMs, 0.99),
}
process.stdout.write(`${JSON.stringify(result)}\n`)
await over
await store.close()
await endProgram(0)
