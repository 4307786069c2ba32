// SQLite behind the Sql port, in the calling thread: queued bodies run in one transaction, each in a savepoint, and share one COMMIT.
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { fixedLimits } from '../limits.ts'
import { errorText, isError } from '../native-error.ts'
import { MetadataError, type MetadataReason } from './metadata-store.ts'
import { copySnapshot } from './snapshot.ts'
import type { Arg, Body, Call, CopyableSql, Row, TransactionOutcome } from './sql.ts'
import { rowArguments } from './statement.ts'
import { onlyReading, type Transactions, transactions } from './transactions.ts'

export interface SqliteOptions {
  /** A file, `:memory:`, or the name of an in-memory database that can be a copy's target (`memoryName`). */
  readonly path: string
  /** `strict` survives a power loss, `os` the end of the process, `memory` nothing. */
  readonly durability: 'strict' | 'os' | 'memory'
  /** Milliseconds since the epoch; without it SQLite reads the system's clock. */
  readonly now?: () => number
  /** One 64-bit integer: how many milliseconds SQLite's time is ahead of the system's. Shared memory, because another thread sets it. */
  readonly aheadMs?: SharedArrayBuffer
  /** A snapshot whose tables the database begins with. */
  readonly snapshot?: string
  /** How long a statement waits for another process that holds the database. It blocks this thread. */
  readonly busyTimeoutMs?: number
  /** When the write-ahead log is checkpointed, which waits for the disk: by each commit that finds the log long, or when `checkpoint` is called. */
  readonly checkpoints?: 'by commits' | 'when called'
}

/** Whether the whole log was moved, or a reader elsewhere still needs a part of it. */
export type Checkpoint = 'done' | 'held'

/** One transaction to run. */
export interface QueuedRun {
  readonly transaction: keyof Transactions
  readonly input: unknown
}

/** For `:memory:` and for tools: a call runs at once, in the calling thread, and is done when it returns. No timer, no randomness. Throws a MetadataError. */
export function openSqlite(options: SqliteOptions): CopyableSql<Transactions> {
  const database = new SqliteDatabase(options)
  return {
    run: (transaction, input) => {
      const [outcome] = database.run([{ transaction, input }])
      // The table of transactions earns the cast: the outcome comes from the transaction of this name.
      return Promise.resolve(outcome as never)
    },
    copyInto: async (target) => database.copyInto(target),
    close: () => {
      database.close()
      return Promise.resolve()
    },
  }
}

/** The name of an SQLite database in this process's memory, which lives while a connection has it open. `unique` keeps it apart from all others. */
export function memoryName(unique: string): string {
  return `file:/lks-${unique}?vfs=memdb`
}

/** The name of a file, for `copyInto`: an in-memory database would take a bare path for a name in memory, too. */
export function fileName(path: string): string {
  return `${pathToFileURL(path).href}?vfs=${process.platform === 'win32' ? 'win32' : 'unix'}`
}

function isInMemory(path: string): boolean {
  return path === ':memory:' || path.endsWith('?vfs=memdb')
}

export class SqliteDatabase {
  readonly #options: SqliteOptions
  readonly #prepared = new Map<string, StatementSync>()
  #database: DatabaseSync
  #closed = false

  constructor(options: SqliteOptions) {
    this.#options = options
    this.#database = open(options)
  }

