// PostgreSQL behind the Sql port: one leased connection per run, pipelined, so that a body with one yield takes two round trips.
import type { Pool, PoolClient } from 'pg'
import { must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import { errorText, isError } from '../native-error.ts'
import { MetadataError, type MetadataReason } from './metadata-store.ts'
import { begin, bounded, checkSession } from './postgres-session.ts'
import { type DatabaseAges, PostgresWatch, type PostgresWatchParts } from './postgres-watch.ts'
import type { Body, Call, Decision, Row, Sql, TransactionOutcome } from './sql.ts'
import { columnArguments } from './statement.ts'
import { type Transactions, transactions } from './transactions.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`, with libpq's parameters. */
  readonly url: string
  /** The maximum of connections, at most 16. A transaction waits when none is free. */
  readonly connections?: number
  /** Absent: an old primary is not noticed, and no ages are read. */
  readonly watch?: Pick<PostgresWatchParts, 'clock' | 'timelines'>
  /** For tests that let days pass: how many milliseconds the database's time is ahead of its server's. Absent: it is the same. */
  readonly aheadMs?: () => number
}

/** The database, and what an agent sees of it beside its transactions. */
export interface PostgresSql extends Sql<Transactions> {
  readonly ages: DatabaseAges | undefined
}

/** Connects once, so that a wrong setting shows at the start. Rejects with a MetadataError whose `reason` gives the cause. */
export async function openPostgres(options: PostgresOptions): Promise<PostgresSql> {
  const { aheadMs } = options
  const pool = await openPool(options)
  let watch: PostgresWatch | undefined
  try {
    const client = await lease(pool)
    let broken = true
    try {
      const { system, timeline } = await asked(checkSession(client))
      if (options.watch !== undefined) {
        watch = new PostgresWatch({ ...options.watch, system, readAges: () => readAges(pool) })
        await watch.start(timeline)
      }
      broken = false
    } finally {
      client.release(broken)
    }
  } catch (error) {
    await pool.end()
    throw error
  }
  return {
    get ages() {
      return watch?.ages
    },
    run: async (transaction, input, deadlineMs) => {
      watch?.look()
      // The table of transactions earns the casts: the port's types tie the name to its input and its result.
      const body = (transactions[transaction] as (input: unknown) => Body<unknown>)(input)
      return (await runOnLease(pool, body, { deadlineMs, ...(watch && { watch }), ...(aheadMs && { aheadMs }) })) as never
    },
    close: () => pool.end(),
  }
}

export interface TransactOptions {
  readonly deadlineMs: number
  /** Absent: the timeline of the server is not checked. */
  readonly watch?: Pick<PostgresWatch, 'check'>
  readonly aheadMs?: () => number
  readonly pause?: Pause
}

/** For a body's tests: called before each of its messages to the server. */
export type Pause = () => Promise<void>

/**
 * Runs one body in one transaction. `broken`: the connection must not be used again; closing it ends any remainder of the transaction.
 * A transaction is committed only if the answer has the tag COMMIT and no warning: a failed statement makes COMMIT answer ROLLBACK, and a cancelled wait
 * for a standby makes it warn. An error before COMMIT was sent is definite; an error after that is unknown, whatever its code.
 */
export async function transact<T>(
  client: PoolClient,
  body: Body<T>,
  options: TransactOptions,
): Promise<{ readonly outcome: TransactionOutcome<T>; readonly broken: boolean }> {
  // A leased connection that breaks emits 'error'; without a listener this would end the process.
  let lost: unknown
  const onError = (error: unknown): void => void (lost = error)
  client.on('error', onError)
  try {
    const decision = await decide(client, body, options)
    if (lost !== undefined) return { outcome: { kind: 'rolled back', error: translated(lost) }, broken: true }
    const outcome = await commitWith(client, decision, options)
    return { outcome, broken: outcome.kind !== 'committed' }
  } catch (error) {
    return { outcome: { kind: 'rolled back', error: defect(error) }, broken: true }
  } finally {
    client.off('error', onError)
  }
}

async function runOnLease<T>(pool: Pool, body: Body<T>, options: TransactOptions): Promise<TransactionOutcome<T>> {
  let client: PoolClient
  try {
    client = await lease(pool)
  } catch (error) {
    return { kind: 'rolled back', error: defect(error) }
  }
  const { outcome, broken } = await transact(client, body, options)
  client.release(broken)
  return outcome
}

