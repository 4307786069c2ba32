// Several agents of one cluster: when a commit of one is read at the other, produce throughput on a store of 100 ms, and the commits of one PostgreSQL.
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Metadata } from '@local-kafka-service/protocol'
import { slotOfPartition } from '../packages/agent/src/core/slots.ts'
import { openMetadata } from '../packages/agent/src/metadata/open.ts'
import { openPostgres } from '../packages/agent/src/metadata/postgres.ts'
import { connectTo } from '../packages/agent/src/metadata/testing/connection.ts'
import { startPostgres, type TestPostgres } from '../packages/agent/src/metadata/testing/postgres-server.ts'
import { type S3Server, startS3Server } from '../packages/agent/src/objects/testing/s3-server.ts'
import { systemClock, systemRandom } from '../packages/agent/src/time/system-clock.ts'
import { type Program, startProgram } from '../packages/sim/src/program.ts'
import { type ServerProcess, startServer } from '../test/e2e/testing/server.ts'
import { s3Env } from '../test/e2e/testing/stores.ts'
import { agentsKnown } from './agents-known.ts'
import { repository } from './builds.ts'
import type { CommitterResult } from './cluster-committer.ts'
import { canLimitCpu, cpuQuota } from './cpu-quota.ts'
import { checkProduced, createTopic, produceFrame } from './frames.ts'
import type { BenchOptions } from './options.ts'
import { cpuSecondsOf } from './processes.ts'
import { type BenchRow, comparedRow } from './report.ts'
import { inTurn, median } from './rounds.ts'
import { visibilityRows } from './visibility.ts'
import { load, WireClient } from './wire-client.ts'

const latencyMs = 100
/** A flush of each has as many batches: an agent that has little to do, one with 96 active partitions, and many agents with thousands. */
const batchCounts = [12, 96, 1024]

export async function clusterBenches(options: BenchOptions): Promise<readonly BenchRow[]> {
  const started = await startPostgres()
  if (started.kind !== 'started') throw new Error(started.why)
  try {
    const { postgres } = started
    return [
      ...(await visibilityRows(options, postgres)),
      ...(await commitRows(options, postgres)),
      ...(await produceRows(options, postgres)),
    ]
  } finally {
    await started.postgres.stop()
  }
}

// ---- commits ------------------------------------------------------------------------------------------------------------------------

async function commitRows({ quick, rounds }: BenchOptions, postgres: TestPostgres): Promise<readonly BenchRow[]> {
  const seconds = quick ? 0.3 : 4
  const rows: BenchRow[] = []
  for (const batches of quick ? [12] : batchCounts) {
    const counts = [1, 2, 4]
    const results = await inTurn(counts, { rounds: rounds ?? (quick ? 1 : 3) }, (agents) => commits(postgres, { agents, batches, seconds }))
    const alone = results[0]?.map(({ perSecond }) => perSecond)
    for (const [index, agents] of counts.entries()) {
      const samples = results[index] ?? []
      const middle = (of: (one: Commits) => number): number => median(samples.map(of))
      rows.push(
        comparedRow({
          bench: `commits of ${batches} batches, ${agents} ${agents === 1 ? 'agent' : 'agents'} on one PostgreSQL (p99 ${middle((one) => one.p99Ms).toFixed(1)} ms; PostgreSQL's CPU ${middle((one) => one.cpuMicrosPerRow).toFixed(0)} µs a row)`,
          ours: samples.map(({ perSecond }) => perSecond),
          ...(agents > 1 && alone !== undefined && { baseline: alone, baselineName: '1 agent' }),
          shown: (perSecond) => `${perSecond.toFixed(0)}/s, ${(perSecond * batches).toFixed(0)} rows/s`,
        }),
      )
    }
  }
  return rows
}

interface CommitLoad {
  readonly agents: number
  /** Of each commit. */
  readonly batches: number
  readonly seconds: number
}

interface Commits {
  readonly perSecond: number
  readonly p99Ms: number
  /** Of all processes of PostgreSQL, which must run on this machine. */
  readonly cpuMicrosPerRow: number
}

