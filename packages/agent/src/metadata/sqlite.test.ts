// SQLite beyond the contract: a shared COMMIT, file errors, and a thread that dies.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock, systemRandom } from '../time/system-clock.ts'
import type { Cluster } from './cluster.ts'
import { expireOffsets } from './group-store.contract.ts'
import { MetadataError, type NewTopic } from './metadata-store.ts'
import { type OpenedMetadata, openMetadata } from './open.ts'
import { schemaVersion } from './schema.ts'
import type { CopyableSql, TransactionOutcome } from './sql.ts'
import { fileName, memoryName, openSqlite, type QueuedRun, SqliteDatabase } from './sqlite.ts'
import { openSqliteWorker } from './sqlite-client.ts'
import type { Filled } from './testing/filling-disk.ts'
import type { Transactions } from './transactions.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lks-sqlite-'))
  path = join(directory, 'metadata.db')
})
afterEach(async () => {
  await rm(directory, { recursive: true })
})

const createTopic = (cluster: Cluster, name: string): QueuedRun => ({
  transaction: 'createTopic',
  input: { cluster, input: { topicId: name, name, partitions: 1, configs: {}, dryRun: false } },
})
const listTopics = (cluster: Cluster): QueuedRun => ({ transaction: 'listTopics', input: { cluster, input: {} } })
const kindsOf = (outcomes: readonly TransactionOutcome<unknown>[]): readonly string[] => outcomes.map(({ kind }) => kind)

function namesIn(database: SqliteDatabase, cluster: Cluster): readonly string[] {
  const [listed] = database.run([listTopics(cluster)])
  return listed?.kind === 'committed'
    ? (listed.value as readonly { readonly name: string }[]).map(({ name }) => name)
    : [String(listed?.kind)]
}

function aDatabase(): { readonly database: SqliteDatabase; readonly cluster: Cluster } {
  const database = new SqliteDatabase({ path, durability: 'os' })
  const [, opened] = database.run([
    { transaction: 'migrate', input: {} },
    { transaction: 'openCluster', input: { newClusterId: 'one', newSlots: 16 } },
  ])
  if (opened?.kind !== 'committed') throw new Error('not opened')
  return { database, cluster: (opened.value as { readonly cluster: Cluster }).cluster }
}

/** Another connection to the same file. */
function elsewhere(text: string): void {
  const other = new DatabaseSync(path)
  other.exec(text)
  other.close()
}

describe('bodies that share a transaction', () => {
  test('a body that fails is undone alone', () => {
    const { database, cluster } = aDatabase()
    elsewhere(`CREATE TRIGGER reject_it BEFORE UPDATE OF next_log ON clusters WHEN EXISTS (SELECT 1 FROM topics WHERE name = 'bad')
      BEGIN SELECT RAISE(ABORT, 'rejected'); END`)
    const outcomes = database.run([createTopic(cluster, 'one'), createTopic(cluster, 'bad'), createTopic(cluster, 'two')])
    expect(kindsOf(outcomes)).toEqual(['committed', 'rolled back', 'committed'])
    expect(namesIn(database, cluster)).toEqual(['one', 'two'])
    database.close()
  })

  test('when the whole transaction is lost, no body is reported as committed', () => {
    const { database, cluster } = aDatabase()
    elsewhere(`CREATE TRIGGER reject_it BEFORE INSERT ON topics WHEN NEW.name = 'bad' BEGIN SELECT RAISE(ROLLBACK, 'all is lost'); END`)
    const outcomes = database.run([createTopic(cluster, 'one'), createTopic(cluster, 'bad'), createTopic(cluster, 'two')])
    expect(kindsOf(outcomes)).toEqual(['rolled back', 'rolled back', 'rolled back'])
    expect(namesIn(database, cluster)).toEqual([])
    expect(kindsOf(database.run([createTopic(cluster, 'one')]))).toEqual(['committed'])
    database.close()
  })

  test('a COMMIT that is rejected while the transaction stays open was definitely rolled back', () => {
    const { database, cluster } = aDatabase()
    elsewhere(`PRAGMA foreign_keys = ON; CREATE TABLE parents (name text PRIMARY KEY);
      CREATE TABLE children (parent text REFERENCES parents (name) DEFERRABLE INITIALLY DEFERRED);
      CREATE TRIGGER orphan AFTER INSERT ON topics WHEN NEW.name = 'bad' BEGIN INSERT INTO children VALUES ('nobody'); END`)
    const outcomes = database.run([createTopic(cluster, 'one'), createTopic(cluster, 'bad')])
    expect(kindsOf(outcomes)).toEqual(['rolled back', 'rolled back'])
    expect(namesIn(database, cluster)).toEqual([])
    database.close()
  })

  test('a transaction that throws is a defect, and is not retried', () => {
    const { database } = aDatabase()
    const [outcome] = database.run([{ transaction: 'listTopics', input: undefined }])
    expect(outcome).toMatchObject({ kind: 'rolled back', error: { kind: 'invalid' } })
    database.close()
  })
})