  /** One outcome for each run, in order. Never throws for a database error. */
  run(runs: readonly QueuedRun[]): readonly TransactionOutcome<unknown>[] {
    try {
      this.#reopen()
      // A deferred transaction that only reads holds no lock, so another connection may commit meanwhile.
      this.#execute(runs.every(({ transaction }) => onlyReading.has(transaction)) ? 'BEGIN' : 'BEGIN IMMEDIATE')
    } catch (error) {
      return runs.map(() => ({ kind: 'rolled back', error: translated(error) }))
    }
    // A body that is alone in its transaction needs no savepoint: undoing it undoes the whole transaction.
    const outcomes = runs.length === 1 ? runs.map((run) => this.#alone(run)) : runs.map((run) => this.#inSavepoint(run))
    // Some errors (a full disk, a failed read) end the whole transaction, and with it the runs that had succeeded.
    const lost = this.#inTransaction ? undefined : outcomes.find((outcome) => outcome.kind === 'rolled back')
    if (lost !== undefined) return outcomes.map((outcome) => (outcome.kind === 'committed' ? lost : outcome))
    try {
      this.#execute('COMMIT')
      return outcomes
    } catch (error) {
      return this.#afterFailedCommit(outcomes, translated(error))
    }
  }

  /**
   * Checkpoints the write-ahead log into the database and restarts the log: this does all the waiting for the disk that a COMMIT does not. The part that
   * a reader elsewhere still needs stays for the next time: `held`. Throws a MetadataError; no commit is lost then.
   */
  checkpoint(): Checkpoint {
    try {
      this.#reopen()
      // The checkpoint must not wait for such a reader, because later commits wait for the checkpoint.
      this.#execute('PRAGMA busy_timeout = 0')
      try {
        const row = this.#prepare('PRAGMA wal_checkpoint(RESTART)').get()
        // The first write of a new log waits for the disk, too, so it is made here, with a write that changes nothing.
        this.#execute('PRAGMA user_version = 0')
        return row?.busy === 0 ? 'done' : 'held'
      } finally {
        this.#execute(`PRAGMA busy_timeout = ${this.#options.busyTimeoutMs ?? 0}`)
      }
    } catch (error) {
      throw translated(error)
    }
  }

  /** Runs between transactions, so the copy has exactly the committed state. Throws a MetadataError. */
  copyInto(target: string): void {
    try {
      this.#reopen()
      this.#database.prepare('VACUUM INTO ?').run(target)
    } catch (error) {
      throw translated(error)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#letGo()
  }

  #alone(run: QueuedRun): TransactionOutcome<unknown> {
    try {
      return { kind: 'committed', value: this.#body(run) }
    } catch (error) {
      if (this.#inTransaction && !this.#rollBack()) this.#letGo()
      return { kind: 'rolled back', error: translated(error) }
    }
  }

  #inSavepoint(run: QueuedRun): TransactionOutcome<unknown> {
    if (!this.#inTransaction)
      return { kind: 'rolled back', error: new MetadataError('unavailable', 'The transaction was lost: SQLite ended it after an error.') }
    try {
      this.#execute('SAVEPOINT body')
      const value = this.#body(run)
      this.#execute('RELEASE body')
      return { kind: 'committed', value }
    } catch (error) {
      if (this.#inTransaction) this.#undo()
      return { kind: 'rolled back', error: translated(error) }
    }
  }

  #body({ transaction, input }: QueuedRun): unknown {
    // The cast is at the border of the worker: the port's types tie the name to its input.
    const body = (transactions[transaction] as (input: unknown) => Body<unknown>)(input)
    let step = body.next([])
    while (!step.done) step = body.next(step.value.map((call) => this.#read(call)))
    const { writes } = step.value
    if (writes.length > 0 && onlyReading.has(transaction)) throw new Error(`${transaction} writes, although it is listed as only reading`)
    for (const write of writes) this.#write(write)
    return step.value.value
  }

  /** A body that cannot be undone alone is undone with the whole transaction, because half a body must never be committed. */
  #undo(): void {
    try {
      this.#execute('ROLLBACK TO body')
      this.#execute('RELEASE body')
    } catch (error) {
      if (!isSqliteError(error)) throw error
      if (!this.#rollBack()) this.#letGo()
    }
  }

  /** While the transaction is still open, none of it is stored, and it can be rolled back: this is definite. Otherwise only a repetition can find out. */
  #afterFailedCommit(outcomes: readonly TransactionOutcome<unknown>[], error: MetadataError): readonly TransactionOutcome<unknown>[] {
    const definite = this.#rollBack()
    if (!definite) this.#letGo()
    const kind = definite ? 'rolled back' : 'unknown'
    return outcomes.map((outcome) => (outcome.kind === 'committed' ? { kind, error } : outcome))
  }

  get #inTransaction(): boolean {
    return this.#database.isOpen && this.#database.isTransaction
  }

  #rollBack(): boolean {
    if (!this.#inTransaction) return false
    try {
      this.#execute('ROLLBACK')
      return true
    } catch (error) {
      if (!isSqliteError(error)) throw error
      return false
    }
  }

  /** Closing releases every lock and drops uncommitted changes, so no other connection waits for one in doubt. */
  #letGo(): void {
    this.#prepared.clear()
    if (this.#database.isOpen) this.#database.close()
  }

  #reopen(): void {
    if (this.#database.isOpen) return
    if (this.#closed) throw new MetadataError('unavailable', 'The database is closed.')
    // An in-memory database has no file to open again.
    if (isInMemory(this.#options.path)) throw new MetadataError('invalid', 'The in-memory database is lost: restart the server.')
    this.#database = open(this.#options)
  }

  #read(call: Call): readonly Row[] {
    const prepared = this.#prepare(call.statement.sqlite.text)
    // The cast is at the border of the database: each statement names the columns of its row beside its text.
    return rowArguments(call).flatMap((row) => (bindsByPlace ? prepared.all(...row) : prepared.all(named(row))) as Row[])
  }

  /** Does not look for rows, which is cheaper. */
  #write(call: Call): void {
    const prepared = this.#prepare(call.statement.sqlite.text)
    for (const row of rowArguments(call)) {
      if (bindsByPlace) prepared.run(...row)
      else prepared.run(named(row))
    }
  }

  #execute(text: string): void {
    this.#prepare(text).run()
  }

  #prepare(text: string): StatementSync {
    const known = this.#prepared.get(text)
    if (known !== undefined) return known
    const prepared = this.#database.prepare(text.replaceAll('now_ms()', nowOf(this.#options)))
    if (!bindsByPlace) prepared.setAllowUnknownNamedParameters(true)
    this.#prepared.set(text, prepared)
    return prepared
  }
}

const systemNow = `CAST(round(unixepoch('subsec') * 1000) AS INTEGER)`

function nowOf({ now, aheadMs }: SqliteOptions): string {
  if (now !== undefined) return 'now_ms()'
  return aheadMs === undefined ? systemNow : `(${systemNow} + ahead_ms())`
}

function open({ path, durability, now, aheadMs, snapshot, busyTimeoutMs = 0, checkpoints = 'by commits' }: SqliteOptions): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs })
    if (now !== undefined) database.function('now_ms', () => now())
    if (aheadMs !== undefined) {
      const shared = new BigInt64Array(aheadMs)
      database.function('ahead_ms', () => Atomics.load(shared, 0))
    }
    if (!isInMemory(path)) database.exec('PRAGMA journal_mode = WAL')
    database.exec(pragmas[durability])
    database.exec(`PRAGMA cache_size = -${fixedLimits.databaseCacheKib}`)
    if (checkpoints === 'when called') database.exec('PRAGMA wal_autocheckpoint = 0')
    if (snapshot !== undefined) copySnapshot(database, snapshot)
    return database
  } catch (error) {
    throw translated(error)
  }
}