/** Each agent is a process of its own, and owns the slots of its partitions. */
async function commits(postgres: TestPostgres, { agents, batches, seconds }: CommitLoad): Promise<Commits> {
  const partitions = agents * batches * 2
  const clusterId = randomUUID()
  const store = await openMetadata(await openPostgres({ url: postgres.url }), {
    clusterId,
    newClusterId: clusterId,
    clock: systemClock,
    random: systemRandom,
  })
  const topicId = randomBytes(16).toString('base64url')
  const made = await store.topics.create({ topicId, name: 'topic', partitions, configs: {}, dryRun: false })
  if (made.kind !== 'created') throw new Error(`the topic was not created: ${made.kind}`)
  const members = []
  for (let at = 0; at < agents; at += 1) {
    const nonce = randomBytes(8).toString('hex')
    const me = await store.members.register({
      agent: `agent ${at}`,
      nonce,
      advertised: { host: 'localhost', port: 9092 },
      machine: null,
      rack: null,
      fences: [],
    })
    if (me.kind !== 'registered') throw new Error('the lease of the bench is held')
    members.push({ id: me.incarnation.id, nonce })
  }
  // As after a hand-over: each slot belongs to one of them. No agent is running that could notice.
  await using database = await connectTo(postgres.url)
  const slots = new Map<number, { readonly owner: number; readonly partitions: number[] }>()
  for (let partition = 0; partition < partitions; partition += 1) {
    const slot = slotOfPartition(topicId, partition, store.slots)
    const known = slots.get(slot) ?? { owner: slots.size % agents, partitions: [] }
    slots.set(slot, known)
    known.partitions.push(partition)
  }
  for (const [slot, { owner }] of slots)
    await database.query(
      'UPDATE lks.slots SET owner = $1, epoch = 1 FROM lks.clusters c WHERE c.cluster_id = $2 AND slots.cluster = c.cluster AND slot = $3',
      [members[owner]?.id, clusterId, slot],
    )
  const programs = members.map(({ id, nonce }, at) => {
    const mine = [...slots.values()].filter(({ owner }) => owner === at).flatMap((slot) => slot.partitions)
    if (mine.length < batches) throw new Error(`agent ${at} has ${mine.length} partitions, and ${batches} are needed`)
    const epochs = mine.slice(0, batches).map((partition) => `${partition}:1`)
    const args = [postgres.url, clusterId, topicId, String(id), nonce, epochs.join(','), String(seconds)]
    return startProgram(process.execPath, ['--conditions=lks-source', `${repository}/bench/cluster-committer.ts`, ...args])
  })
  const { results, cpuSeconds } = await measured(programs, postgres)
  await store.close()
  const rows = results.reduce((sum, one) => sum + one.commits * batches, 0)
  return {
    cpuMicrosPerRow: (cpuSeconds / rows) * 1e6,
    perSecond: results.reduce((sum, one) => sum + one.commits / one.seconds, 0),
    p99Ms: Math.max(...results.map((one) => one.p99Ms)),
  }
}

interface Measured {
  readonly results: readonly CommitterResult[]
  readonly cpuSeconds: number
}

/** They begin together. */
async function measured(programs: readonly Program[], postgres: TestPostgres): Promise<Measured> {
  await Promise.all(programs.map((program) => program.firstLine()))
  const before = await postgresCpuSeconds(postgres)
  for (const program of programs) program.write('go\n')
  await Promise.all(programs.map((program) => program.until(() => program.lines.length > 1)))
  const cpuSeconds = (await postgresCpuSeconds(postgres)) - before
  for (const program of programs) program.endInput()
  const ends = await Promise.all(programs.map((program) => program.succeeded()))
  // The cast is safe because cluster-committer.ts prints this type as its last line.
  return { results: ends.map(({ stdout }) => JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as CommitterResult), cpuSeconds }
}

/** So far, of all its processes that are there. */
async function postgresCpuSeconds(postgres: TestPostgres): Promise<number> {
  const processes = await postgres.query<{ readonly pid: number }>('SELECT pid FROM pg_stat_activity')
  return cpuSecondsOf(processes.map(({ pid }) => pid))
}

// ---- produce ------------------------------------------------------------------------------------------------------------------------