describe('a file with a problem', () => {
  test('held by another process: rolled back, and done once it is free', () => {
    const { database, cluster } = aDatabase()
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    expect(database.run([createTopic(cluster, 'one')])).toMatchObject([{ kind: 'rolled back', error: { kind: 'unavailable' } }])
    other.exec('ROLLBACK')
    other.close()
    expect(kindsOf(database.run([createTopic(cluster, 'one')]))).toEqual(['committed'])
    database.close()
  })

  test.skipIf(process.platform === 'win32')(
    'that cannot grow: every acknowledged topic is there, nothing crashes, and only the rest is in doubt',
    async () => {
      const script = fileURLToPath(new URL('./testing/filling-disk.ts', import.meta.url))
      const { stdout } = await promisify(execFile)('sh', [
        '-c',
        'ulimit -f 900; exec "$@"',
        'sh',
        process.execPath,
        '--conditions=lks-source',
        script,
        path,
      ])
      const { kinds, made, found } = JSON.parse(stdout) as Filled
      expect(made.length).toBeGreaterThan(0)
      expect((kinds['unknown'] ?? 0) + (kinds['rolled back'] ?? 0)).toBeGreaterThan(0)
      expect(found).toEqual(expect.arrayContaining([...made]))
      // Without the limit the file is intact and takes writes again.
      const { database, cluster } = aDatabase()
      expect(namesIn(database, cluster).toSorted()).toEqual(found.toSorted())
      expect(kindsOf(database.run([createTopic(cluster, 'after')]))).toEqual(['committed'])
      database.close()
    },
  )

  test('that is not a database, or in a missing directory, has a reason of its own at the start', async () => {
    await writeFile(path, 'this is a letter, not a database, and long enough to be read as the header of one, which it is not '.repeat(10))
    await expect(openSqliteWorker({ path, durability: 'os' })).rejects.toMatchObject({ kind: 'invalid', reason: 'not a database' })
    const nowhere = { path: join(directory, 'no/such/metadata.db'), durability: 'os' } as const
    await expect(openSqliteWorker(nowhere)).rejects.toMatchObject({ name: 'MetadataError', reason: 'permission' })
    expect(() => openSqlite(nowhere)).toThrow(MetadataError)
  })

  /** What migrations 13 and later have made. */
  const dropTransactions = (): void => {
    for (const index of ['producers_in_transactions', 'segments_without_bytes']) elsewhere(`DROP INDEX ${index}`)
    for (const table of [
      'transactional_ids',
      'transaction_partitions',
      'aborted_transactions',
      'transaction_groups',
      'transaction_offsets',
    ])
      elsewhere(`DROP TABLE ${table}`)
    elsewhere('ALTER TABLE producers DROP COLUMN transaction_first_offset')
    elsewhere('ALTER TABLE partitions DROP COLUMN first_unstable_offset')
    elsewhere('ALTER TABLE segments DROP COLUMN marker')
    elsewhere('ALTER TABLE incarnations DROP COLUMN fenced_at_ms')
    elsewhere('ALTER TABLE clusters DROP COLUMN view_version')
    elsewhere('ALTER TABLE group_offsets DROP COLUMN save_version')
    elsewhere('ALTER TABLE topics DROP COLUMN replication_factor')
    elsewhere('ALTER TABLE agents DROP COLUMN control_url')
    elsewhere('ALTER TABLE agents DROP COLUMN data_url')
    elsewhere('ALTER TABLE agents DROP COLUMN rack')
  }

  test("C6: of schema version 3 is migrated: its offsets keep the server's retention", async () => {
    aDatabase().database.close()
    dropTransactions()
    for (const index of ['objects_released', 'topics_deleted']) elsewhere(`DROP INDEX ${index}`)
    elsewhere('ALTER TABLE topics DROP COLUMN purge_began_at_ms')
    for (const table of ['resource_configs', 'skipped_ranges', 'scrubs', 'compactions', 'merges']) elsewhere(`DROP TABLE ${table}`)
    elsewhere('ALTER TABLE agents DROP COLUMN machine')
    elsewhere('ALTER TABLE objects DROP COLUMN released_at_ms')
    elsewhere('ALTER TABLE group_offsets DROP COLUMN expires_at_ms')
    elsewhere('UPDATE schema_version SET version = 3')
    elsewhere("INSERT INTO groups SELECT cluster, 'g', 'e', 1, 'classic', NULL, 'Empty', 1 FROM clusters")
    elsewhere("INSERT INTO group_offsets SELECT cluster, 'g', 't', 0, 5, -1, '', 1 FROM clusters")
    const sql = await openSqliteWorker({ path, durability: 'os' })
    const { groups } = await openMetadata(sql, { newClusterId: 'two', clock: systemClock, random: systemRandom })
    await expireOffsets(groups, systemClock.now() + 3_600_000)
    const rows = (): unknown => new DatabaseSync(path).prepare('SELECT committed_offset, expires_at_ms FROM group_offsets').all()
    expect(rows()).toEqual([{ committed_offset: 5, expires_at_ms: null }])
    await expireOffsets(groups, 0)
    expect(rows()).toEqual([])
    await sql.close()
  })

  test('of a version that removed no records keeps those of its topics', async () => {
    aDatabase().database.close()
    dropTransactions()
    for (const index of ['objects_released', 'topics_deleted']) elsewhere(`DROP INDEX ${index}`)
    elsewhere('ALTER TABLE topics DROP COLUMN purge_began_at_ms')
    elsewhere('DROP TABLE merges')
    elsewhere('UPDATE schema_version SET version = 8')
    const columns = 'cluster, topic_id, name, folded_name, partitions, configs, created_at_ms'
    for (const [name, configs] of [
      ['kept', '{"flush.ms":"5"}'],
      ['own', '{"retention.ms":"7"}'],
    ])
      elsewhere(`INSERT INTO topics (${columns}) SELECT cluster, '${name}', '${name}', '${name}', 1, '${configs}', 1 FROM clusters`)
    const sql = await openSqliteWorker({ path, durability: 'os' })
    const { topics } = await openMetadata(sql, { newClusterId: 'two', clock: systemClock, random: systemRandom })
    expect((await topics.list()).map(({ configs }) => configs)).toEqual([
      { 'flush.ms': '5', 'retention.ms': '-1' },
      { 'retention.ms': '7' },
    ])
    await sql.close()
  })

  test('of a newer schema is rejected, and left as it is', async () => {
    aDatabase().database.close()
    elsewhere(`UPDATE schema_version SET version = ${schemaVersion + 2}, minimum_reader = ${schemaVersion + 1}`)
    const sql = await openSqliteWorker({ path, durability: 'os' })
    const opening = openMetadata(sql, { newClusterId: 'two', clock: systemClock, random: systemRandom })
    await expect(opening).rejects.toMatchObject({
      kind: 'invalid',
      reason: 'newer schema',
      message: expect.stringContaining(`version ${schemaVersion + 1}`),
    })
    await sql.close()
  })

  test('of a newer schema that older code may read is opened, and keeps its version', async () => {
    aDatabase().database.close()
    elsewhere(`UPDATE schema_version SET version = ${schemaVersion + 2}, minimum_reader = 1`)
    const sql = await openSqliteWorker({ path, durability: 'os' })
    expect((await openMetadata(sql, { newClusterId: 'two', clock: systemClock, random: systemRandom })).clusterId).toBe('one')
    await sql.close()
    const { version } = new DatabaseSync(path).prepare('SELECT version FROM schema_version').get() as { readonly version: number }
    expect(version).toBe(schemaVersion + 2)
  })
})

