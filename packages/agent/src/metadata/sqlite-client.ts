// SQLite in a worker thread, behind the Sql port: an fsync must not stall the event loop.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { fixedLimits } from '../limits.ts'
import { MetadataError } from './metadata-store.ts'
import type { CopyableSql, TransactionOutcome } from './sql.ts'
import type { Checkpoint, SqliteOptions } from './sqlite.ts'
import type { FromWorker, PlainError, PlainOutcome, ToRequest, ToWorker } from './sqlite-worker.ts'
import { onlyReading, type Transactions } from './transactions.ts'

/** Options cross to a thread, so the thread uses the system's clock. It may wait for another process that holds the database. */
export type SqliteWorkerOptions = Omit<SqliteOptions, 'now'> & {
  /** Whether the thread keeps the process alive. Default: yes. */
  readonly holdsProcess?: boolean
}

/** The thread, seen from outside. */
export interface SqliteThread extends CopyableSql<Transactions> {
  /** Each request without an answer only reads: the thread holds no lock of the database, and takes none before the next request. */
  readonly onlyReads: boolean
  /** Runs `SqliteDatabase.checkpoint` in the thread, in the order of the requests. Never rejects. */
  checkpoint(): Promise<TransactionOutcome<Checkpoint>>
}

/** Rejects with a MetadataError when the file cannot be opened. */
export async function openSqliteWorker(
  options: SqliteWorkerOptions,
  file: URL = pathToFileURL(createRequire(import.meta.url).resolve('#sqlite-worker')),
): Promise<SqliteThread> {
  const client = new SqliteClient({ busyTimeoutMs, ...options }, file)
  await client.opened()
  return client
}

/** Below the commit's deadline, so that the caller gets a definite answer. */
const busyTimeoutMs = 2_000

interface Thread {
  readonly worker: Worker
  readonly opened: Promise<void>
  readonly ended: Promise<void>
  readonly pending: Map<number, (outcome: TransactionOutcome<unknown>) => void>
  /** The pending requests that may lock the database. */
  readonly locking: Set<number>
}

class SqliteClient implements SqliteThread {
  readonly #options: SqliteWorkerOptions
  readonly #file: URL
  #thread: Thread | undefined
  #closed = false
  #lastId = 0

  constructor(options: SqliteWorkerOptions, file: URL) {
    this.#options = options
    this.#file = file
  }

  async opened(): Promise<void> {
    await this.#running().opened
  }

  get onlyReads(): boolean {
    return this.#thread === undefined || this.#thread.locking.size === 0
  }

  /** Watches no deadline: the database either answers at once or, when it is busy, gives up after `busyTimeoutMs`. */
  run<N extends keyof Transactions>(transaction: N, input: unknown): Promise<never> {
    // The table of transactions earns the cast: the outcome comes from the transaction of this name.
    return this.#ask((id) => ({ id, transaction, input })) as Promise<never>
  }

  checkpoint(): Promise<TransactionOutcome<Checkpoint>> {
    return this.#ask((id) => ({ id, transaction: 'checkpoint' })) as Promise<TransactionOutcome<Checkpoint>>
  }

  async copyInto(target: string): Promise<void> {
    const outcome = await this.#ask((id) => ({ id, transaction: 'copy', target }))
    if (outcome.kind !== 'committed') throw outcome.error
  }

  /** Requests that were queued before are still done. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const thread = this.#thread
    if (thread === undefined) return
    thread.worker.postMessage(null satisfies ToWorker)
    await thread.ended
  }

  #ask(message: (id: number) => ToRequest): Promise<TransactionOutcome<unknown>> {
    if (this.#closed) return Promise.resolve(rolledBack(new MetadataError('unavailable', 'The database is closed.')))
    const { worker, pending, locking } = this.#running()
    this.#lastId += 1
    const id = this.#lastId
    const { promise, resolve } = Promise.withResolvers<TransactionOutcome<unknown>>()
    const request = message(id)
    pending.set(id, resolve)
    if (mayLock(request)) locking.add(id)
    worker.postMessage(request)
    return promise
  }

  /** A thread that died is replaced by another: the database is in its file. */
  #running(): Thread {
    this.#thread ??= this.#start()
    return this.#thread
  }

  #start(): Thread {
    // The thread does not inherit the process's own flags: a program from `node -e`, or a custom loader, would break it. From source it needs the conditions.
    const own = this.#file.pathname.endsWith('.ts') ? {} : { execArgv: [] }
    const worker = new Worker(this.#file, {
      workerData: this.#options,
      name: 'lks sqlite',
      resourceLimits: { maxYoungGenerationSizeMb: fixedLimits.databaseThreadYoungMb },
      ...own,
    })
    const opened = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    const thread: Thread = { worker, opened: opened.promise, ended: ended.promise, pending: new Map(), locking: new Set() }
    // Only the first thread's start is awaited. A later thread that fails to open answers the pending requests.
    thread.opened.catch(() => {})
    let isOpen = false
    let why = new MetadataError('unavailable', "The database's thread ended.")
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'failed') why = revived(message.error)
      else if (message.kind === 'opened') {
        isOpen = true
        opened.resolve()
      } else for (const { id, outcome } of message.outcomes) settle(thread, id, revivedOutcome(outcome))
    })
    worker.on('error', (error) => {
      why = new MetadataError('unavailable', `The database's thread failed: ${String(error)}`, { cause: error })
    })
    worker.on('exit', () => {
      if (this.#thread === thread) this.#thread = undefined
      opened.reject(why)
      // A thread that had opened the database may have ended between a COMMIT and its answers.
      for (const id of thread.pending.keys()) settle(thread, id, { kind: isOpen ? 'unknown' : 'rolled back', error: why })
      ended.resolve()
    })
    // This comes last: listening for messages refs the process again.
    if (this.#options.holdsProcess === false) worker.unref()
    return thread
  }
}

function settle({ pending, locking }: Thread, id: number, outcome: TransactionOutcome<unknown>): void {
  pending.get(id)?.(outcome)
  pending.delete(id)
  locking.delete(id)
}

/** A checkpoint and a copy have the file to themselves, too. */
function mayLock({ transaction }: ToRequest): boolean {
  return transaction === 'checkpoint' || transaction === 'copy' || !onlyReading.has(transaction)
}

function revivedOutcome(outcome: PlainOutcome): TransactionOutcome<unknown> {
  return outcome.kind === 'committed' ? outcome : { kind: outcome.kind, error: revived(outcome.error) }
}

function revived({ kind, message, reason }: PlainError): MetadataError {
  return new MetadataError(kind, message, reason === undefined ? {} : { reason })
}

function rolledBack(error: MetadataError): TransactionOutcome<never> {
  return { kind: 'rolled back', error }
}
