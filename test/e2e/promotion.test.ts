// lks promote: a data directory becomes a cluster on S3 and PostgreSQL, after interruptions at every step, and its clients go on where they were.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kafka, logLevel, type Producer, type Transaction } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../packages/agent/src/metadata/testing/postgres-server.ts'
import { type S3Fault, type S3Server, startS3Server } from '../../packages/agent/src/objects/testing/s3-server.ts'
import type { PromotionStep } from '../../packages/agent/src/promotion.ts'
import { promoteDirectory } from '../../packages/local-kafka-service/src/server/promotion.ts'
import { startCommand } from './testing/client-command.ts'
import { expectError, json } from './testing/commands.ts'
import { groupOf, topicValues } from './testing/http.ts'
import { type Folder, lks, portsOf, type ServerProcess, startServer, temporaryFolder } from './testing/server.ts'
import { s3Env } from './testing/stores.ts'

const started = await startPostgres()
if (started.kind !== 'started') test.skipIf(process.env.CI !== 'true')(`a promotion: ${started.why}`, () => expect.fail(started.why))
else describe('a promotion', () => promotion(started.postgres))

const steps: readonly PromotionStep[] = ['opened', 'prefix claimed', 'object copied', 'objects copied', 'rows written', 'rows committed']

function promotion(postgres: TestPostgres): void {
  let folder: Folder
  let dir: string
  let s3: S3Server
  let fault: (key: string) => S3Fault | undefined = () => undefined
  let server: ServerProcess
  let producer: Producer
  let transaction: Transaction
  let target: { readonly storage: string; readonly metadata: string }
  let clusterId: string

  beforeAll(async () => {
    folder = await temporaryFolder()
    dir = join(folder.path, 'data')
    s3 = await startS3Server({ fault: ({ method, key }) => (method === 'PUT' ? fault(key) : undefined) })
    Object.assign(process.env, s3Env(s3))
    target = { storage: `s3://${s3.bucket}/promoted`, metadata: postgres.url }
    server = await startServer({ args: ['--dir', dir] })
  })
  afterAll(async () => {
    await producer.disconnect()
    const { code, stderr } = await server.stop()
    for (const name of Object.keys(s3Env(s3))) delete process.env[name]
    await s3[Symbol.asyncDispose]()
    await postgres.stop()
    await folder[Symbol.asyncDispose]()
    expect(code, stderr).toBe(0)
  })

  const kafka = (): Kafka =>
    new Kafka({ brokers: [server.kafka], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 30 } })
  const words = (): readonly string[] => ['promote', '--dir', dir, '--storage', target.storage, '--metadata', target.metadata, '--yes']
  const send = async (values: readonly string[]): Promise<void> =>
    void (await producer.send({ topic: 'orders', messages: values.map((value) => ({ value, partition: 0 })) }))

  test('a directory with an idempotent producer, a group, and an open transaction', async () => {
    const client = kafka()
    const admin = client.admin()
    await admin.connect()
    await admin.createTopics({
      topics: [
        { topic: 'orders', numPartitions: 3 },
        { topic: 'payments', numPartitions: 1 },
      ],
    })
    producer = client.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    for (const value of ['a', 'b', 'c', 'd']) await send([value])
    await admin.setOffsets({ groupId: 'shipping', topic: 'orders', partitions: [{ partition: 0, offset: '3' }] })
    const transactional = client.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      transactionalId: 'payer',
      transactionTimeout: 600_000,
    })
    await transactional.connect()
    const first = await transactional.transaction()
    await first.send({ topic: 'payments', messages: [{ value: 'paid', partition: 0 }] })
    await first.commit()
    transaction = await transactional.transaction()
    await transaction.send({ topic: 'payments', messages: [{ value: 'open', partition: 0 }] })
    await admin.disconnect()
    expectError(await lks(words()), 'LKS-1101', /in use/)
    await server.stop()
  })

  test('without S3 and PostgreSQL as its target it is rejected, and changes nothing', async () => {
    expectError(await lks(['promote', '--dir', dir, '--storage', folder.path, '--metadata', postgres.url, '--yes']), 'LKS-1004', /s3:/, 2)
    expectError(await lks(['promote', '--dir', dir, '--storage', target.storage, '--yes']), 'LKS-1005', /metadata/, 2)
    expectError(await lks(['promote', '--dir', join(folder.path, 'none'), ...words().slice(3)]), 'LKS-1103', /metadata.db/)
    await using again = await startServer({ args: ['--dir', dir] })
    expect(await topicValues(again, 'orders', 0)).toEqual(['a', 'b', 'c', 'd'])
    await again.stop()
  })

  test('its process is killed while it copies an object', async () => {
    const reached = Promise.withResolvers<void>()
    const killed = Promise.withResolvers<void>()
    let puts = 0
    fault = (key) => {
      puts += 1
      if (key.endsWith('cluster.json') || puts < 3) return undefined
      reached.resolve()
      return { kind: 'wait', until: killed.promise }
    }
    const promoting = startCommand('', words())
    await Promise.race([reached.promise, promoting.succeeded()])
    await promoting.kill()
    fault = () => undefined
    killed.resolve()
    expectError(await lks(['dev', '--dir', dir]), 'LKS-1105', /promoted/)
  })

  test('it is interrupted after each of its steps, and run again each time', async () => {
    for (const last of steps) {
      const onStep = (step: PromotionStep): void => {
        if (step === last) throw new Error(`interrupted after: ${last}`)
      }
      const sources = { flags: target, env: {}, file: undefined }
      const result = promoteDirectory({ dir, sources, onStep })
      // An object was copied before the kill: whether others are left depends on how many the directory has.
      if (last === 'object copied') await result.catch(() => {})
      else await expect(result, last).rejects.toThrow(`interrupted after: ${last}`)
    }
    const other = ['promote', '--dir', dir, '--storage', `s3://${s3.bucket}/other`, '--metadata', target.metadata, '--yes']
    expectError(await lks(other), 'LKS-1105', /promoted/)
    const promoted = await json<{ readonly clusterId: string; readonly rowsWritten: boolean }>(words())
    expect(promoted.rowsWritten).toBe(false)
    clusterId = promoted.clusterId
  })

  test('the database has every row of the directory; only its incarnations are fenced, and its slots free', async () => {
    using database = new DatabaseSync(join(dir, 'metadata.db'), { readOnly: true })
    const tables = database
      .prepare(`SELECT t.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c ON c.name = 'cluster' WHERE t.type = 'table'`)
      .all()
    expect(tables.length).toBeGreaterThan(20)
    for (const { name } of tables) {
      const expected = database.prepare(`SELECT * FROM "${String(name)}"`).all()
      const found = await postgres.query<Record<string, unknown>>(`SELECT * FROM lks."${String(name)}"`)
      expect(sorted(String(name), found), String(name)).toEqual(sorted(String(name), expected))
    }
    const [states] = await postgres.query<{ readonly states: string }>(
      `SELECT string_agg(DISTINCT state, ',') AS states FROM lks.incarnations`,
    )
    expect(states?.states).toBe('fenced')
  })

  test('production agents go on with it: producers, groups and the open transaction', async () => {
    // Under the name that it had in the directory, the broker keeps its id: kafkajs goes on asking for a coordinator that it knows.
    const args = ['--agent-name', 'agent-1', '--cluster-id', clusterId, '--storage', target.storage, '--metadata', target.metadata]
    server = await startServer({ command: 'start', args: [...args, '--flush-linger-ms', '5'], env: s3Env(s3), ports: portsOf(server) })
    // The same producer, with its next sequence.
    await send(['e'])
    await send(['f'])
    expect(await topicValues(server, 'orders', 0)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    expect((await groupOf(server, 'shipping')).partitions).toContainEqual(expect.objectContaining({ partition: 0, offset: 3 }))
    const received: string[] = []
    const consumer = kafka().consumer({ groupId: 'shipping' })
    await consumer.connect()
    await consumer.subscribe({ topic: 'orders' })
    await consumer.run({ eachMessage: async ({ message }) => void received.push(String(message.value)) })
    await expect.poll(() => received, { timeout: 30_000 }).toEqual(['d', 'e', 'f'])
    await consumer.disconnect()
    await transaction.commit()
    const payments = (await topicValues(server, 'payments', 0)).filter((value) => value !== undefined)
    expect(payments).toEqual(['paid', 'open'])
  })

  test('a promotion that was done is done: again it changes nothing, and the directory stays closed', async () => {
    expect(await json(words())).toMatchObject({ clusterId, rowsWritten: false, objects: { copied: 0 } })
    expectError(await lks(['dev', '--dir', dir]), 'LKS-1105', /promoted/)
  })
}

/** In any order, without the cluster's number, and without what a promotion changes. */
function sorted(table: string, rows: readonly Record<string, unknown>[]): readonly string[] {
  return rows
    .map((row) => {
      const values = Object.entries(row).filter(([name]) => name !== 'cluster' && !changed.has(`${table}.${name}`))
      return JSON.stringify(values.toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([name, value]) => [name, asText(value)]))
    })
    .toSorted()
}

const changed = new Set(['incarnations.state', 'incarnations.fenced_at_ms', 'slots.owner'])

/** PostgreSQL's driver answers 64 bits as text. */
function asText(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value
}