describe('a copy', () => {
  const copyOf = async (sql: CopyableSql<Transactions>): Promise<OpenedMetadata> => {
    const name = memoryName(randomUUID())
    const copy = openSqlite({ path: name, durability: 'memory' })
    await sql.copyInto(name)
    return await openMetadata(copy, { newClusterId: 'another', clock: systemClock, random: systemRandom })
  }
  const aNewTopic = (name: string): NewTopic => ({ topicId: name, name, partitions: 1, configs: {}, dryRun: false })
  const names = async ({ topics }: OpenedMetadata): Promise<readonly string[]> => (await topics.list()).map(({ name }) => name)

  test.each([
    ['memory', () => openSqlite({ path: ':memory:', durability: 'memory' })],
    ['the thread', () => openSqliteWorker({ path, durability: 'os', holdsProcess: false })],
  ])('of a database in %s has all committed state, also from earlier requests still queued, and changes independently', async (_, open) => {
    const sql = await open()
    const store = await openMetadata(sql, { newClusterId: 'one', clock: systemClock, random: systemRandom })
    await store.topics.create(aNewTopic('first'))
    const queued = store.topics.create(aNewTopic('second'))
    const copy = await copyOf(sql)
    await queued
    expect([copy.clusterId, copy.created, await names(copy)]).toEqual(['one', false, ['first', 'second']])
    await copy.topics.create(aNewTopic('of-the-copy'))
    await store.topics.delete('first')
    expect([await names(store), await names(copy)]).toEqual([['second'], ['first', 'of-the-copy', 'second']])
    await store.close()
    expect(await names(copy)).toHaveLength(3)
    await copy.close()
  })

  test('into a place that cannot be written is rejected, and the database keeps working', async () => {
    const sql = await openSqliteWorker({ path, durability: 'os', holdsProcess: false })
    const store = await openMetadata(sql, { newClusterId: 'one', clock: systemClock, random: systemRandom })
    await expect(sql.copyInto(fileName(join(directory, 'no/such/folder/file')))).rejects.toMatchObject({ name: 'MetadataError' })
    await store.topics.create(aNewTopic('after'))
    expect(await names(store)).toEqual(['after'])
    await store.close()
    await expect(sql.copyInto(fileName(join(directory, 'late')))).rejects.toMatchObject({ kind: 'unavailable' })
  })
})

