// How long after the answer of EndTxn a waiting read_committed consumer gets the records of the transaction, with two agents on one PostgreSQL.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { EndTxn, Fetch, FindCoordinator, Metadata, Produce } from '@local-kafka-service/protocol'
import type { TestPostgres } from '../packages/agent/src/metadata/testing/postgres-server.ts'
import { startS3Server } from '../packages/agent/src/objects/testing/s3-server.ts'
import { type ServerProcess, startServer } from '../test/e2e/testing/server.ts'
import { s3Env } from '../test/e2e/testing/stores.ts'
import { agentsKnown } from './agents-known.ts'
import { createTopic } from './frames.ts'
import type { BenchOptions } from './options.ts'
import { type BenchRow, comparedRow } from './report.ts'
import { batchOf, begun, type ProducerEpoch, repeated, transactionalKeys } from './transactional-producer.ts'
import { WireClient } from './wire-client.ts'

const partitionCount = 16
const topicName = 'visible'
const committedLevel = 1

/** Who does what: the leader of the partition, the coordinator of the transactional id, and the agent that the consumer reads from. */
interface Roles {
  readonly words: string
  readonly leader: 0 | 1
  readonly coordinator: 0 | 1
  readonly reader: 0 | 1
}

const roles: readonly Roles[] = [
  { words: 'the consumer reads at another agent than the leader', leader: 0, coordinator: 0, reader: 1 },
  { words: 'the consumer reads at the leader, and another agent ends the transaction', leader: 0, coordinator: 1, reader: 0 },
  { words: 'one agent does everything', leader: 0, coordinator: 0, reader: 0 },
]

export async function visibilityRows({ quick, rounds }: BenchOptions, postgres: TestPostgres): Promise<readonly BenchRow[]> {
  const clusterId = randomUUID()
  await using s3 = await startS3Server()
  const env = { ...s3Env(s3), LKS_STORAGE: `s3://${s3.bucket}/${clusterId}`, LKS_METADATA: postgres.url, LKS_CLUSTER_ID: clusterId }
  await using stack = new AsyncDisposableStack()
  const agents: ServerProcess[] = []
  for (const name of ['one', 'other']) {
    const args = ['--agent-name', name, '--flush-puts-per-second', '1000', '--flush-linger-ms', '0']
    agents.push(stack.use(await startServer({ command: 'start', args, env })))
  }
  await agentsKnown(agents)
  const clients = await Promise.all(agents.map(({ port }) => WireClient.open(port)))
  const [first] = clients
  if (first === undefined) throw new Error('there is no agent')
  await createTopic(first, partitionCount, topicName)
  const rows: BenchRow[] = []
  for (const role of roles) {
    const samples = await delaysOf(role, agents, (rounds ?? 1) * (quick ? 5 : 100))
    const shown = (ms: number): string => `${ms.toFixed(1)} ms`
    const sorted = samples.toSorted((a, b) => a - b)
    const p90 = sorted[Math.floor(sorted.length * 0.9)] ?? Number.NaN
    rows.push(comparedRow({ bench: `a commit is read, p50 (p90 ${shown(p90)}): ${role.words}`, ours: samples, shown, goal: '≤ 50 ms' }))
  }
  for (const client of clients) client.close()
  for (const agent of agents) await agent.stop()
  return rows
}

async function delaysOf(
  { leader, coordinator, reader }: Roles,
  agents: readonly ServerProcess[],
  count: number,
): Promise<readonly number[]> {
  const open = async (at: number): Promise<WireClient> => await WireClient.open(agents[at]?.port ?? 0)
  const [ofLeader, ofCoordinator, consumer] = await Promise.all([open(leader), open(coordinator), open(reader)])
  // An agent that has just joined gets its share of the slots.
  const partition = await untilFound('a partition', () => partitionOf(ofLeader, agents[leader]))
  const transactionalId = await untilFound('a transactional id', () => idOf(ofCoordinator, agents[coordinator]))
  let producer = await begun(ofCoordinator, transactionalId)
  let offset = await committedEnd(consumer, partition, 0)
  const delays: number[] = []
  for (let sample = 0; sample < count; sample += 1) {
    const reading = consumed(consumer, partition, offset)
    const ended = await transaction({ ofLeader, ofCoordinator }, { transactionalId, producer, partition })
    producer = ended.producer
    const read = await reading
    delays.push(read.atMs - ended.atMs)
    // The record and the marker.
    offset = read.offset + 2
  }
  for (const client of [ofLeader, ofCoordinator, consumer]) client.close()
  return delays
}

