// SQLite where a COMMIT waits for no disk: small commits run in the turn that asks for them, everything else in the worker thread, checkpoints above all.
import { limits } from '../limits.ts'
import type { CommitInput } from './metadata-store.ts'
import { MetadataError } from './metadata-store.ts'
import type { CopyableSql, InputOf, Outcome } from './sql.ts'
import type { Checkpoint, SqliteDatabase } from './sqlite.ts'
import { openSqliteWorker, type SqliteThread } from './sqlite-client.ts'
import type { Transactions } from './transactions.ts'

export interface SqliteInTurnOptions {
  readonly path: string
  /** Whether the thread keeps the process alive. Default: yes. */
  readonly holdsProcess?: boolean
  /** Told when the write-ahead log could not be moved into the database: it grows until that succeeds. */
  readonly onNotice: (message: string) => void
  /** As of SqliteOptions. */
  readonly aheadMs?: SharedArrayBuffer
}

/** As durable as `os` says. Rejects with a MetadataError when the file cannot be opened. */
export async function openSqliteInTurn(
  { path, holdsProcess = true, onNotice, aheadMs }: SqliteInTurnOptions,
  file?: URL,
): Promise<CopyableSql<Transactions>> {
  const options = { path, durability: 'os', checkpoints: 'when called', ...(aheadMs && { aheadMs }) } as const
  const opening = openSqliteWorker({ ...options, holdsProcess }, file)
  // Loaded while the thread starts.
  const { SqliteDatabase } = await import('./sqlite.ts')
  const thread = await opening
  try {
    return new SqliteInTurn(new SqliteDatabase(options), thread, onNotice)
  } catch (error) {
    await thread.close()
    throw error
  }
}

/**
 * Two connections, and never both at work: a run begins here only while nothing is asked of the thread. So neither waits for the other's lock, runs keep
 * the order in which they were asked for, and a checkpoint, once asked for, has the file to itself: no stream of commits can keep it from its turn.
 */
class SqliteInTurn implements CopyableSql<Transactions> {
  readonly #database: SqliteDatabase
  readonly #thread: SqliteThread
  readonly #onNotice: (message: string) => void
  #closed = false
  /** What may have been written since the last checkpoint was asked for, in batches; each run counts as one more. */
  #written = 0
  #checkpointing = false
  /** Checkpoints in a row that a reader elsewhere has kept from moving the whole log. */
  #held = 0

  constructor(database: SqliteDatabase, thread: SqliteThread, onNotice: (message: string) => void) {
    this.#database = database
    this.#thread = thread
    this.#onNotice = onNotice
  }

  run<N extends keyof Transactions>(transaction: N, input: InputOf<Transactions[N]>, deadlineMs: number): Promise<never> {
    const batches = transaction === 'commit' ? (input as { readonly input: CommitInput }).input.batches.length : undefined
    const outcome = batches !== undefined && batches <= limits.batchesInTurn ? this.#inTurn(transaction, input) : undefined
    const answer = outcome === undefined ? this.#thread.run(transaction, input, deadlineMs) : Promise.resolve(outcome)
    this.#count(1 + (batches ?? 0))
    // The cast is earned by the table of transactions: the outcome is what the transaction of this name returned.
    return answer as Promise<never>
  }

  /** In the thread, which is not idle meanwhile: commits wait for their turn behind it. */
  copyInto(target: string): Promise<void> {
    return this.#thread.copyInto(target)
  }

  /** What was asked of the thread before is still done. */
  async close(): Promise<void> {
    this.#closed = true
    // First: whoever closes last moves the log into the database, and that waits for the disk.
    this.#database.close()
    await this.#thread.close()
  }

  /** Undefined: it is the thread's. */
  #inTurn(transaction: keyof Transactions, input: unknown): Outcome<unknown> | undefined {
    if (this.#closed || !this.#thread.idle) return undefined
    const [outcome] = this.#database.run([{ transaction, input }])
    // Definitely not done. Whoever holds the database, the thread can wait for.
    if (outcome?.kind === 'rolled back' && outcome.error instanceof MetadataError && outcome.error.kind === 'unavailable') return undefined
    return outcome
  }

  #count(batches: number): void {
    this.#written += batches
    if (this.#closed || this.#checkpointing || this.#written < limits.batchesPerCheckpoint) return
    this.#written = 0
    this.#checkpointing = true
    void this.#thread.checkpoint().then((outcome) => {
      this.#checkpointing = false
      if (outcome.kind === 'committed') this.#tellIfHeld(outcome.value)
      else this.#onNotice(`SQLite's log could not be moved into the database: ${outcome.error.message}`)
    })
  }

  /** Once for each time that somebody reads for so long. */
  #tellIfHeld(checkpoint: Checkpoint): void {
    this.#held = checkpoint === 'held' ? this.#held + 1 : 0
    if (this.#held === limits.heldCheckpoints)
      this.#onNotice(
        "SQLite's log grows and cannot be moved into the database: somebody else has the database open and has been reading all the while",
      )
  }
}
