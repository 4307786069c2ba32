// PostgreSQL behind the Sql port: one leased connection per run, pipelined, so that a body with one yield takes two round trips.
import type { Pool, PoolClient } from 'pg'
import { limits } from '../limits.ts'
import { isError } from '../native-error.ts'
import { MetadataError, type MetadataReason } from './metadata-store.ts'
import type { Body, Call, Decision, Outcome, Row, Sql } from './sql.ts'
import { columnArguments } from './statement.ts'
import { type Transactions, transactions } from './transactions.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`, with libpq's parameters. */
  readonly url: string
  /** Connections at most. A transaction that finds none free waits. */
  readonly connections?: number
}

/** Connects once, so that a wrong setting shows at start. Rejects with a MetadataError whose `reason` says what is wrong. */
export async function openPostgres(options: PostgresOptions): Promise<Sql<Transactions>> {
  const pool = await openPool(options)
  try {
    const client = await lease(pool)
    client.release()
  } catch (error) {
    await pool.end()
    throw error
  }
  return {
    run: async (transaction, input, deadlineMs) => {
      // The casts are earned by the table of transactions: the port's types tie the name to its input and its result.
      const body = (transactions[transaction] as (input: unknown) => Body<unknown>)(input)
      return (await runOnLease(pool, body, deadlineMs)) as never
    },
    close: () => pool.end(),
  }
}

/** For a body's tests: called between any two of its messages to the server. */
export type Pause = () => Promise<void>

/**
 * Runs one body in one transaction. `broken`: the connection must not be used again; closing it ends whatever is left of the transaction.
 * Committed is only what was answered with the tag COMMIT and without a warning: a failed statement makes COMMIT answer ROLLBACK, and a cancelled wait for a
 * standby makes it warn. An error before COMMIT was sent is definite; after that it is unknown.
 */
export async function transact<T>(
  client: PoolClient,
  body: Body<T>,
  { deadlineMs, pause }: { readonly deadlineMs: number; readonly pause?: Pause },
): Promise<{ readonly outcome: Outcome<T>; readonly broken: boolean }> {
  // A connection that breaks while it is leased says so here; unheard, it would end the process.
  let lost: unknown
  const onError = (error: unknown): void => void (lost = error)
  client.on('error', onError)
  try {
    const decision = await decide(client, body, deadlineMs, pause)
    if (lost !== undefined) return { outcome: { kind: 'rolled back', error: translated(lost) }, broken: true }
    const outcome = await commitWith(client, decision)
    return { outcome, broken: outcome.kind !== 'committed' }
  } catch (error) {
    return { outcome: { kind: 'rolled back', error: defect(error) }, broken: true }
  } finally {
    client.off('error', onError)
  }
}

async function runOnLease<T>(pool: Pool, body: Body<T>, deadlineMs: number): Promise<Outcome<T>> {
  let client: PoolClient
  try {
    client = await lease(pool)
  } catch (error) {
    return { kind: 'rolled back', error: defect(error) }
  }
  const { outcome, broken } = await transact(client, body, { deadlineMs })
  client.release(broken)
  return outcome
}

/** Drives the body through its reads. BEGIN travels in front of the first; no body is without one. */
async function decide<T>(client: PoolClient, body: Body<T>, deadlineMs: number, pause: Pause | undefined): Promise<Decision<T>> {
  let begun = false
  let step = body.next([])
  while (!step.done) {
    await pause?.()
    const opening = begun ? [] : [begin(client, deadlineMs)]
    begun = true
    const rows = step.value.map((call) => rowsOf(client, call))
    await every([...opening, ...rows])
    step = body.next(await Promise.all(rows))
  }
  await pause?.()
  // The server's own word that the transaction is open and whole: without one, each write would be committed by itself.
  const status = client.getTransactionStatus()
  if (status !== 'T') throw new MetadataError('unavailable', `PostgreSQL: the transaction was lost before its writes (status ${status}).`)
  return step.value
}

