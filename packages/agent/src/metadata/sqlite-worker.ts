// The worker thread of SQLite: all transactions in its queue run in one database transaction, so that they share one fsync.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { MetadataError } from './metadata-store.ts'
import type { TransactionOutcome } from './sql.ts'
import { type QueuedRun, SqliteDatabase, type SqliteOptions } from './sqlite.ts'

/** Messages from the client: a transaction to run, a checkpoint, or a copy of the database. Null closes the database and ends the thread. */
export type ToWorker = ToRequest | null
export type ToRequest = ToRun | ToDo
type ToRun = { readonly id: number } & QueuedRun
/** Runs outside of transactions, after all earlier requests. */
type ToDo = { readonly id: number } & ({ readonly transaction: 'checkpoint' } | { readonly transaction: 'copy'; readonly target: string })
export type FromWorker =
  | { readonly kind: 'opened' }
  | { readonly kind: 'failed'; readonly error: PlainError }
  | { readonly kind: 'done'; readonly outcomes: readonly { readonly id: number; readonly outcome: PlainOutcome }[] }

/** Errors lose their class on the way between threads. */
export type PlainError = Pick<MetadataError, 'kind' | 'message' | 'reason'>
export type PlainOutcome =
  | { readonly kind: 'committed'; readonly value: unknown }
  | { readonly kind: 'rolled back' | 'unknown'; readonly error: PlainError }

const port = parentPort
if (port === null) throw new Error('sqlite-worker.ts runs as a worker thread')
const post = (message: FromWorker): void => port.postMessage(message)

const database = open()
if (database === undefined) port.close()
else {
  post({ kind: 'opened' })
  port.on('message', (first: ToWorker) => {
    const queued: ToWorker[] = [first]
    for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port)) queued.push(more.message as ToWorker)
    const runs = queued.filter(isRun)
    const outcomes = runs.length === 0 ? [] : database.run(runs)
    post({ kind: 'done', outcomes: runs.map(({ id }, index) => ({ id, outcome: plainOutcome(outcomes[index]) })) })
    for (const message of queued)
      if (message !== null && !isRun(message)) post({ kind: 'done', outcomes: [{ id: message.id, outcome: done(database, message) }] })
    if (!queued.includes(null)) return
    database.close()
    port.close()
  })
}

function isRun(message: ToWorker): message is ToRun {
  return message !== null && message.transaction !== 'checkpoint' && message.transaction !== 'copy'
}

function done(at: SqliteDatabase, message: ToDo): PlainOutcome {
  try {
    return { kind: 'committed', value: message.transaction === 'copy' ? at.copyInto(message.target) : at.checkpoint() }
  } catch (error) {
    return { kind: 'rolled back', error: plain(error) }
  }
}

function open(): SqliteDatabase | undefined {
  try {
    return new SqliteDatabase(workerData as SqliteOptions)
  } catch (error) {
    post({ kind: 'failed', error: plain(error) })
    return undefined
  }
}

function plainOutcome(outcome: TransactionOutcome<unknown> | undefined): PlainOutcome {
  if (outcome?.kind === 'committed') return outcome
  return { kind: outcome?.kind ?? 'unknown', error: plain(outcome?.error) }
}

function plain(error: unknown): PlainError {
  if (error instanceof MetadataError) return { kind: error.kind, message: error.message, reason: error.reason }
  return { kind: 'invalid', message: String(error), reason: undefined }
}