/** With one partition each, so that they have slots of their own. */
const topics = Array.from({ length: 16 }, (_, at) => `bench-${at}`)
const connectionsPerTopic = 2

/** Of each agent, in the row in which all of them, with PostgreSQL, the store and the clients, have enough of the machine. The row is left out where they cannot be limited. */
const coresOfAgent = 0.25

/** Clients with requests in flight all the time. The store answers after 100 ms, and an agent may put its default of four objects per second. */
async function produceRows({ quick, rounds }: BenchOptions, postgres: TestPostgres): Promise<readonly BenchRow[]> {
  await using s3 = await startS3Server({
    fault: ({ method }) => (method === 'PUT' ? { kind: 'wait', until: delay(latencyMs) } : undefined),
  })
  const rows: BenchRow[] = []
  for (const cores of [undefined, ...(canLimitCpu() ? [coresOfAgent] : [])]) {
    const results = await inTurn([2, 1], { rounds: rounds ?? (quick ? 1 : 3) }, (agents) =>
      produced(postgres, s3, { agents, seconds: quick ? 1 : 8, bytes: 64 * 1024, cores }),
    )
    const [two = [], one = []] = results
    rows.push(
      comparedRow({
        bench: `produce, store of 100 ms, 2 agents${cores === undefined ? '' : ` with ${cores} of a core each`}`,
        ours: two,
        baseline: one,
        baselineName: '1 agent',
        shown: (bytesPerSecond) => `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`,
        goal: '≥ 1.6',
      }),
    )
  }
  return rows
}

interface ProduceLoad {
  readonly agents: number
  readonly seconds: number
  readonly bytes: number
  /** That each agent may use; undefined: all of the machine. */
  readonly cores: number | undefined
}

/** Bytes per second. */
async function produced(postgres: TestPostgres, s3: S3Server, { agents: count, seconds, bytes, cores }: ProduceLoad): Promise<number> {
  await using stack = new AsyncDisposableStack()
  const quotas = cores === undefined ? [] : Array.from({ length: count }, () => stack.use(cpuQuota(cores)))
  const clusterId = randomUUID()
  const env = { ...s3Env(s3), LKS_STORAGE: `s3://${s3.bucket}/${clusterId}`, LKS_METADATA: postgres.url, LKS_CLUSTER_ID: clusterId }
  const start = (name: string, prefix: readonly string[] = []): Promise<ServerProcess> =>
    startServer({ command: 'start', args: ['--agent-name', name], env, prefix })
  // The first one takes all slots. When it stops, it gives them to the others, as many to each.
  const first = stack.use(await start('first'))
  const agents: ServerProcess[] = []
  for (let at = 0; at < count; at += 1) agents.push(stack.use(await start(`agent-${at}`, quotas[at]?.prefix)))
  await agentsKnown([first, ...agents])
  await first.stop()
  await agentsKnown(agents)
  const loads = await Promise.all(
    [...(await leadersOf(agents))].flatMap(([name, port]) =>
      Array.from({ length: connectionsPerTopic }, async () => ({ name, client: await WireClient.open(port) })),
    ),
  )
  const results = await Promise.all(
    loads.map(async ({ name, client }) => {
      const { bytes: frame } = produceFrame(bytes, 1, name)
      const result = await load(client, frame, { inFlight: 5, seconds, check: (answer) => checkProduced(answer, name) })
      client.close()
      return (result.answered * bytes) / result.seconds
    }),
  )
  for (const agent of agents) await agent.stop()
  return results.reduce((sum, rate) => sum + rate, 0)
}

/** Creates the topics, and returns the port of the leader of each. */
async function leadersOf([any]: readonly ServerProcess[]): Promise<ReadonlyMap<string, number>> {
  if (any === undefined) throw new Error('there is no agent')
  const client = await WireClient.open(any.port)
  for (const name of topics) await createTopic(client, 1, name)
  const { brokers, topics: found } = await client.ask(Metadata, 9, { topics: topics.map((name) => ({ name })) })
  client.close()
  const ports = new Map(brokers.map(({ nodeId, port }) => [nodeId, port]))
  return new Map(found.map(({ name, partitions: [only] }) => [name ?? '', ports.get(only?.leaderId ?? -1) ?? 0]))
}
