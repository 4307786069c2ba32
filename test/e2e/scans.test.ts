// Full scans by two different clients before and after merges, log compaction, retention and the sweep, with kills in between: no live record is lost, moved or changed.
import { join } from 'node:path'
import { Admin, Consumer, type Message, type MessageToProduce, Producer } from '@platformatic/kafka'
import { expect } from 'vitest'
import { type JsonProgram, startJsonProgram } from './testing/json-program.ts'
import { needs, python } from './testing/programs.ts'
import { repository, temporaryFolder } from './testing/server.ts'
import type { UpkeepLine } from './testing/upkeep-agent.ts'

interface Scanned {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers: readonly (readonly [name: string, value: string])[]
}

type NewRecord = MessageToProduce<Buffer, Buffer | undefined, Buffer, Buffer>
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** `aged`: all is older than its retention. `trimmed`: its first half is deleted by DeleteRecords. `users`: keys are written over, and some are deleted by tombstones. */
const topics = {
  plain: { partitions: 3, configs: {} },
  trimmed: { partitions: 2, configs: {} },
  aged: { partitions: 2, configs: { 'retention.ms': '3600000' } },
  users: {
    partitions: 2,
    configs: { 'cleanup.policy': 'compact', 'segment.ms': '500', 'min.cleanable.dirty.ratio': '0.01', 'delete.retention.ms': '100' },
  },
} as const
type TopicName = keyof typeof topics
const topicNames = Object.keys(topics) as TopicName[]

const batchesOf: Readonly<Record<TopicName, number>> = { plain: 40, trimmed: 20, aged: 20, users: 120 }
const recordsPerBatch = 40
const keyCount = 300

needs('confluentKafka')(
  'what two clients read before upkeep and kills, both read after them, but for what may go',
  { timeout: 240_000 },
  async () => {
    await using folder = await temporaryFolder()
    let agent = await startAgent(folder.path, 0, 'idle')
    const port = Number(agent.kafka.split(':')[1])
    await createTopics(agent.kafka)
    for (const topic of topicNames)
      for (let partition = 0; partition < topics[topic].partitions; partition++) await fill(agent.kafka, topic, partition)
    await mark(agent.kafka, 'before')
    const before = await scanTwice(agent.kafka, 'before')
    await deleteFirstHalf(agent.kafka, before)

    // The producer goes on over the kills, and the jobs begin in each process again.
    const traffic = startTraffic(agent.kafka)
    await agent.kill()
    for (let life = 0; life < 2; life++) {
      agent = await startAgent(folder.path, port, 'busy')
      await agent.until({ 'segments merged': 1 })
      await agent.kill()
    }
    agent = await startAgent(folder.path, port, 'busy')
    const acknowledged = await traffic.end()
    // Retention and compaction may be done before this process; the sweep comes when the readers' grace is over.
    await agent.until({ 'objects swept': 1 })
    await mark(agent.kafka, 'after')
    // Each of the jobs removes something: otherwise this test would compare nothing.
    const removed = async (): Promise<readonly string[]> => {
      const left = await scanWithConfluent(agent.kafka, 'after')
      const count = (of: readonly Scanned[], topic: string): number => of.filter((record) => record.topic === topic).length
      return topicNames.filter((topic) => count(left, topic) < count(before, topic) / 1.5)
    }
    await expect.poll(removed, { timeout: 60_000, interval: 500 }).toEqual(['trimmed', 'aged', 'users'])
    const after = await scanTwice(agent.kafka, 'after')

    const found = new Map(after.map((record) => [placeOf(record), record]))
    const lastOffsets = new Map(before.map((record) => [`${logOf(record)} ${record.key}`, record.offset]))
    const known = new Map(before.map((record) => [placeOf(record), record]))
    for (const record of before) {
      const left = found.get(placeOf(record))
      if (left === undefined) expect(mayGo(record, before, lastOffsets), `${placeOf(record)} is gone`).toBe(true)
      else expect(left).toEqual(record)
    }
    const ends = endsOf(before)
    for (const record of after)
      if (record.offset <= (ends.get(logOf(record)) ?? -1)) expect(known.has(placeOf(record)), placeOf(record)).toBe(true)
    for (const { partition, offset, value } of acknowledged) expect(found.get(`plain-${partition}@${offset}`)?.value).toBe(value)
    await agent.finish()
  },
)

async function createTopics(kafka: string): Promise<void> {
  const admin = new Admin({ clientId: 'scans', bootstrapBrokers: [kafka] })
  for (const topic of topicNames) {
    const { partitions, configs } = topics[topic]
    const entries = Object.entries(configs).map(([name, value]) => ({ name, value: String(value) }))
    await admin.createTopics({ topics: [topic], partitions, replicas: 1, configs: entries })
  }
  await admin.close()
}

