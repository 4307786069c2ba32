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
import { scheduleOf } from './schedule.ts'
import { missingObjects } from './stored-objects.ts'
import { type Addressed, chaosClients, scan, startWork } from './workload.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly seconds: number
  /** `host:port` of a running Kafka, which is not disturbed; otherwise a cluster of our own. */
  readonly target?: string
  /** Of an S3 server of others: `http://KEY:SECRET@HOST:PORT/BUCKET/PREFIX`. Empty: our own. */
  readonly s3Url: string
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
  const { seed, seconds, target, s3Url, say } = options
  const problems: string[] = []
  const history: HistoryLine[] = []
  const began = performance.now()
  const record = (process: string, line: Omit<HistoryLine, 'atMs' | 'process'>): void =>
    // The cast: an Omit of a union loses its members.
    void history.push({ atMs: Math.round(performance.now() - began), process, ...line } as HistoryLine)
  const happens = (text: string): void => {
    record('run', { f: 'fault', text } as HistoryLine)
    say(`${((performance.now() - began) / 1_000).toFixed(1)} s: ${text}`)
  }
  const clients = chaosClients()
  const readers = clients.flatMap((client) => client.readers)
  await using cluster = target === undefined ? await startChaosCluster({ seed, s3Url }, (problem) => problems.push(problem)) : undefined
  const bootstrap = cluster === undefined ? must(target) : bootstrapOf(cluster)
  const at: Addressed = { bootstrap, topic: target === undefined ? topic : `${topic}-${Date.now()}`, partitions }
  await using observer = new Observer(bootstrap, at.topic)
  await observer.createTopic(partitions)
  say(
    `${clients.map(({ name }) => name).join(', ')} work on ${cluster === undefined ? target : `three agents and an S3 server (${cluster.storage.server})`}`,
  )

  await using stack = new AsyncDisposableStack()
  const running = clients.map((client) => stack.use(startWork(client, at, record)))
  const watching = new AbortController()
  const watched = observer.watchOffsets(
    clients.map(({ group }) => group),
    (line) => record('observer', line as HistoryLine),
    watching.signal,
  )
  const schedule = cluster === undefined ? [] : scheduleOf(seed, seconds)
  const working = delay(seconds * 1_000)
  if (cluster !== undefined) await disturb(cluster, schedule, happens)
  await working
  happens('the end: no more is sent')
  for (const one of running) one.stopSending()
  const byOthers = readers.filter(({ kind }) => kind !== 'scan').map((one) => one.group ?? one.name)
  await allReceived(history, byOthers, { sending: clients.length, isLost: () => running.some(({ isOver }) => isOver) })
  watching.abort()
  await watched
  for (const failure of await Promise.all(running.map((one) => one.finish()))) if (failure !== undefined) problems.push(failure)
  say('everything is read again, by each client')
  const ends = await observer.ends()
  for (const client of clients) {
    const failure = await scan(client, { ...at, ends }, record)
    if (failure !== undefined) problems.push(`the scan of ${failure}`)
  }
  if (cluster !== undefined) problems.push(...(await endOf(cluster)))
  const { anomalies, figures } = check(history, readers)
  problems.push(...anomalies.map(({ rule, text }) => `${rule}: ${text}`))
  const logs = new Map([...(cluster?.agents ?? [])].map(([name, agent]) => [name, agent.log()]))
  return { problems, figures, disturbances: schedule.length, clients: clients.map(({ name }) => name), history, logs }
}

function bootstrapOf({ agents }: ChaosCluster): string {
  return [...agents.values()].map(({ clients }) => `127.0.0.1:${clients.port}`).join(',')
}

/**
 * Waits until every send has an outcome, and each reader and each group has received every record that was acknowledged. If one does not, the checker reports
 * what is missing: kafkajs takes up to 45 s to find a coordinator that has moved.
 */
async function allReceived(
  history: readonly HistoryLine[],
  by: readonly string[],
  { sending, isLost }: { readonly sending: number; readonly isLost: () => boolean },
): Promise<void> {
  const until = performance.now() + receivedWithinMs
  const received = new Map([...new Set(by)].map((name) => [name, new Set<string>()]))
  const acknowledged = new Set<string>()
  let left = sending
  let next = 0
  while (performance.now() < until && !isLost()) {
    for (; next < history.length; next += 1) {
      const line = history[next]
      if (line?.f === 'done') left -= 1
      if (line?.f === 'sent') acknowledged.add(line.value)
      if (line?.f !== 'polled') continue
      const seen = received.get(line.reader) ?? received.get(`${line.process}-group`)
      for (const [, , value] of line.records) seen?.add(value)
    }
    if (left === 0 && [...received.values()].every((seen) => isSuperset(seen, acknowledged))) return
    await delay(200)
  }
}

const receivedWithinMs = 150_000

function isSuperset(all: ReadonlySet<string>, some: ReadonlySet<string>): boolean {
  for (const one of some) if (!all.has(one)) return false
  return true
}

/** The agents drain; then their database and their bucket are audited. */
async function endOf(cluster: ChaosCluster): Promise<readonly string[]> {
  const problems: string[] = []
  for (const agent of cluster.agents.values()) {
    const { urls } = await agent.running()
    const text = await (await fetch(`${urls.control}/metrics`)).text()
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
