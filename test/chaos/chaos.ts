// One run: a cluster or a given Kafka, clients, the disturbances of a seed, the end in which everything is read again, and the verdict.
import { setTimeout as delay } from 'node:timers/promises'
import { connectTo } from '../../packages/agent/src/metadata/testing/connection.ts'
import { errorText } from '../../packages/agent/src/native-error.ts'
import { type ChaosCluster, startChaosCluster } from './agents.ts'
import { audit } from './audit.ts'
import { check, type HistoryFigures } from './checker.ts'
import { disturb } from './disturber.ts'
import type { HistoryLine } from './history.ts'
import { Observer } from './observer.ts'
import type { Plan } from './plans.ts'
import { type Disturbances, type HostsOfRun, scheduleOf } from './schedule.ts'
import { watchSlots } from './slot-watch.ts'
import { storedBatches } from './stored-batches.ts'
import { missingObjects } from './stored-objects.ts'
import { type Addressed, type ChaosClient, chaosClients, scan, startWork } from './workload.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly seconds: number
  /** `host:port` of a running Kafka, which is not disturbed; otherwise a cluster of our own. */
  readonly target?: string
  /** Of an S3 server of others: `http://KEY:SECRET@HOST:PORT/BUCKET/PREFIX`. Empty: our own. */
  readonly s3Url: string
  /** As in `startChaosCluster`. */
  readonly hosts: HostsOfRun
  /** Instead of the seed's: what happens, to clients with their default settings that connect to the agents themselves. */
  readonly plan?: Plan | undefined
  /** For people who watch. */
  readonly say: (text: string) => void
}

export interface ChaosResult {
  /** Empty: nothing was lost, doubled, moved, reordered or skipped, no process ended by itself, and the database is as it should be. */
  readonly problems: readonly string[]
  readonly figures: HistoryFigures
  readonly disturbances: number
  readonly clients: readonly string[]
  readonly history: readonly HistoryLine[]
  /** The logs of the agents. */
  readonly logs: ReadonlyMap<string, string>
}

const topic = 'chaos'
const partitions = 6

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, target, plan, say } = options
  const problems: string[] = []
  const history: HistoryLine[] = []
  const began = performance.now()
  const record = (process: string, line: Omit<HistoryLine, 'atMs' | 'process'>): void =>
    // The cast: an Omit of a union loses its members.
    void history.push({ atMs: Math.round(performance.now() - began), process, ...line } as HistoryLine)
  const run: Run = {
    ...options,
    seconds: plan?.seconds ?? options.seconds,
    schedule: target === undefined ? (plan?.schedule ?? scheduleOf(seed, options.seconds, options.hosts)) : [],
    clients: chaosClients(),
    history,
    problems,
    logs: new Map(),
    record,
    tell: (text) => say(`${((performance.now() - began) / 1_000).toFixed(1)} s: ${text}`),
  }
  let complete = false
  try {
    await carryOut(run)
    complete = true
  } catch (error) {
    problems.push(`the run ended early: ${errorText(error)}`)
  }
  const { anomalies, figures } = check(
    history,
    run.clients.flatMap(({ readers }) => readers),
  )
  // A history without its end lacks what is read there.
  if (complete) problems.push(...anomalies.map(({ rule, text }) => `${rule}: ${text}`))
  if (plan?.isSilent === true)
    for (const line of history) {
      if (line.f === 'error') problems.push(`an application saw an error: ${line.text}`)
      if (line.f === 'unknown') problems.push(`a send of ${line.process} failed: ${line.error}`)
    }
  const clients = run.clients.map(({ name }) => name)
  return { problems, figures, disturbances: run.schedule.length, clients, history, logs: run.logs }
}

/** One run, and what is known of it so far. */
interface Run extends ChaosOptions {
  readonly schedule: Disturbances
  readonly clients: readonly ChaosClient[]
  readonly history: readonly HistoryLine[]
  readonly problems: string[]
  readonly logs: Map<string, string>
  readonly record: OnRunLine
  /** Says when something happens. */
  readonly tell: (text: string) => void
}

type OnRunLine = (process: string, line: Omit<HistoryLine, 'atMs' | 'process'>) => void

/** Each wait in it has a limit, and rejects with what it waited for. */
async function carryOut(run: Run): Promise<void> {
  const { target, problems, tell } = run
  const clients = run.plan === undefined ? 'proxied' : 'direct'
  await using cluster = target === undefined ? await startChaosCluster({ ...run, clients }, (problem) => problems.push(problem)) : undefined
  try {
    await workAndScan(run, cluster)
    if (cluster !== undefined) {
      tell('the agents are stopped, and their stores are audited')
      problems.push(...(await endOf(cluster)))
    }
  } finally {
    for (const [name, agent] of cluster?.agents ?? []) run.logs.set(name, agent.log())
  }
}

/** No client is connected after it. */
async function workAndScan(run: Run, cluster: ChaosCluster | undefined): Promise<void> {
  const { target, plan, clients, problems, record, tell } = run
  const bootstrap = cluster === undefined ? must(target) : bootstrapOf(cluster)
  const settings = plan === undefined ? 'patient' : 'default'
  const at: Addressed = { bootstrap, topic: target === undefined ? topic : `${topic}-${Date.now()}`, partitions, settings }
  await using observer = new Observer(bootstrap, at.topic)
  await observer.createTopic(partitions)
  const where =
    cluster === undefined
      ? target
      : `three agents on ${run.hosts === 'one' ? 'one host' : 'a host each'}, and an S3 server (${cluster.storage.server})`
  tell(`${clients.map(({ name }) => name).join(', ')} work on ${where}`)
  await work(run, { at, observer, cluster })
  tell('everything is read again, by each client')
  const ends = await observer.ends()
  for (const client of clients) {
    const failure = await scan(client, { ...at, ends }, record)
    if (failure !== undefined) problems.push(`the scan of ${failure}`)
  }
  const [broker = ''] = bootstrap.split(',')
  for (const batch of await storedBatches(broker, { topic: at.topic, ends })) record('observer', { f: 'batch', ...batch } as HistoryLine)
}

