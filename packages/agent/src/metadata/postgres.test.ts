// PostgreSQL beyond the contract: connections that fail before, at and after COMMIT, time-outs, and errors at the start.
// It is longer than other files because it is one thing: all of it needs one database behind one proxy.
import { randomBytes } from 'node:crypto'
import type { Pool } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { defaultLimits } from '../limits.ts'
import { systemClock, systemRandom } from '../time/system-clock.ts'
import type { CommitTransaction } from './commit.ts'
import { MetadataError, type Registration, type Topic } from './metadata-store.ts'
import { type OpenedMetadata, openMetadata } from './open.ts'
import { openPool, openPostgres, transact } from './postgres.ts'
import { migrateBy, migrations, type SchemaState, schemaVersion } from './schema.ts'
import { type Body, read, type TransactionOutcome, unchanged } from './sql.ts'
import { type Nothing, statement } from './statement.ts'
import { aBatch, aTopic, laidOut, openCluster, registered, reopened } from './testing/a-cluster.ts'
import { type CuttingProxy, startCuttingProxy } from './testing/cutting-proxy.ts'
import { startPostgres } from './testing/postgres-server.ts'
import type { Timelines } from './timelines.ts'

const started = await startPostgres()

describe.skipIf(started.kind !== 'started')(`PostgreSQL${started.kind === 'started' ? '' : ` (${started.why})`}`, () => {
  if (started.kind !== 'started') return
  const { postgres } = started
  let proxy: CuttingProxy
  let store: OpenedMetadata
  let me: Registration
  let topic: Topic

  beforeAll(async () => {
    proxy = await startCuttingProxy(postgres.url)
  })
  afterAll(async () => {
    await proxy.stop()
    await postgres.stop()
  })
  beforeEach(async () => {
    store = await openCluster(await openPostgres({ url: proxy.url }))
    me = await registered(store, 'me')
    topic = await aTopic(store)
  })
  afterEach(async () => {
    await store.close()
  })

  const aFlush = (sequence: number): CommitTransaction => ({
    incarnation: me.incarnation,
    prev: sequence - 1,
    sequence,
    object: { sizeBytes: 100, checksum: 1 },
    batches: laidOut([aBatch(topic, me, store, { offsets: 3 })]),
    producerIdExpirationMs: 86_400_000,
    segmentBytes: defaultLimits.segmentBytes,
  })
  const highWatermark = async (): Promise<number | undefined> =>
    (await store.log.partitions([{ topicId: topic.topicId, partition: 0 }]))[0]?.highWatermark

  describe('at COMMIT', () => {
    test('a lost answer has an unknown outcome; repeating the call gives the identical result', async () => {
      proxy.cut = 'after COMMIT'
      expect((await store.log.commit(aFlush(1))).kind).toBe('unknown')
      expect(await highWatermark()).toBe(3)
      const again = await store.log.commit(aFlush(1))
      expect(again).toMatchObject({
        kind: 'committed',
        result: { verdicts: [{ kind: 'appended', baseOffset: 0 }], grown: [{ highWatermark: 3 }] },
      })
      expect(await store.log.commit(aFlush(1))).toEqual(again)
      expect(await highWatermark()).toBe(3)
    })

    test('a COMMIT that never arrived has an unknown outcome, too, and nothing is stored', async () => {
      proxy.cut = 'before COMMIT'
      expect((await store.log.commit(aFlush(1))).kind).toBe('unknown')
      expect(await highWatermark()).toBe(0)
      expect(await store.log.commit(aFlush(1))).toMatchObject({ kind: 'committed', result: { verdicts: [{ baseOffset: 0 }] } })
    })

    const atCommit = async (raised: string): Promise<void> => {
      await postgres.query(`CREATE FUNCTION lks.speak() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE ${raised}; RETURN NULL; END $$`)
      await postgres.query(
        `CREATE CONSTRAINT TRIGGER speak AFTER INSERT ON lks.objects DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lks.speak()`,
      )
    }
    const hush = async (): Promise<void> => {
      await postgres.query('DROP FUNCTION lks.speak CASCADE')
    }

    test('a warning, like that of a standby that was not waited for, makes the outcome unknown', async () => {
      await atCommit(`WARNING 'canceling wait for synchronous replication'`)
      expect((await store.log.commit(aFlush(1))).kind).toBe('unknown')
      await hush()
      expect(await store.log.commit(aFlush(1))).toMatchObject({ kind: 'committed', result: { verdicts: [{ baseOffset: 0 }] } })
      expect(await highWatermark()).toBe(3)
    })

    test.each(['check_violation', 'serialization_failure', 'admin_shutdown'])(
      'a COMMIT that is rejected has an unknown outcome whatever its code (%s); the replay is definite',
      async (code) => {
        await atCommit(`EXCEPTION 'no' USING ERRCODE = '${code}'`)
        expect((await store.log.commit(aFlush(1))).kind).toBe('unknown')
        await hush()
        expect(await store.log.commit(aFlush(1))).toMatchObject({ kind: 'committed', result: { verdicts: [{ baseOffset: 0 }] } })
        expect(await highWatermark()).toBe(3)
      },
    )

    test('a COMMIT without an answer, on a connection that stays open, is unknown at the deadline of its own', async () => {
      const sql = await openPostgres({ url: proxy.url })
      const [row] = await postgres.query<{ number: number }>('SELECT cluster AS number FROM lks.clusters WHERE cluster_id = $1', [
        store.clusterId,
      ])
      const cluster = { number: row?.number ?? 0, id: store.clusterId, slots: store.slots }
      proxy.cut = 'silent'
      const begun = performance.now()
      expect((await sql.run('commit', { cluster, input: aFlush(1) }, 400)).kind).toBe('unknown')
      expect(performance.now() - begun).toBeLessThan(4_000)
      expect(await sql.run('commit', { cluster, input: aFlush(1) }, 5_000)).toMatchObject({
        kind: 'committed',
        value: { kind: 'committed', result: { verdicts: [{ baseOffset: 0 }] } },
      })
      await sql.close()
    })
  })

  describe('the first message of a transaction', () => {
    afterEach(() => {
      proxy.first = 'as sent'
    })
    const alter = (setting: string): Promise<unknown> =>
      postgres.query(`ALTER DATABASE ${new URL(postgres.url).pathname.slice(1)} ${setting}`)

    test('if BEGIN is rejected nothing is written, although each later statement would be a transaction by itself', async () => {
      proxy.first = 'BEGIN is rejected'
      expect(await store.log.commit(aFlush(1))).toMatchObject({ kind: 'rolled back', error: { kind: 'unavailable' } })
      proxy.first = 'as sent'
      expect(await highWatermark()).toBe(0)
      expect(await store.log.commit(aFlush(1))).toMatchObject({ kind: 'committed' })
    })

    test('a pooler that drops the time-outs is noticed at the start, and later before any write', async () => {
      proxy.first = 'no time-outs'
      await expect(openPostgres({ url: proxy.url })).rejects.toMatchObject({ kind: 'invalid', reason: 'unsafe settings' })
      expect(await store.log.commit(aFlush(1))).toMatchObject({
        kind: 'rolled back',
        error: { message: expect.stringContaining('time-outs') },
      })
      proxy.first = 'as sent'
      expect(await highWatermark()).toBe(0)
    })

    test('synchronous_commit = off is rejected at the start, and later before any write', async () => {
      await alter('SET synchronous_commit = off')
      await expect(openPostgres({ url: postgres.url })).rejects.toMatchObject({ kind: 'invalid', reason: 'unsafe settings' })
      await postgres.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      )
      await expect
        .poll(() => store.log.commit(aFlush(1)))
        .toMatchObject({ kind: 'rolled back', error: { kind: 'unavailable', message: expect.stringContaining('synchronous_commit') } })
      await alter('RESET synchronous_commit')
      expect(await store.log.commit(aFlush(1))).toMatchObject({ kind: 'committed' })
    })
  })

  describe('an old primary', () => {
    const withTimelines = async (timelines: Timelines): Promise<OpenedMetadata> =>
      await openCluster(await openPostgres({ url: postgres.url, watch: { clock: systemClock, timelines } }))

    test('is rejected at the start; the timeline of a present one is recorded under the identifier of the system', async () => {
      const recorded: [string, number][] = []
      const fresh: Timelines = { highest: async () => 0, record: async (...entry) => void recorded.push(entry) }
      await (await withTimelines(fresh)).close()
      const [{ system } = { system: '' }] = await postgres.query<{ system: string }>(
        'SELECT system_identifier::text AS system FROM pg_control_system()',
      )
      expect(recorded).toEqual([[system, expect.any(Number)]])
      const replaced: Timelines = { ...fresh, highest: async () => (recorded[0]?.[1] ?? 0) + 1 }
      await expect(withTimelines(replaced)).rejects.toMatchObject({ kind: 'invalid', reason: 'old primary' })
    })

    test('gets no writes: the timeline is checked in the transaction, before them', async () => {
      const pool = await openPool({ url: postgres.url })
      const client = await pool.connect()
      const replaced = async (): Promise<never> => {
        throw new MetadataError('unavailable', 'replaced', { reason: 'old primary' })
      }
      const { outcome, broken } = await transact(client, locking(1), { deadlineMs: 5000, watch: { check: replaced } })
      expect([outcome, broken]).toMatchObject([{ kind: 'rolled back', error: { reason: 'old primary' } }, true])
      client.release(broken)
      await pool.end()
    })

    test('the ages that hold up vacuum are read beside the transactions', async () => {
      const sql = await openPostgres({
        url: postgres.url,
        watch: { clock: systemClock, timelines: { highest: async () => 0, record: async () => {} } },
      })
      await postgres.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
      await postgres.query('SELECT 1 FROM lks.clusters')
      const watched = await openCluster(sql)
      await expect.poll(() => sql.ages).toMatchObject({ oldestXminAge: expect.any(Number), longestTransactionMs: expect.any(Number) })
      expect(sql.ages?.longestTransactionMs).toBeGreaterThan(0)
      await postgres.query('ROLLBACK')
      await watched.close()
    })
  })

  describe('connections', () => {
    test('no statement has a name', async () => {
      const pool = await openPool({ url: postgres.url })
      const client = await pool.connect()
      const { outcome, broken } = await transact(client, locking(1), { deadlineMs: 5000 })
      expect([outcome.kind, broken]).toEqual(['committed', false])
      expect((await client.query('SELECT name FROM pg_prepared_statements')).rows).toEqual([])
      client.release()
      await pool.end()
    })

    test('an agent has at most 16, however much it has to do', async () => {
      await Promise.all(Array.from({ length: 200 }, () => highWatermark()))
      const [row] = await postgres.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'local-kafka-service'`,
      )
      expect(row?.count).toBeGreaterThan(1)
      expect(row?.count).toBeLessThanOrEqual(16)
    })

    test('a leased connection that dies has a listener for its errors from the beginning', async () => {
      const pool = await openPool({ url: postgres.url })
      const client = await pool.connect()
      const ended = new Promise<void>((resolve) => void client.once('end', resolve))
      const pid = (client as unknown as { readonly processID: number }).processID
      await postgres.query('SELECT pg_terminate_backend($1)', [pid])
      await ended
      client.release(true)
      await pool.end()
    })
  })

  describe('a migration', () => {
    const later = (name: string) => [...migrations, [statement(`test: add ${name}`, `ALTER TABLE topics ADD COLUMN ${name} text`)()]]

    test('gives up a table that is in use instead of holding up those who use it; an older agent goes on before and after it', async () => {
      expect(migrations).toHaveLength(schemaVersion)
      const pool = await openPool({ url: postgres.url })
      const client = async (): Promise<TransactionOutcome<SchemaState>> => {
        const leased = await pool.connect()
        const { outcome, broken } = await transact(leased, migrateBy({ migrations: later('later'), minimumReader: 1 }), {
          deadlineMs: 5000,
        })
        leased.release(broken)
        return outcome
      }
      await postgres.query('BEGIN')
      await postgres.query('SELECT 1 FROM lks.topics LIMIT 1')
      const begun = performance.now()
      expect(await client()).toMatchObject({ kind: 'rolled back', error: { kind: 'unavailable' } })
      expect(performance.now() - begun).toBeLessThan(3_000)
      expect(await store.log.commit(aFlush(1))).toMatchObject({ kind: 'committed' })
      await postgres.query('COMMIT')
      expect(await client()).toMatchObject({ kind: 'committed', value: { kind: 'ready', version: schemaVersion + 1 } })
      expect(await store.log.commit(aFlush(2))).toMatchObject({ kind: 'committed' })
      expect(await aTopic(store, { name: 'by the older agent' })).toBeDefined()
      // It may also start again, because the newer version says that it can read its tables.
      const again = await openCluster(await openPostgres({ url: postgres.url }))
      await again.close()
      await pool.end()
    })
  })

  describe('before COMMIT', () => {
    test('a failed write makes COMMIT answer ROLLBACK, which is not a commit', async () => {
      await postgres.query(`ALTER TABLE lks.segments ADD CONSTRAINT none CHECK (base_offset < 0) NOT VALID`)
      const outcome = await store.log.commit(aFlush(1))
      await postgres.query(`ALTER TABLE lks.segments DROP CONSTRAINT none`)
      expect(outcome).toMatchObject({ kind: 'rolled back', error: { message: expect.stringContaining('none') } })
      expect(await highWatermark()).toBe(0)
      expect(await store.log.commit(aFlush(1))).toMatchObject({ kind: 'committed' })
    })

    test('a row that another transaction holds too long rolls back, in time', async () => {
      await postgres.query('BEGIN')
      await postgres.query('SELECT 1 FROM lks.incarnations WHERE nonce = $1 FOR UPDATE', [me.incarnation.nonce])
      const sql = await openPostgres({ url: postgres.url })
      const begun = performance.now()
      const [row] = await postgres.query<{ number: number }>('SELECT cluster AS number FROM lks.clusters WHERE cluster_id = $1', [
        store.clusterId,
      ])
      const cluster = { number: row?.number ?? 0, id: store.clusterId, slots: store.slots }
      const outcome = await sql.run('commit', { cluster, input: aFlush(1) }, 500)
      expect(outcome).toMatchObject({ kind: 'rolled back', error: { kind: 'unavailable' } })
      expect(performance.now() - begun).toBeLessThan(4000)
      await postgres.query('ROLLBACK')
      expect(await sql.run('commit', { cluster, input: aFlush(1) }, 5000)).toMatchObject({ kind: 'committed' })
      await sql.close()
    })

    test('a lost connection, or a client that stops with locks held, rolls back; the next call gets a new connection', async () => {
      const pool = await openPool({ url: postgres.url })
      const [row] = await postgres.query<{ number: number }>('SELECT cluster AS number FROM lks.clusters WHERE cluster_id = $1', [
        store.clusterId,
      ])
      for (const how of ['killed', 'idle'] as const) {
        const client = await pool.connect()
        client.on('error', () => {})
        // Until the client has noticed the loss, its messages may or may not arrive, and the outcome is unknown.
        const ended = new Promise<void>((resolve) => void client.once('end', resolve))
        const pid = (client as unknown as { readonly processID: number }).processID
        let pauses = 0
        const { outcome, broken } = await transact(client, locking(row?.number ?? 0), {
          deadlineMs: 5000,
          pause: async () => {
            pauses += 1
            if (pauses === 1) return
            if (how === 'killed') await postgres.query('SELECT pg_terminate_backend($1)', [pid])
            await ended
          },
        })
        expect([outcome.kind, broken]).toEqual(['rolled back', true])
        client.release(broken)
      }
      await pool.end()
      expect(await store.log.commit(aFlush(1))).toMatchObject({ kind: 'committed' })
    })

    test('a connection is not used again after a failure, because its state is not known', async () => {
      const backends = async (): Promise<readonly number[]> =>
        (
          await postgres.query<{ pid: number }>(
            `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'local-kafka-service'`,
          )
        ).map(({ pid }) => pid)
      const before = new Set(await backends())
      const mine = await reopened(store, await openPostgres({ url: postgres.url, connections: 1 }))
      const [pid = -1, ...more] = (await backends()).filter((one) => !before.has(one))
      expect(more).toEqual([])
      await postgres.query(`ALTER TABLE lks.segments ADD CONSTRAINT none CHECK (base_offset < 0) NOT VALID`)
      await mine.log.commit(aFlush(1))
      await postgres.query(`ALTER TABLE lks.segments DROP CONSTRAINT none`)
      await expect.poll(backends).not.toContain(pid)
      expect(await mine.log.commit(aFlush(1))).toMatchObject({ kind: 'committed' })
      await mine.close()
    })

    test('a body that throws, and a bigint beyond 2^53, are defects', async () => {
      const pool: Pool = await openPool({ url: postgres.url })
      for (const body of [throwing(), tooLarge()]) {
        const client = await pool.connect()
        const { outcome, broken } = await transact(client, body, { deadlineMs: 5000 })
        expect([outcome.kind, outcome.kind === 'rolled back' && outcome.error, broken]).toMatchObject([
          'rolled back',
          { kind: 'invalid' },
          true,
        ])
        client.release(broken)
      }
      await pool.end()
    })
  })

  describe('at the start', () => {
    const changed = (change: (url: URL) => void): string => {
      const url = new URL(postgres.url)
      change(url)
      return url.href
    }

    test.each([
      ['no server listens', 'unavailable', 'unreachable', () => changed((url) => void (url.port = '1'))],
      ['no such host', 'unavailable', 'unreachable', () => changed((url) => void (url.hostname = 'no-such-host.invalid'))],
      [
        'an unknown user',
        'invalid',
        'authentication',
        () => changed((url) => Object.assign(url, { username: 'nobody_here', password: 'wrong' })),
      ],
      ['no such database', 'invalid', 'no such database', () => changed((url) => void (url.pathname = '/no_such_database'))],
    ])('%s: a reason of its own', async (_, kind, reason, url) => {
      await expect(openPostgres({ url: url() })).rejects.toMatchObject({ name: 'MetadataError', kind, reason })
    })

    test('a malformed address is invalid', async () => {
      await expect(openPostgres({ url: 'postgres://host:not-a-port/x' })).rejects.toMatchObject({ name: 'MetadataError', kind: 'invalid' })
    })

    test('a user without the right to create tables gets the reason permission', async () => {
      const role = `lks_test_${randomBytes(6).toString('hex')}`
      await postgres.query(`CREATE ROLE ${role} LOGIN PASSWORD 'guest'`)
      const sql = await openPostgres({ url: changed((url) => Object.assign(url, { username: role, password: 'guest' })) })
      const opening = openMetadata(sql, { newClusterId: 'guest', clock: systemClock, random: systemRandom })
      await expect(opening).rejects.toMatchObject({ kind: 'invalid', reason: 'permission' })
      await sql.close()
      await postgres.query(`DROP ROLE ${role}`)
    })

    test('when two agents start at once on an empty database, one creates the tables, and both serve one cluster', async () => {
      const empty = await startPostgres()
      if (empty.kind !== 'started') throw new Error(empty.why)
      const [a, b] = await Promise.all(
        ['a', 'b'].map(async (newClusterId) =>
          openMetadata(await openPostgres({ url: empty.postgres.url }), { newClusterId, clock: systemClock, random: systemRandom }),
        ),
      )
      expect(a?.clusterId).toBe(b?.clusterId)
      expect([a, b].filter((one) => one?.created === true)).toHaveLength(1)
      await Promise.all([a?.close(), b?.close()])
      await empty.postgres.stop()
    })
  })
})

const lockOne = statement<{ readonly number: number }, { readonly one: number }>(
  'test: lock one',
  'SELECT 1 AS one FROM clusters WHERE cluster = $number FOR NO KEY UPDATE',
)
const readTooLarge = statement<Nothing, { readonly number: number }>('test: read too large', 'SELECT 9007199254740993::bigint AS number')

function* locking(cluster: number): Body<number> {
  const [rows] = yield* read(lockOne({ number: cluster }))
  return unchanged(rows.length)
}

function* tooLarge(): Body<number | undefined> {
  const [[row]] = yield* read(readTooLarge())
  return unchanged(row?.number)
}

function* throwing(): Body<never> {
  yield* read()
  throw new TypeError('a defect')
}