/** On macOS an fsync reaches the medium only with fullfsync; elsewhere it changes nothing. */
const pragmas = {
  strict: 'PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON',
  os: 'PRAGMA synchronous = NORMAL',
  memory: 'PRAGMA synchronous = OFF',
} as const

/** Node 22 and 24 take `?1` for a name and reject a value at its place. */
const bindsByPlace = Number.parseInt(process.versions.node, 10) >= 26

function named(row: readonly Arg[]): Record<string, Arg> {
  return Object.fromEntries(row.map((value, index) => [`?${index + 1}`, value]))
}

// ---- errors -------------------------------------------------------------------------------------------------------------------------

interface SqliteError extends Error {
  readonly code: 'ERR_SQLITE_ERROR'
  /** SQLite's extended result code; its low byte is the primary one. */
  readonly errcode: number
}

function isSqliteError(error: unknown): error is SqliteError {
  return isError(error) && 'code' in error && error.code === 'ERR_SQLITE_ERROR' && 'errcode' in error
}

/** SQLite's primary result codes. A code that is missing here is a defect of a statement, of a body, or of the stored rows. */
const failures: Readonly<Record<number, { readonly kind: 'unavailable' | 'invalid'; readonly reason?: MetadataReason }>> = {
  3: { kind: 'invalid', reason: 'permission' },
  5: { kind: 'unavailable' }, // busy
  6: { kind: 'unavailable' }, // locked
  7: { kind: 'unavailable' }, // no memory
  8: { kind: 'invalid', reason: 'permission' }, // read-only
  9: { kind: 'unavailable' }, // interrupted
  10: { kind: 'unavailable' }, // I/O error
  11: { kind: 'invalid', reason: 'not a database' }, // corrupt
  13: { kind: 'unavailable', reason: 'disk full' },
  14: { kind: 'unavailable', reason: 'permission' }, // cannot open
  15: { kind: 'unavailable' }, // locking protocol
  26: { kind: 'invalid', reason: 'not a database' },
}

function translated(error: unknown): MetadataError {
  if (error instanceof MetadataError) return error
  const failure = isSqliteError(error) ? failures[error.errcode & 0xff] : undefined
  const message = errorText(error)
  const reason = failure?.reason === undefined ? {} : { reason: failure.reason }
  return new MetadataError(failure?.kind ?? 'invalid', `SQLite: ${message}`, { cause: error, ...reason })
}
