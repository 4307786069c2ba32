// An agent whose topics and groups are all gone: after the times of its settings, nothing is left of them in the store or in any table.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  AddOffsetsToTxn,
  attributeBits,
  CreateTopics,
  DeleteRecords,
  DeleteTopics,
  EndTxn,
  IncrementalAlterConfigs,
  InitProducerId,
  OffsetCommit,
  Produce,
  TxnOffsetCommit,
} from '@local-kafka-service/protocol'
import { describe, expect, test } from 'vitest'
import { type AgentForTests, aBatch, anAgent } from './api/testing/an-agent.ts'
import { defaultLimits } from './limits.ts'
import { openPostgres } from './metadata/postgres.ts'
import { startPostgres, type TestPostgres } from './metadata/testing/postgres-server.ts'
import { MemoryObjects } from './objects/adapters/memory.ts'
import { openS3 } from './objects/adapters/s3.ts'
import { type S3Server, startS3Server } from './objects/testing/s3-server.ts'
import { MovableTime } from './time/movable-time.ts'
import { systemClock } from './time/system-clock.ts'

const hour = 3_600_000
const never = new AbortController().signal
const settings = Object.entries({
  'storage.merge.interval.ms': 1_000,
  'storage.merge.max.age.ms': 0,
  'transactional.id.expiration.ms': 24 * hour,
}).map(([name, value]) => [name, { value: String(value), source: 'flag' as const }])

/** Leaves something in as many tables as clients can reach. */
async function useEverything(kafka: AgentForTests): Promise<void> {
  const { agent } = kafka
  const config = (name: string, value: string) => ({ name, value })
  const topics = [
    { name: 'plain', numPartitions: 3, configs: [config('retention.ms', String(24 * hour))] },
    { name: 'compacted', numPartitions: 2, configs: [config('cleanup.policy', 'compact')] },
  ].map((topic) => ({ ...topic, replicationFactor: 1, assignments: [] }))
  await kafka.call(CreateTopics, 5, { topics, timeoutMs: 1_000 })
  const produceOne = async (topic: string, value: string, more: { readonly idempotencyKey?: string } = {}): Promise<void> => {
    const key = Buffer.from(`${value.length}`)
    const answer = await agent.operations.records.produceOne({
      topic,
      partition: 0,
      key,
      value: Buffer.from(value),
      signal: never,
      ...more,
    })
    expect(answer.kind).toBe('appended')
  }
  for (let round = 0; round < 5; round += 1) for (const topic of ['plain', 'compacted']) await produceOne(topic, `${round}`)
  await produceOne('plain', 'once', { idempotencyKey: 'key' })
  expect((await agent.operations.compaction.compact('compacted', never)).kind).toBe('ok')
  const before = { topics: [{ name: 'plain', partitions: [{ partitionIndex: 0, offset: 1 }] }], timeoutMs: 1_000 }
  expect((await kafka.call(DeleteRecords, 2, before)).topics[0]?.partitions[0]?.errorCode).toBe(0)

  const offsets = { name: 'plain', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] }
  await kafka.call(OffsetCommit, 8, { groupId: 'group', memberId: '', topics: [offsets] })
  let { producerId, producerEpoch } = await kafka.call(InitProducerId, 5, { transactionalId: 'id', transactionTimeoutMs: 60_000 })
  for (const committed of [true, false]) {
    const records = aBatch(['one'], {
      attributes: attributeBits.transactional,
      producer: { id: producerId, epoch: producerEpoch, baseSequence: 0 },
    })
    const partitionData = [{ index: 0, records }]
    const produced = await kafka.call(Produce, 12, {
      transactionalId: 'id',
      acks: -1,
      timeoutMs: 1_000,
      topicData: [{ name: 'plain', partitionData }],
    })
    expect(produced.responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
    await kafka.call(AddOffsetsToTxn, 4, { transactionalId: 'id', producerId, producerEpoch, groupId: 'group' })
    const pending = { transactionalId: 'id', groupId: 'group', producerId, producerEpoch, topics: [offsets] }
    expect((await kafka.call(TxnOffsetCommit, 3, pending)).topics[0]?.partitions[0]?.errorCode).toBe(0)
    const ended = await kafka.call(EndTxn, 5, { transactionalId: 'id', producerId, producerEpoch, committed })
    expect(ended.errorCode).toBe(0)
    producerId = ended.producerId ?? producerId
    producerEpoch = ended.producerEpoch ?? producerEpoch
  }
  for (const configOperation of [0, 1]) {
    const configs = [{ name: 'message.max.bytes', configOperation, value: configOperation === 0 ? '5000' : null }]
    await kafka.call(IncrementalAlterConfigs, 1, { resources: [{ resourceType: 4, resourceName: '', configs }], validateOnly: false })
  }
}

