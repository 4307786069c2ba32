// Measures forks and snapshots of one build. Arguments: INDEX (the library of the build) PATH (of the snapshot). Prints a ForkMeasurement as JSON.
import { stat } from 'node:fs/promises'
import type { Kafka, startKafka as StartKafka } from 'local-kafka-service'
import { type ForkMeasurement, forkedInstanceCount } from './fork-measurement.ts'
import { median } from './rounds.ts'

const topics = Array.from({ length: 100 }, (_, index) => `topic-${index}`)
const groups = Array.from({ length: 20 }, (_, index) => `group-${index}`)
const recordsPerTopic = 10

const [index = '', path = ''] = process.argv.slice(2)
// The cast is safe because every build exports this function.
const { startKafka } = (await import(index)) as { readonly startKafka: typeof StartKafka }
await using parent = await prepared()
const measurement: ForkMeasurement = { ...(await forks(parent)), ...(await snapshots(parent)) }
console.log(JSON.stringify(measurement))

async function forks(kafka: Kafka): Promise<Pick<ForkMeasurement, 'loneMs' | 'togetherMs' | 'eachMb'>> {
  const lone: number[] = []
  for (let fork = 0; fork < 9; fork++) {
    const began = performance.now()
    await using one = await kafka.fork()
    lone.push(performance.now() - began)
    if (fork === 0) await checkFork(one)
  }
  const before = process.memoryUsage.rss()
  const began = performance.now()
  const all = await Promise.all(Array.from({ length: forkedInstanceCount }, () => kafka.fork()))
  const togetherMs = performance.now() - began
  const eachMb = (process.memoryUsage.rss() - before) / forkedInstanceCount / 2 ** 20
  await Promise.all(all.map((fork) => fork.stop()))
  return { loneMs: median(lone), togetherMs, eachMb }
}

async function snapshots(kafka: Kafka): Promise<Pick<ForkMeasurement, 'snapshotMs' | 'snapshotKib' | 'fromSnapshotMs'>> {
  const began = performance.now()
  await kafka.snapshot(path)
  const written = performance.now()
  await using copy = await startKafka({ from: path })
  const started = performance.now()
  await checkFork(copy)
  return { snapshotMs: written - began, snapshotKib: (await stat(path)).size / 1024, fromSnapshotMs: started - written }
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