/** Drives the body through its reads. BEGIN travels in front of the first one; every body has one. */
async function decide<T>(client: PoolClient, body: Body<T>, options: TransactOptions): Promise<Decision<T>> {
  const { pause } = options
  let begun = false
  let step = body.next([])
  while (!step.done) {
    await pause?.()
    const opening = begun ? [] : [opened(client, options)]
    begun = true
    const rows = step.value.map((call) => rowsOf(client, call, options))
    await every([...opening, ...rows])
    step = body.next(await Promise.all(rows))
  }
  await pause?.()
  // The server itself reports that the transaction is open and not failed: outside a transaction, each write would be committed by itself.
  const status = client.getTransactionStatus()
  if (status !== 'T') throw new MetadataError('unavailable', `PostgreSQL: the transaction was lost before its writes (status ${status}).`)
  return step.value
}

/** No statement of the transaction has run if this fails, whatever the server says. */
async function opened(client: PoolClient, { deadlineMs, watch }: TransactOptions): Promise<void> {
  try {
    const { timeline } = await begin(client, deadlineMs)
    await watch?.check(timeline)
  } catch (error) {
    throw error instanceof MetadataError ? error : new MetadataError('unavailable', `PostgreSQL: ${messageOf(error)}`, { cause: error })
  }
}

/** Waits for all, and throws the first failure: the later failures of a pipeline only report that the transaction is over. */
async function every(sent: readonly Promise<unknown>[]): Promise<void> {
  const failure = (await Promise.allSettled(sent)).find((one) => one.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

async function commitWith<T>(client: PoolClient, { writes, value }: Decision<T>, options: TransactOptions): Promise<TransactionOutcome<T>> {
  const warnings: string[] = []
  const onNotice = (notice: { readonly code?: string | undefined; readonly message?: string | undefined }): void => {
    if (notice.code !== '00000') warnings.push(notice.message ?? 'a warning without a message')
  }
  client.on('notice', onNotice)
  const sent = writes.map((call) => rowsOf(client, call, options))
  const [commit, ...written] = await Promise.allSettled([asked(client.query({ text: 'COMMIT', ...bounded(options.deadlineMs) })), ...sent])
  client.off('notice', onNotice)
  const failure = written.find((one) => one.status === 'rejected')
  // Whatever the error: up to a third of the COMMITs that a lost connection rejected were committed (docs/operations.md).
  if (commit.status === 'rejected') return { kind: 'unknown', error: defect(commit.reason) }
  if (commit.value.command === 'ROLLBACK') {
    const error = failure === undefined ? new MetadataError('unavailable', 'PostgreSQL rolled back at COMMIT.') : defect(failure.reason)
    return { kind: 'rolled back', error }
  }
  if (commit.value.command !== 'COMMIT' || failure !== undefined || warnings.length > 0) {
    const words = [...warnings, ...(failure === undefined ? [] : [defect(failure.reason).message])].join('; ')
    return { kind: 'unknown', error: new MetadataError('unavailable', `PostgreSQL answered COMMIT with ${commit.value.command}: ${words}`) }
  }
  return { kind: 'committed', value }
}

async function rowsOf(client: PoolClient, call: Call, { deadlineMs, aheadMs }: TransactOptions): Promise<readonly Row[]> {
  if (call.rows?.length === 0) return []
  const { postgres } = call.statement
  const text = postgres.text.replaceAll('now_ms()', aheadMs === undefined ? nowMs : `(${nowMs} + ${Math.round(aheadMs())})`)
  // Without a name: behind a pooler, a prepared statement may be missing on the next connection, or have the text of another release there.
  const { rows } = await asked(
    client.query<Row & Record<string, unknown>>({ text, values: [...columnArguments(call)], ...bounded(deadlineMs) }),
  )
  return rows
}

/** Not `now()`, which is the beginning of the transaction: after a wait for its lock, a window must not lie in the future. */
const nowMs = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint'

/** Snapshots of sessions and standbys, and of replication slots. */
async function readAges(pool: Pool): Promise<DatabaseAges> {
  const text = `SELECT greatest(max(age(backend_xmin)), (SELECT max(age(xmin)) FROM pg_replication_slots), 0)::int AS "oldestXminAge",
    greatest(max(extract(epoch FROM clock_timestamp() - xact_start)) * 1000, 0)::bigint AS "longestTransactionMs"
    FROM pg_stat_activity WHERE pid <> pg_backend_pid()`
  const { rows } = await asked(pool.query<{ readonly oldestXminAge: number; readonly longestTransactionMs: number }>(text))
  return must(rows[0], 'the ages')
}

// ---- connections --------------------------------------------------------------------------------------------------------------------

/** The driver's pool, pipelined. The import is here, so that agents on SQLite do not load the driver. */
export async function openPool({ url, connections = 10 }: Pick<PostgresOptions, 'url' | 'connections'>): Promise<Pool> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({
    connectionString: url,
    pipeline: true,
    max: connections,
    connectionTimeoutMillis: fixedLimits.commitDeadlineMs,
    query_timeout: fixedLimits.commitDeadlineMs,
    keepAlive: true,
    // Unused connections do not keep the process alive; its listeners do.
    allowExitOnIdle: true,
    application_name: 'local-kafka-service',
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === int8 ? checkedNumber : pg.types.getTypeParser(oid, format as 'text'),
    },
  })
  // An idle connection that breaks leaves the pool. The next lease gets a new connection, or the error of making it.
  pool.on('error', () => {})
  // From the moment of its connection on, and for good: one death may emit several errors, and one without a listener would end the process.
  pool.on('connect', (client) => void client.on('error', () => {}))
  return pool
}