test('when one thread moves time ahead, the other sees it', async () => {
  const aheadMs = new SharedArrayBuffer(8)
  const sql = await openSqliteWorker({ path, durability: 'os', holdsProcess: false, aheadMs })
  const store = await openMetadata(sql, { newClusterId: 'one', clock: systemClock, random: systemRandom })
  const made = async (name: string): Promise<number> => {
    const result = await store.topics.create({ topicId: name, name, partitions: 1, configs: {}, dryRun: false })
    if (result.kind !== 'created') throw new Error(result.kind)
    return result.topic.createdAtMs
  }
  const before = await made('before')
  Atomics.store(new BigInt64Array(aheadMs), 0, 86_400_000n)
  expect((await made('after')) - before).toBeGreaterThanOrEqual(86_400_000)
  await store.close()
})

describe('the thread', () => {
  test('commits survive closing and opening; requests that were queued before closing are done', async () => {
    const first = await openMetadata(await openSqliteWorker({ path, durability: 'strict' }), {
      newClusterId: 'one',
      clock: systemClock,
      random: systemRandom,
    })
    const queued = Array.from({ length: 50 }, (_, number) =>
      first.topics.create({ topicId: `t${number}`, name: `t${number}`, partitions: 1, configs: {}, dryRun: false }),
    )
    await first.close()
    expect((await Promise.all(queued)).every(({ kind }) => kind === 'created')).toBe(true)
    const second = await openMetadata(await openSqliteWorker({ path, durability: 'strict' }), {
      newClusterId: 'two',
      clock: systemClock,
      random: systemRandom,
    })
    expect([second.clusterId, second.created, (await second.topics.list()).length]).toEqual(['one', false, 50])
    await second.close()
  })

  test('after closing nothing runs', async () => {
    const sql = await openSqliteWorker({ path, durability: 'os' })
    await sql.close()
    await sql.close()
    expect(await sql.run('migrate', {}, 1000)).toMatchObject({ kind: 'rolled back' })
  })

  test('a thread that dies leaves its calls unknown, and is replaced', async () => {
    const sql = await openSqliteWorker({ path, durability: 'os' }, new URL('./testing/dying-worker.ts', import.meta.url))
    const { clusterId, topics } = await openMetadata(sql, { newClusterId: 'one', clock: systemClock, random: systemRandom })
    const cluster: Cluster = { number: 1, id: clusterId, slots: 256 }
    expect(await sql.run('listSlots', { cluster, input: {} }, 1000)).toMatchObject({ kind: 'unknown', error: { kind: 'unavailable' } })
    expect(await topics.list()).toEqual([])
    await sql.close()
  })
})