/** An agent on stores of its own, and what they hold. */
interface Emptied {
  readonly kafka: AgentForTests
  readonly time: MovableTime
  readonly storedBytes: () => number
  /** The number of rows of each table. */
  readonly rows: () => Promise<Rows>
}

type Rows = Readonly<Record<string, number>>

// Readers' grace is real time.
const common = { settings: Object.fromEntries(settings), limits: { ...defaultLimits, readersGraceMs: 50 } }

async function onSqlite(path: string): Promise<Emptied> {
  const time = new MovableTime(systemClock)
  const objects = new MemoryObjects()
  const kafka = await anAgent({ ...common, clock: time.clock, path, wrap: () => objects })
  const rows = async (): Promise<Rows> => {
    const database = new DatabaseSync(path, { readOnly: true })
    try {
      const tables = database
        .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
        .all()
      const count = (table: string): number => Number(database.prepare(`SELECT count(*) AS count FROM "${table}"`).get()?.['count'])
      return Object.fromEntries(tables.map(({ name }) => [String(name), count(String(name))]))
    } finally {
      database.close()
    }
  }
  return { kafka, time, storedBytes: () => objects.sizeBytes, rows }
}

async function onPostgres(postgres: TestPostgres, s3: S3Server): Promise<Emptied> {
  const time = new MovableTime(systemClock)
  const { endpoint, bucket, credentials } = s3
  const objects = await openS3({ endpoint, bucket, credentials, prefix: 'emptied' })
  const sql = await openPostgres({ url: postgres.url, aheadMs: () => time.aheadMs })
  const kafka = await anAgent({ ...common, clock: time.clock, sql, wrap: () => objects })
  const rows = async (): Promise<Rows> => {
    const tables = await postgres.query<{ readonly name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'lks' ORDER BY table_name`,
    )
    const counted: Record<string, number> = {}
    for (const { name } of tables)
      counted[name] = Number((await postgres.query<{ readonly count: string }>(`SELECT count(*) AS count FROM lks.${name}`))[0]?.count)
    return counted
  }
  const storedBytes = (): number => [...s3.objects.values()].reduce((sum, { length }) => sum + length, 0)
  return { kafka, time, storedBytes, rows }
}

/** Lets two days pass, and reads. A poll waits in between for what the jobs do in real time. */
async function afterDays<T>({ time }: Emptied, read: () => T | Promise<T>): Promise<T> {
  for (let halves = 4; halves > 0; halves -= 1) await time.advance(12 * hour, { sessions: 'expire' })
  return await read()
}

const patience = { timeout: 40_000, interval: 200 }

/** `fresh` has had no clients. */
async function isEmptied(fresh: Emptied, used: Emptied): Promise<void> {
  await useEverything(used.kafka)
  const rows = await used.rows()
  const tables = [
    'topics',
    'partitions',
    'segments',
    'objects',
    'producers',
    'producer_id_blocks',
    'groups',
    'group_offsets',
    'idempotency_keys',
    'compactions',
    'transactional_ids',
    'aborted_transactions',
  ]
  for (const table of tables) expect(rows[table], table).toBeGreaterThan(0)
  expect(used.storedBytes()).toBeGreaterThan(0)
  await used.kafka.call(DeleteTopics, 5, { topicNames: ['plain', 'compacted'], timeoutMs: 1_000 })
  await expect.poll(() => afterDays(used, used.storedBytes), patience).toBe(0)
  // The answer of the agent's last commit, and the place of the scrubber: one row each, whatever happens.
  const fixed = { ...(await fresh.rows()), results: 1, scrubs: 1 }
  // Incarnations of jobs go a day after the last object.
  await expect.poll(() => afterDays(used, used.rows), patience).toEqual(fixed)
}

const [first, second] = [await startPostgres(), await startPostgres()]

describe('after every topic was deleted the store is empty, and every table has the size of a new agent', () => {
  test('in SQLite', { timeout: 100_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lks-emptied-'))
    try {
      const fresh = await onSqlite(join(folder, 'fresh.db'))
      await using _fresh = fresh.kafka
      const used = await onSqlite(join(folder, 'used.db'))
      await using _used = used.kafka
      await isEmptied(fresh, used)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  const why = first.kind === 'started' ? '' : ` (${first.why})`
  test.skipIf(first.kind !== 'started')(`in PostgreSQL and S3${why}`, { timeout: 100_000 }, async () => {
    if (first.kind !== 'started' || second.kind !== 'started') return
    try {
      await using s3OfFresh = await startS3Server()
      await using s3OfUsed = await startS3Server()
      const fresh = await onPostgres(first.postgres, s3OfFresh)
      await using _fresh = fresh.kafka
      const used = await onPostgres(second.postgres, s3OfUsed)
      await using _used = used.kafka
      await isEmptied(fresh, used)
    } finally {
      await first.postgres.stop()
      await second.postgres.stop()
    }
  })
})