function aProducer(kafka: string): Producer<Buffer, Buffer | undefined, Buffer, Buffer> {
  return new Producer({ clientId: 'scans', bootstrapBrokers: [kafka], idempotent: true, retries: 1_000, retryDelay: 100 })
}

/** Pseudo-random, so that it is not packed to nothing. */
function noise(seed: number, length: number): string {
  let text = ''
  for (let state = seed + 1; text.length < length; ) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9
    text += (state >>> 0).toString(36)
  }
  return text.slice(0, length)
}

async function fill(kafka: string, topic: TopicName, partition: number): Promise<void> {
  const producer = aProducer(kafka)
  const age = topic === 'aged' ? 7_200_000 : 60_000
  const beganMs = Date.now() - age
  for (let batch = 0; batch < batchesOf[topic]; batch++) {
    const messages = Array.from({ length: recordsPerBatch }, (_, nth): NewRecord => {
      const number = batch * recordsPerBatch + nth
      const isTombstone = topic === 'users' && number % 11 === 0
      return {
        topic,
        partition,
        key: Buffer.from(`key ${topic === 'users' ? (number * 7) % keyCount : number}`),
        value: isTombstone ? undefined : Buffer.from(`${topic} ${partition} ${number} ${noise(number, topic === 'users' ? 1_500 : 100)}`),
        timestamp: BigInt(beganMs + number),
        headers: new Map([[Buffer.from('number'), Buffer.from(String(number))]]),
      }
    })
    await producer.send({ messages, compression: codecs[batch % codecs.length] ?? 'none' })
  }
  await producer.close()
}

/** The last record of each partition, at which a scan ends. */
async function mark(kafka: string, name: 'before' | 'after'): Promise<void> {
  const producer = aProducer(kafka)
  for (const topic of topicNames) {
    const ageMs = topic === 'aged' && name === 'before' ? 7_200_000 : 0
    for (let partition = 0; partition < topics[topic].partitions; partition++)
      await producer.send({
        messages: [{ topic, partition, key: Buffer.from(`mark ${name}`), value: Buffer.from(name), timestamp: BigInt(Date.now() - ageMs) }],
      })
  }
  await producer.close()
}

async function deleteFirstHalf(kafka: string, before: readonly Scanned[]): Promise<void> {
  const admin = new Admin({ clientId: 'scans', bootstrapBrokers: [kafka] })
  const partitions = [0, 1].map((partition) => ({ partition, offset: BigInt(trimmedTo(before, partition)) }))
  await admin.deleteRecords({ topics: [{ name: 'trimmed', partitions }] })
  await admin.close()
}

/** In the middle of a batch. */
function trimmedTo(before: readonly Scanned[], partition: number): number {
  return Math.floor((endsOf(before).get(`trimmed-${partition}`) ?? 0) / 2) + 3
}

/** `lastOffsets`: of each key of a partition. */
function mayGo(record: Scanned, before: readonly Scanned[], lastOffsets: ReadonlyMap<string, number>): boolean {
  const { topic, partition, offset, key, value, timestamp } = record
  if (topic === 'trimmed') return offset < trimmedTo(before, partition)
  if (topic === 'aged') return timestamp < Date.now() - 3_600_000
  if (topic !== 'users') return false
  if (value === null) return true
  return offset < (lastOffsets.get(`${logOf(record)} ${key}`) ?? -1)
}

function logOf({ topic, partition }: Pick<Scanned, 'topic' | 'partition'>): string {
  return `${topic}-${partition}`
}

function placeOf(record: Scanned): string {
  return `${logOf(record)}@${record.offset}`
}

function endsOf(records: readonly Scanned[]): ReadonlyMap<string, number> {
  const ends = new Map<string, number>()
  for (const record of records) ends.set(logOf(record), Math.max(record.offset, ends.get(logOf(record)) ?? 0))
  return ends
}

/** Both clients must see the same. */
async function scanTwice(kafka: string, until: string): Promise<readonly Scanned[]> {
  const [librdkafka, platformatic] = [await scanWithConfluent(kafka, until), await scanWithPlatformatic(kafka, until)]
  expect(librdkafka.length).toBe(platformatic.length)
  for (const [index, record] of librdkafka.entries()) expect(platformatic[index]).toEqual(record)
  return librdkafka
}

function sorted(records: readonly Scanned[]): readonly Scanned[] {
  return records.toSorted((a, b) => (logOf(a) === logOf(b) ? a.offset - b.offset : logOf(a) < logOf(b) ? -1 : 1))
}

