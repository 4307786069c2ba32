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
import { expect, test } from 'vitest'
import { type AgentForTests, aBatch, anAgent } from './api/testing/an-agent.ts'
import { defaultLimits } from './limits.ts'
import { MemoryObjects } from './objects/adapters/memory.ts'
import { MovableTime } from './time/movable-time.ts'
import { systemClock } from './time/system-clock.ts'

const hour = 3_600_000
const never = new AbortController().signal
const settings = Object.entries({
  'storage.merge.interval.ms': 1_000,
  'storage.merge.max.age.ms': 0,
  'transactional.id.expiration.ms': 24 * hour,
}).map(([name, value]) => [name, { value: String(value), source: 'flag' as const }])

/** The number of rows of each table. */
function rowsIn(path: string): Readonly<Record<string, number>> {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const tables = database.prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`).all()
    const count = (table: string): number => Number(database.prepare(`SELECT count(*) AS count FROM "${table}"`).get()?.['count'])
    return Object.fromEntries(tables.map(({ name }) => [String(name), count(String(name))]))
  } finally {
    database.close()
  }
}

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

test('after every topic was deleted the store is empty, and every table has the size of a new agent', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lks-emptied-'))
  const start = async (name: string) => {
    const time = new MovableTime(systemClock)
    const path = join(folder, `${name}.db`)
    const objects = new MemoryObjects()
    // Readers' grace is real time.
    const limits = { ...defaultLimits, readersGraceMs: 50 }
    const kafka = await anAgent({ settings: Object.fromEntries(settings), clock: time.clock, limits, path, wrap: () => objects })
    const daysPass = async (): Promise<void> => {
      for (let halves = 20; halves > 0; halves -= 1) await time.advance(12 * hour, { sessions: 'expire' })
    }
    return { kafka, path, objects, daysPass }
  }
  try {
    const [fresh, used] = [await start('fresh'), await start('used')]
    await using _fresh = fresh.kafka
    await using _used = used.kafka
    await fresh.daysPass()
    await useEverything(used.kafka)
    const rows = rowsIn(used.path)
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
    ]
    for (const table of [...tables, 'compactions', 'transactional_ids', 'aborted_transactions'])
      expect(rows[table], table).toBeGreaterThan(0)
    expect(used.objects.sizeBytes).toBeGreaterThan(0)
    await used.kafka.call(DeleteTopics, 5, { topicNames: ['plain', 'compacted'], timeoutMs: 1_000 })
    await used.daysPass()
    await expect.poll(() => used.objects.sizeBytes, { timeout: 20_000 }).toBe(0)
    // Incarnations of jobs go a day after the last object.
    await used.daysPass()
    // The answer of the agent's last commit, and the place of the scrubber: one row each, whatever happens.
    const fixed = { ...rowsIn(fresh.path), results: 1, scrubs: 1 }
    await expect.poll(() => rowsIn(used.path), { timeout: 20_000 }).toEqual(fixed)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
