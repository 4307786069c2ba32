// Copies of a prepared state: the time of one fork and of many at once, the memory of each, and a snapshot.
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kafka, startKafka } from 'local-kafka-service'
import { type BenchRow, median } from './report.ts'

const instances = 50
const topics = Array.from({ length: 100 }, (_, index) => `topic-${index}`)
const groups = Array.from({ length: 20 }, (_, index) => `group-${index}`)
const recordsPerTopic = 10

export async function forkBenches(): Promise<readonly BenchRow[]> {
  await using parent = await prepared()
  return [...(await forks(parent)), ...(await snapshots(parent))]
}

const row = (bench: string, ours: string, goal: string): BenchRow => ({ bench, ours, baseline: '', ratio: undefined, goal })
async function forks(parent: Kafka): Promise<readonly BenchRow[]> {
  const lone: number[] = []
  for (let fork = 0; fork < 9; fork++) {
    const began = performance.now()
    await using one = await parent.fork()
    lone.push(performance.now() - began)
    if (fork === 0) await checkFork(one)
  }
  const before = process.memoryUsage.rss()
  const began = performance.now()
  const all = await Promise.all(Array.from({ length: instances }, () => parent.fork()))
  const ms = performance.now() - began
  const megabytes = (process.memoryUsage.rss() - before) / instances / 2 ** 20
  await Promise.all(all.map((fork) => fork.stop()))
  return [
    row(`fork() of ${topics.length} topics and ${groups.length} groups`, `${median(lone).toFixed(1)} ms`, '< 20 ms'),
    row(`${instances} forks at once`, `${ms.toFixed(0)} ms`, '< 1000 ms'),
    row('memory of one of them, resident', `${megabytes.toFixed(2)} MB`, '≤ 3 MB'),
  ]
}

async function snapshots(parent: Kafka): Promise<readonly BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    const path = join(folder, 'state.lks')
    const began = performance.now()
    await parent.snapshot(path)
    const written = performance.now()
    await using copy = await startKafka({ from: path })
    const started = performance.now()
    await checkFork(copy)
    return [
      row('snapshot(path)', `${(written - began).toFixed(1)} ms, ${((await stat(path)).size / 1024).toFixed(0)} KiB`, ''),
      row('startKafka({ from })', `${(started - written).toFixed(1)} ms`, '< 20 ms'),
    ]
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function prepared(): Promise<Kafka> {
  const kafka = await startKafka({ topics: Object.fromEntries(topics.map((topic) => [topic, 1])) })
  const records = Array.from({ length: recordsPerTopic }, (_, record) => `record ${record}`)
  for (const topic of topics) await kafka.produce(topic, ...records)
  for (const groupId of groups) for (const topic of topics.slice(0, 5)) await kafka.group(groupId).seek({ offset: 3 }, { topic })
  return kafka
}

/** Checks the fork, because an incomplete copy would be fast. */
async function checkFork(fork: Kafka): Promise<void> {
  const records = await fork.records(topics.at(-1) ?? '')
  const lag = await fork.group(groups.at(-1) ?? '').lag()
  if (records.length !== recordsPerTopic || lag !== 5 * (recordsPerTopic - 3)) throw new Error('the fork is not whole')
}