async function transaction(
  { ofLeader, ofCoordinator }: { readonly ofLeader: WireClient; readonly ofCoordinator: WireClient },
  {
    transactionalId,
    producer,
    partition,
  }: { readonly transactionalId: string; readonly producer: ProducerEpoch; readonly partition: number },
): Promise<{ readonly producer: ProducerEpoch; readonly atMs: number }> {
  const partitionData = [{ index: partition, records: batchOf(producer) }]
  const asked = { transactionalId, acks: -1, timeoutMs: 30_000, topicData: [{ name: topicName, partitionData }] }
  await repeated('Produce', async () => {
    const { responses } = await ofLeader.ask(Produce, 12, asked)
    return responses[0]?.partitionResponses[0]?.errorCode ?? -1
  })
  let next = producer
  await repeated('EndTxn', async () => {
    const { id: producerId, epoch: producerEpoch } = producer
    const answer = await ofCoordinator.ask(EndTxn, 5, { transactionalId, producerId, producerEpoch, committed: true })
    if (answer.errorCode === 0) next = { id: answer.producerId, epoch: answer.producerEpoch }
    return answer.errorCode
  })
  return { producer: next, atMs: performance.now() }
}

/** Waits for committed records at the offset. */
async function consumed(
  client: WireClient,
  partition: number,
  offset: number,
): Promise<{ readonly offset: number; readonly atMs: number }> {
  for (;;) {
    const { records } = await fetched(client, partition, offset, 5_000)
    if (records !== null && records.length > 0) return { offset, atMs: performance.now() }
  }
}

/** The end of the committed records, which the benches before may have written. */
async function committedEnd(client: WireClient, partition: number, offset: number): Promise<number> {
  const { lastStableOffset } = await fetched(client, partition, offset, 0)
  return lastStableOffset
}

async function fetched(
  client: WireClient,
  partition: number,
  fetchOffset: number,
  maxWaitMs: number,
): Promise<{ readonly records: Uint8Array | null; readonly lastStableOffset: number }> {
  const partitions = [{ partition, fetchOffset, partitionMaxBytes: 1024 * 1024 }]
  const { responses } = await client.ask(Fetch, 12, {
    maxWaitMs,
    minBytes: 1,
    maxBytes: 1024 * 1024,
    isolationLevel: committedLevel,
    topics: [{ topic: topicName, partitions }],
    forgottenTopicsData: [],
  })
  const [of] = responses[0]?.partitions ?? []
  if (of === undefined || of.errorCode !== 0) throw new Error(`Fetch was answered with ${of?.errorCode}`)
  return of
}

async function untilFound<T>(what: string, find: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = performance.now() + 30_000; ; await delay(100)) {
    const found = await find()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`the agent has not got ${what}`)
  }
}

/** A partition of which the agent is the leader. */
async function partitionOf(client: WireClient, agent: ServerProcess | undefined): Promise<number | undefined> {
  const { brokers, topics } = await client.ask(Metadata, 9, { topics: [{ name: topicName }] })
  const nodeId = brokers.find(({ port }) => port === agent?.port)?.nodeId
  return topics[0]?.partitions.find(({ leaderId }) => leaderId === nodeId)?.partitionIndex
}

/** A transactional id of which the agent is the coordinator. */
async function idOf(client: WireClient, agent: ServerProcess | undefined): Promise<string | undefined> {
  const coordinatorKeys = Array.from({ length: 64 }, (_, at) => `${randomUUID()}-${at}`)
  const { coordinators } = await client.ask(FindCoordinator, 4, { keyType: transactionalKeys, coordinatorKeys })
  return coordinators.find(({ errorCode, port }) => errorCode === 0 && port === agent?.port)?.key
}
