// SQLite behind the Sql port, in the calling thread: queued bodies run in one transaction, each in a savepoint, and share one COMMIT.
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { isError } from '../native-error.ts'
import { MetadataError, type MetadataReason } from './metadata-store.ts'
import type { Arg, Body, Call, Outcome, Row, Sql } from './sql.ts'
import { type Verbs, verbs } from './verb-table.ts'

export interface SqliteOptions {
  /** A file, or `:memory:`. */
  readonly path: string
  /** `strict` survives a power loss, `os` the death of the process, `memory` nothing. */
  readonly durability: 'strict' | 'os' | 'memory'
  /** Milliseconds since the epoch; without it SQLite asks the system. */
  readonly now?: () => number
  /** How long a statement waits for another process that holds the database. It blocks this thread. */
  readonly busyTimeoutMs?: number
}

/** One verb to run. */
export interface Run {
  readonly verb: keyof Verbs
  readonly input: unknown
}

/** For `:memory:` and for tools: a call runs at once, in the calling thread, and is done when it returns. No timer, no chance. Throws a MetadataError. */
export function openSqlite(options: SqliteOptions): Sql<Verbs> {
  const database = new SqliteDatabase(options)
  return {
    run: (verb, input) => {
      const [outcome] = database.run([{ verb, input }])
      // The cast is earned by the table of verbs: the outcome is what the verb of this name returned.
      return Promise.resolve(outcome as never)
    },
    close: () => {
      database.close()
      return Promise.resolve()
    },
  }
}

export class SqliteDatabase {
  readonly #options: SqliteOptions
  readonly #prepared = new Map<string, StatementSync>()
  #database: DatabaseSync
  #closed = false
  /** COMMIT failed, so only a database opened afresh knows what is stored. */
  #inDoubt = false

  constructor(options: SqliteOptions) {
    this.#options = options
    this.#database = open(options)
  }

  /** One outcome for each run, in order. Never throws for trouble of the database. */
  run(runs: readonly Run[]): readonly Outcome<unknown>[] {
    try {
      if (this.#inDoubt) this.#reopen()
      this.#execute('BEGIN IMMEDIATE')
    } catch (error) {
      return runs.map(() => ({ kind: 'rolled back', error: translated(error) }))
    }
    const outcomes = runs.map((run) => this.#inSavepoint(run))
    // Some errors (a full disk, a failed read) end the whole transaction, and with it the runs that had gone well.
    const lost = this.#database.isTransaction ? undefined : outcomes.find((outcome) => outcome.kind === 'rolled back')
    if (lost !== undefined) return outcomes.map((outcome) => (outcome.kind === 'committed' ? lost : outcome))
    try {
      this.#execute('COMMIT')
      return outcomes
    } catch (error) {
      return this.#afterFailedCommit(outcomes, translated(error))
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#prepared.clear()
    this.#database.close()
  }

  #inSavepoint({ verb, input }: Run): Outcome<unknown> {
    if (!this.#database.isTransaction) return { kind: 'rolled back', error: new MetadataError('unavailable', 'The transaction was lost.') }
    try {
      this.#execute('SAVEPOINT body')
      // The cast is at the border of the worker: the port's types tie the name to its input.
      const body = (verbs[verb] as (input: unknown) => Body<unknown>)(input)
      let step = body.next([])
      while (!step.done) step = body.next(step.value.map((call) => this.#read(call)))
      for (const write of step.value.writes) this.#write(write)
      this.#execute('RELEASE body')
      return { kind: 'committed', value: step.value.value }
    } catch (error) {
      if (this.#database.isTransaction) this.#undo()
      return { kind: 'rolled back', error: translated(error) }
    }
  }

  #undo(): void {
    this.#execute('ROLLBACK TO body')
    this.#execute('RELEASE body')
  }

  /** While the transaction is still open, nothing of it is stored, and it can be rolled back: that is definite. Else only a fresh look can tell. */
  #afterFailedCommit(outcomes: readonly Outcome<unknown>[], error: MetadataError): readonly Outcome<unknown>[] {
    const definite = this.#rollBack()
    if (!definite) this.#inDoubt = true
    const kind = definite ? 'rolled back' : 'unknown'
    return outcomes.map((outcome) => (outcome.kind === 'committed' ? { kind, error } : outcome))
  }

  #rollBack(): boolean {
    if (!this.#database.isTransaction) return false
    try {
      this.#execute('ROLLBACK')
      return true
    } catch (error) {
      if (!isSqliteError(error)) throw error
      return false
    }
  }

  #reopen(): void {
    // What is in memory has no second copy to look at.
    if (this.#options.path === ':memory:') throw new MetadataError('invalid', 'The database in memory is lost.')
    this.#prepared.clear()
    this.#database.close()
    this.#database = open(this.#options)
    this.#inDoubt = false
  }

  #read({ statement, args }: Call): readonly Row[] {
    const prepared = this.#prepare(statement.sqlite)
    // The cast is at the border of the database: each statement names the columns of its row beside its text.
    return argumentsOf(statement.each, args).flatMap((row) => (bindsByPlace ? prepared.all(...row) : prepared.all(named(row))) as Row[])
  }

  /** Without looking for rows: that is cheaper. */
  #write({ statement, args }: Call): void {
    const prepared = this.#prepare(statement.sqlite)
    for (const row of argumentsOf(statement.each, args)) {
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
    const prepared = this.#database.prepare(this.#options.now === undefined ? text.replaceAll('now_ms()', systemNow) : text)
    if (!bindsByPlace) prepared.setAllowUnknownNamedParameters(true)
    this.#prepared.set(text, prepared)
    return prepared
  }
}

const systemNow = `CAST(round(unixepoch('subsec') * 1000) AS INTEGER)`

function open({ path, durability, now, busyTimeoutMs = 0 }: SqliteOptions): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs })
    if (now !== undefined) database.function('now_ms', () => now())
    if (path !== ':memory:') database.exec('PRAGMA journal_mode = WAL')
    database.exec(pragmas[durability])
    return database
  } catch (error) {
    throw translated(error)
  }
}

/** fullfsync: on macOS an fsync does not reach the medium without it; elsewhere it changes nothing. */
const pragmas = {
  strict: 'PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON',
  os: 'PRAGMA synchronous = NORMAL',
  memory: 'PRAGMA synchronous = OFF',
} as const

/** One list of arguments for each time that the statement runs: columns give a row each, scalars repeat. */
function argumentsOf(each: boolean, args: Call['args']): readonly (readonly Arg[])[] {
  if (!each) return [args as readonly Arg[]]
  const columns = args.map((arg) => (Array.isArray(arg) ? (arg as readonly Arg[]) : undefined))
  const count = columns.find((column) => column !== undefined)?.length ?? 0
  return Array.from({ length: count }, (_, index) =>
    columns.map((column, at) => (column === undefined ? (args[at] as Arg) : (column[index] ?? null))),
  )
}

/** Node 22 and 24 take `?1` for a name and refuse a value at its place. */
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

/** By SQLite's primary result codes. What is missing here is a defect: of a statement, of a body, or of the stored rows. */
const troubles: Readonly<Record<number, { readonly kind: 'unavailable' | 'invalid'; readonly reason?: MetadataReason }>> = {
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
  const trouble = isSqliteError(error) ? troubles[error.errcode & 0xff] : undefined
  const message = isError(error) ? error.message : String(error)
  const reason = trouble?.reason === undefined ? {} : { reason: trouble.reason }
  return new MetadataError(trouble?.kind ?? 'invalid', `SQLite: ${message}`, { cause: error, ...reason })
}