async function scanWithConfluent(kafka: string, until: string): Promise<readonly Scanned[]> {
  const places = topicNames.flatMap((topic) => Array.from({ length: topics[topic].partitions }, (_, partition) => `${topic}:${partition}`))
  await using program = startJsonProgram<Scanned>(python, ['-c', scanScript, kafka, until, ...places])
  await program.finish()
  return sorted(program.lines)
}

const scanScript = `
import json, sys
from confluent_kafka import Consumer, TopicPartition, OFFSET_BEGINNING
kafka, until, *places = sys.argv[1:]
consumer = Consumer({'bootstrap.servers': kafka, 'group.id': 'scan', 'enable.auto.commit': False, 'auto.offset.reset': 'error', 'check.crcs': True})
left = {(topic, int(partition)) for topic, partition in (place.split(':') for place in places)}
consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in left])
while left:
    message = consumer.poll(60)
    if message is None or message.error():
        sys.exit('%s: %s are left' % (message and message.error(), left))
    text = lambda value: None if value is None else value.decode()
    print(json.dumps({'topic': message.topic(), 'partition': message.partition(), 'offset': message.offset(), 'key': text(message.key()), 'value': text(message.value()),
                      'timestamp': message.timestamp()[1], 'headers': [[name, text(value)] for name, value in message.headers() or []]}))
    if text(message.value()) == until:
        left.discard((message.topic(), message.partition()))
consumer.close()
`

async function scanWithPlatformatic(kafka: string, until: string): Promise<readonly Scanned[]> {
  const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({
    clientId: 'scans',
    bootstrapBrokers: [kafka],
    groupId: `scan-${until}`,
    autocommit: false,
    maxWaitTime: 200,
  })
  const stream = await consumer.consume({ topics: [...topicNames], mode: 'earliest' })
  const records: Scanned[] = []
  let left = topicNames.reduce((sum, topic) => sum + topics[topic].partitions, 0)
  for await (const message of stream as AsyncIterable<Message<Buffer, Buffer | null, Buffer, Buffer>>) {
    const { topic, partition, offset, key, value, timestamp, headers } = message
    records.push({
      topic,
      partition,
      offset: Number(offset),
      key: key.toString(),
      value: value?.toString() ?? null,
      timestamp: Number(timestamp),
      headers: [...headers].map(([name, own]) => [name.toString(), own.toString()] as const),
    })
    if (value?.toString() === until) left -= 1
    if (left === 0) break
  }
  await consumer.close(true)
  return sorted(records)
}

interface Acknowledged {
  readonly partition: number
  readonly offset: number
  readonly value: string
}

/** One record after another into `plain`, as long as the test wants. */
function startTraffic(kafka: string): { readonly end: () => Promise<readonly Acknowledged[]> } {
  let ends = false
  const producing = (async () => {
    const producer = aProducer(kafka)
    const acknowledged: Acknowledged[] = []
    for (let number = 0; !ends; number++) {
      const [partition, value] = [number % 3, `traffic ${number}`]
      const compression = codecs[number % codecs.length] ?? 'none'
      const messages = [{ topic: 'plain', partition, key: Buffer.from(`traffic ${number}`), value: Buffer.from(value) }]
      const { offsets = [] } = await producer.send({ messages, compression })
      for (const { offset } of offsets) acknowledged.push({ partition, offset: Number(offset), value })
    }
    await producer.close()
    return acknowledged
  })()
  return {
    end() {
      ends = true
      return producing
    },
  }
}

interface RunningAgent extends Pick<JsonProgram<UpkeepLine>, 'kill' | 'finish'> {
  readonly kafka: string
  /** Waits until each job has done something so often. */
  until(counts: Partial<Record<UpkeepLine['kind'], number>>): Promise<void>
}

async function startAgent(folder: string, port: number, upkeep: 'idle' | 'busy'): Promise<RunningAgent> {
  const program = join(repository, 'test/e2e/testing/upkeep-agent.ts')
  const running = startJsonProgram<UpkeepLine>(process.execPath, ['--conditions=lks-source', program, folder, String(port), upkeep])
  const until = async (isThere: () => boolean): Promise<void> => {
    for (let count = running.lines.length; !isThere(); count++) await running.printed(count + 1)
  }
  const count = (kind: string): number => running.lines.filter((line) => line.kind === kind).length
  await until(() => count('ready') > 0)
  return {
    kafka: running.lines.find(({ kind }) => kind === 'ready')?.kafka ?? '',
    kill: () => running.kill(),
    finish: () => running.finish(),
    until: (counts) => until(() => Object.entries(counts).every(([kind, wanted]) => count(kind) >= wanted)),
  }
}
