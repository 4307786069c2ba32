// What must not grow with a log: the start, the commit and the look-ups of the Metadata Service, with as many segment rows as small batches leave, and with ten times as many.
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { slotOfPartition } from '../packages/agent/src/core/slots.ts'
import type { Registration, Topic } from '../packages/agent/src/metadata/metadata-store.ts'
import { type OpenedMetadata, openMetadata } from '../packages/agent/src/metadata/open.ts'
import { openSqliteWorker } from '../packages/agent/src/metadata/sqlite-client.ts'
import { systemClock, systemRandom } from '../packages/agent/src/time/system-clock.ts'
import type { BenchOptions } from './options.ts'
import { type BenchRow, comparedRow } from './report.ts'
import { inTurn } from './rounds.ts'

const partitions = 12
const rowsOfOne = 100_000
const quickRows = 1_000
const times = 10
const defaultRounds = 21
/** Calls of one sample. */
const calls = 50

interface GrownLog {
  readonly path: string
  /** The rows of each log. */
  readonly rows: number
}

interface GrowthSample {
  readonly openMs: number
  readonly commitMs: number
  readonly findMs: number
  readonly findByTimeMs: number
}

export async function growthBenches({ quick, rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    const rows = quick ? quickRows : rowsOfOne
    const logs = [rows * times, rows].map((all, index) => ({ path: join(folder, `${index}.db`), rows: Math.floor(all / partitions) }))
    for (const log of logs) await grow(log)
    const [long = [], short = []] = await inTurn(logs, { rounds: rounds ?? (quick ? 1 : defaultRounds), warmUps: quick ? 0 : 2 }, sample)
    const row = (bench: string, name: keyof GrowthSample, goal: string): BenchRow =>
      comparedRow({
        bench: `${rows * times} segment rows: ${bench}`,
        ours: long.map((one) => one[name]),
        baseline: short.map((one) => one[name]),
        baselineName: `${rows} rows`,
        shown: (value) => `${value.toFixed(2)} ms`,
        goal,
      })
    return [
      row('open the database and register', 'openMs', '≤ 1.2'),
      row('commit of 12 batches', 'commitMs', '≤ 1.2'),
      row('look-up of an offset in 12 logs', 'findMs', '≤ 1.2'),
      row('look-up of a time in 12 logs', 'findByTimeMs', ''),
    ]
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** A topic whose logs have one segment for each flush, as small batches leave them, and the object of each flush. */
async function grow({ path, rows }: GrownLog): Promise<void> {
  const { store, me } = await opened(path)
  const topic = await topicOf(store)
  await commit(store, { me, topic, sequence: 1 })
  await store.close()
  const database = new DatabaseSync(path)
  const flushes = `WITH RECURSIVE flushes(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM flushes WHERE n < ${rows - 1})`
  database.exec(`${flushes} INSERT INTO segments
      (cluster, log, last_offset, base_offset, incarnation, sequence, byte_start, size_bytes, max_timestamp, running_max_timestamp)
    SELECT s.cluster, s.log, n, n, s.incarnation, n + 1, s.byte_start, s.size_bytes, n, n
    FROM segments AS s CROSS JOIN flushes WHERE s.last_offset = 0 ORDER BY s.log, n`)
  database.exec(`${flushes} INSERT INTO objects (cluster, incarnation, sequence, size_bytes, checksum, created_at_ms)
    SELECT o.cluster, o.incarnation, n + 1, o.size_bytes, o.checksum, o.created_at_ms FROM objects AS o CROSS JOIN flushes WHERE o.sequence = 1`)
  database.exec(`UPDATE partitions SET next_offset = ${rows}, max_timestamp = ${rows - 1}`)
  database.exec(`UPDATE incarnations SET last_sequence = ${rows}`)
  database.close()
}

async function sample({ path, rows }: GrownLog): Promise<GrowthSample> {
  const began = performance.now()
  const { store, me } = await opened(path)
  const openMs = performance.now() - began
  const topic = await topicOf(store)
  const asked = Array.from({ length: partitions }, (_, partition) => ({ topicId: topic.topicId, partition }))
  const somewhere = (): number => Math.floor(Math.random() * rows)
  let sequence = 0
  const commitMs = await perCall(() => commit(store, { me, topic, sequence: ++sequence }))
  const findMs = await perCall(() => store.log.find(asked.map((one) => ({ ...one, offset: somewhere(), maxBytes: 1e6, maxSegments: 8 }))))
  const findByTimeMs = await perCall(() =>
    store.log.findByTime(asked.map((one) => ({ ...one, at: { kind: 'timestamp', timestamp: somewhere() } }))),
  )
  await store.close()
  return { openMs, commitMs, findMs, findByTimeMs }
}

async function perCall(call: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  for (let done = 0; done < calls; done += 1) await call()
  return (performance.now() - began) / calls
}

async function opened(path: string): Promise<{ readonly store: OpenedMetadata; readonly me: Registration }> {
  const sql = await openSqliteWorker({ path, durability: 'os' })
  const store = await openMetadata(sql, { newClusterId: randomUUID(), clock: systemClock, random: systemRandom })
  const me = await store.members.register({
    agent: 'bench',
    nonce: randomBytes(8).toString('hex'),
    advertised: { host: 'localhost', port: 9092 },
    machine: null,
    rack: null,
    fences: 'all',
  })
  if (me.kind !== 'registered') throw new Error('the lease of the bench is held')
  return { store, me }
}

async function topicOf(store: OpenedMetadata): Promise<Topic> {
  const [known] = await store.topics.list()
  if (known !== undefined) return known
  const topicId = randomBytes(16).toString('base64url')
  const made = await store.topics.create({ topicId, name: 'topic', partitions, configs: {}, dryRun: false })
  if (made.kind !== 'created') throw new Error(`the topic was not created: ${made.kind}`)
  return made.topic
}

interface Flushed {
  readonly me: Registration
  readonly topic: Topic
  readonly sequence: number
}

/** One batch of 1,000 bytes for each partition. */
async function commit({ log, slots }: OpenedMetadata, { me, topic: { topicId }, sequence }: Flushed): Promise<void> {
  const batches = Array.from({ length: partitions }, (_, partition) => {
    const epoch = me.slots[slotOfPartition(topicId, partition, slots)]?.epoch ?? -1
    const producer = { producerId: -1, producerEpoch: -1, baseSequence: -1 }
    return { topicId, partition, epoch, offsets: 1, maxTimestamp: 1, byteStart: 56 + partition * 1_000, sizeBytes: 1_000, ...producer }
  })
  const flush = { incarnation: me.incarnation, prev: sequence - 1, sequence, object: { sizeBytes: 13_000, checksum: 1 } }
  const outcome = await log.commit({ ...flush, batches, producerIdExpirationMs: 86_400_000 })
  if (outcome.kind !== 'committed') throw new Error(`not committed: ${outcome.kind}`)
}