async function lease(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect()
  } catch (error) {
    throw notConnected(error)
  }
}

const int8 = 20

function checkedNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw new MetadataError('invalid', `PostgreSQL answered ${text}, which is not a safe integer.`)
  return number
}

// ---- errors -------------------------------------------------------------------------------------------------------------------------

/** Turns the driver's error into the port's. */
async function asked<T>(query: Promise<T>): Promise<T> {
  try {
    return await query
  } catch (error) {
    throw translated(error)
  }
}

function translated(error: unknown): MetadataError {
  if (error instanceof MetadataError) return error
  const state = sqlStateOf(error)
  const options = { cause: error, ...(state === '42501' && { reason: 'permission' as const }) }
  // An error without an SQLSTATE does not come from the server: the connection broke or timed out.
  const kind = state === undefined || retriable.has(state.slice(0, 2)) ? 'unavailable' : 'invalid'
  return new MetadataError(kind, `PostgreSQL: ${messageOf(error)}`, options)
}

/** An error that is not the driver's comes from a body. */
function defect(error: unknown): MetadataError {
  return error instanceof MetadataError ? error : new MetadataError('invalid', `A defect: ${messageOf(error)}`, { cause: error })
}

/** SQLSTATE classes: connection, transaction state, rollback, resources, not in state (a lock not available), operator intervention, system error, internal. */
const retriable = new Set(['08', '25', '40', '53', '55', '57', '58', 'XX'])

function notConnected(error: unknown): MetadataError {
  const state = sqlStateOf(error)
  const options = (reason: MetadataReason) => ({ cause: error, reason })
  const message = `PostgreSQL: ${messageOf(error)}`
  if (state?.startsWith('28') === true || messageOf(error).startsWith('SASL'))
    return new MetadataError('invalid', message, options('authentication'))
  if (state === '3D000') return new MetadataError('invalid', message, options('no such database'))
  if (state === '42501') return new MetadataError('invalid', message, options('permission'))
  if (isError(error) && error.name === 'TypeError')
    return new MetadataError(
      'invalid',
      `PostgreSQL: the URL is not valid: use postgres://user:password@host:port/database. ${messageOf(error)}`,
      { cause: error },
    )
  return state === undefined ? new MetadataError('unavailable', message, options('unreachable')) : translated(error)
}

function sqlStateOf(error: unknown): string | undefined {
  if (!isError(error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error ? error.code : undefined
}

/** The AggregateError of a host with two addresses has no message of its own. */
function messageOf(error: unknown): string {
  if (isError(error) && error.message === '' && 'errors' in error && Array.isArray(error.errors))
    return error.errors.map(messageOf).join('; ')
  return errorText(error)
}