interface Place {
  readonly at: Addressed
  readonly observer: Observer
  readonly cluster: ChaosCluster | undefined
}

/** Clients work while the schedule is carried out, until they have received everything. */
async function work({ schedule, seconds, history, problems, record, tell, clients }: Run, { at, observer, cluster }: Place): Promise<void> {
  const happens = (text: string): void => {
    record('run', { f: 'fault', text } as HistoryLine)
    tell(text)
  }
  await using stack = new AsyncDisposableStack()
  const running = clients.map((client) => stack.use(startWork(client, at, record)))
  const watching = new AbortController()
  const groups = clients.map(({ group }) => group)
  const watched = [
    observer.watchOffsets(groups, (line) => record('observer', line as HistoryLine), watching.signal),
    ...(cluster === undefined ? [] : [watchSlots(cluster, (line) => record('observer', line as HistoryLine), watching.signal)]),
  ]
  try {
    const working = delay(seconds * 1_000)
    if (cluster !== undefined) await disturb(cluster, schedule, happens)
    await working
    tell('the end: no more is sent')
    for (const one of running) one.stopSending()
    const readers = clients.flatMap((client) => client.readers)
    const byOthers = readers.filter(({ kind }) => kind !== 'scan').map((one) => one.group ?? one.name)
    const missing = await allReceived(history, byOthers, { sending: clients.length, isLost: () => running.some(({ isOver }) => isOver) })
    if (missing !== undefined) tell(missing)
  } finally {
    watching.abort()
    await Promise.all(watched)
  }
  tell('the clients end')
  for (const failure of await Promise.all(running.map((one) => one.finish()))) if (failure !== undefined) problems.push(failure)
}

function bootstrapOf({ agents }: ChaosCluster): string {
  return [...agents.values()].map(({ kafkaAddress }) => kafkaAddress).join(',')
}

/**
 * Waits until every send has an outcome, and each reader and each group has received every record that was acknowledged. Returns what it waited for without success, which the checker
 * reports, too: kafkajs takes up to 45 s to find a coordinator that has moved.
 */
async function allReceived(
  history: readonly HistoryLine[],
  by: readonly string[],
  { sending, isLost }: { readonly sending: number; readonly isLost: () => boolean },
): Promise<string | undefined> {
  const last = performance.now() + receivedWithinMs
  let until = performance.now() + progressWithinMs
  const received = new Map([...new Set(by)].map((name) => [name, new Set<string>()]))
  const acknowledged = new Set<string>()
  let left = sending
  let next = 0
  while (performance.now() < Math.min(until, last) && !isLost()) {
    for (; next < history.length; next += 1) {
      const line = history[next]
      if (line?.f === 'done') left -= 1
      if (line?.f === 'sent') acknowledged.add(line.value)
      if (line?.f !== 'polled') continue
      const seen = received.get(line.reader) ?? received.get(`${line.process}-group`)
      const before = seen?.size
      for (const [, , value] of line.records) seen?.add(value)
      if (seen?.size !== before) until = performance.now() + progressWithinMs
    }
    if (left === 0 && [...received.values()].every((seen) => isSuperset(seen, acknowledged))) return undefined
    await delay(200)
  }
  const behind = [...received]
    .filter(([, seen]) => !isSuperset(seen, acknowledged))
    .map(([name, { size }]) => `${name} has ${size} of ${acknowledged.size}`)
  return `${isLost() ? 'a client has ended' : 'they receive no more'}: ${left} clients have sends without an outcome; ${behind.join(', ')}`
}

/** A client that is behind may take long on a busy machine. */
const receivedWithinMs = 900_000
const progressWithinMs = 150_000

function isSuperset(all: ReadonlySet<string>, some: ReadonlySet<string>): boolean {
  for (const one of some) if (!all.has(one)) return false
  return true
}

/** The agents drain; then their database and their bucket are audited. */
async function endOf(cluster: ChaosCluster): Promise<readonly string[]> {
  const problems: string[] = []
  for (const agent of cluster.agents.values()) {
    const { urls } = await agent.running()
    const text = await (await fetch(`${urls.control}/metrics`, { signal: AbortSignal.timeout(30_000) })).text()
    const defects = /^lks_defects_total (\d+)/m.exec(text)?.[1] ?? 'no number of'
    if (defects !== '0') problems.push(`${agent.name} reports ${defects} defects`)
  }
  for (const agent of cluster.agents.values()) {
    await agent.stop()
    const defects = agent
      .log()
      .split('\n')
      .filter((line) => line.includes('a defect in'))
    problems.push(...defects.slice(0, 3).map((line) => `${agent.name}: ${line}`))
  }
  try {
    await using database = await connectTo(cluster.postgres.url())
    problems.push(...(await audit(database, cluster.clusterId)))
    problems.push(...(await missingObjects(database, cluster)))
  } catch (error) {
    problems.push(`the audit failed: ${errorText(error)}`)
  }
  return problems
}

function must(target: string | undefined): string {
  if (target === undefined) throw new RangeError('a target is missing')
  return target
}