/** Waits for all, and throws the first failure: the later ones of a pipeline only say that the transaction is over. */
async function every(sent: readonly Promise<unknown>[]): Promise<void> {
  const failure = (await Promise.allSettled(sent)).find((one) => one.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

/** Time-outs in the transaction, not in the session: they hold behind a pooler, too. All are below the client's own deadline. */
async function begin(client: PoolClient, deadlineMs: number): Promise<void> {
  const timeoutMs = Math.max(1, Math.floor(deadlineMs * 0.8))
  await asked(
    client.query(
      `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL search_path TO lks; SET LOCAL lock_timeout = ${timeoutMs}; ` +
        `SET LOCAL statement_timeout = ${timeoutMs}; SET LOCAL idle_in_transaction_session_timeout = ${idleInTransactionMs}`,
    ),
  )
}

/** A client that stops between its two messages holds row locks: so long, and no longer. */
const idleInTransactionMs = 2_000

async function commitWith<T>(client: PoolClient, { writes, value }: Decision<T>): Promise<Outcome<T>> {
  const warnings: string[] = []
  const onNotice = (notice: { readonly code?: string | undefined; readonly message?: string | undefined }): void => {
    if (notice.code !== '00000') warnings.push(notice.message ?? 'a warning without words')
  }
  client.on('notice', onNotice)
  const sent = writes.map((call) => rowsOf(client, call))
  const [commit, ...written] = await Promise.allSettled([asked(client.query('COMMIT')), ...sent])
  client.off('notice', onNotice)
  const failure = written.find((one) => one.status === 'rejected')
  if (commit.status === 'rejected') return { kind: isDefinite(commit.reason) ? 'rolled back' : 'unknown', error: defect(commit.reason) }
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

async function rowsOf(client: PoolClient, call: Call): Promise<readonly Row[]> {
  if (call.rows?.length === 0) return []
  const { name, postgres } = call.statement
  const text = postgres.text.replaceAll('now_ms()', nowMs)
  const { rows } = await asked(client.query<Row & Record<string, unknown>>({ name, text, values: [...columnArguments(call)] }))
  return rows
}

/** Not `now()`, which is the transaction's beginning: a window seen after a wait for its lock must not be from the future. */
const nowMs = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint'

// ---- connections --------------------------------------------------------------------------------------------------------------------

/** The driver's pool, pipelined. Imported here, so that nobody pays for it who runs on SQLite. */
export async function openPool({ url, connections = 10 }: PostgresOptions): Promise<Pool> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({
    connectionString: url,
    pipeline: true,
    max: connections,
    connectionTimeoutMillis: limits.commitDeadlineMs,
    query_timeout: limits.commitDeadlineMs,
    keepAlive: true,
    // Connections that nobody uses keep no process alive: that is for whoever listens to say.
    allowExitOnIdle: true,
    application_name: 'local-kafka-service',
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === int8 ? checkedNumber : pg.types.getTypeParser(oid, format as 'text'),
    },
  })
  // A connection that breaks while nobody uses it leaves the pool; whoever needs one next gets a new one, or the error of making it.
  pool.on('error', () => {})
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
  if (!Number.isSafeInteger(number)) throw new MetadataError('invalid', `PostgreSQL answered ${text}, which no number here holds.`)
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
  // Without an SQLSTATE it was not the server that spoke: the connection broke, or stayed silent.
  const kind = state === undefined || retriable.has(state.slice(0, 2)) ? 'unavailable' : 'invalid'
  return new MetadataError(kind, `PostgreSQL: ${messageOf(error)}`, options)
}

/** What is not the driver's comes from a body. */
function defect(error: unknown): MetadataError {
  return error instanceof MetadataError ? error : new MetadataError('invalid', `A defect: ${messageOf(error)}`, { cause: error })
}

/** SQLSTATE classes: connection, transaction state, rollback, resources, not in state (a lock not had), operator's doing, system error, internal. */
const retriable = new Set(['08', '25', '40', '53', '55', '57', '58', 'XX'])

/** The server says that COMMIT failed and why: a constraint, a serialisation failure, a deadlock. Anything else may have been after the fact. */
function isDefinite(error: unknown): boolean {
  const state = error instanceof MetadataError ? sqlStateOf(error.cause) : undefined
  return state !== undefined && (state.startsWith('23') || state === '40001' || state === '40P01' || state === '40002')
}

function notConnected(error: unknown): MetadataError {
  const state = sqlStateOf(error)
  const options = (reason: MetadataReason) => ({ cause: error, reason })
  const message = `PostgreSQL: ${messageOf(error)}`
  if (state?.startsWith('28') === true || messageOf(error).startsWith('SASL'))
    return new MetadataError('invalid', message, options('authentication'))
  if (state === '3D000') return new MetadataError('invalid', message, options('no such database'))
  if (state === '42501') return new MetadataError('invalid', message, options('permission'))
  if (isError(error) && error.name === 'TypeError')
    return new MetadataError('invalid', `PostgreSQL: the address is not understood: ${messageOf(error)}`, { cause: error })
  return state === undefined ? new MetadataError('unavailable', message, options('unreachable')) : translated(error)
}

function sqlStateOf(error: unknown): string | undefined {
  if (!isError(error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error ? error.code : undefined
}

/** An AggregateError of a host with two addresses says nothing itself. */
function messageOf(error: unknown): string {
  if (isError(error) && error.message === '' && 'errors' in error && Array.isArray(error.errors))
    return error.errors.map(messageOf).join('; ')
  return isError(error) ? error.message : String(error)
}
