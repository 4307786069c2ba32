// SQLite where a COMMIT waits for no disk: small commits and look-ups of segments run in the turn that asks for them, all other transactions and the checkpoints in the worker thread.
import { must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import type { CommitBatch, CommitInput, FindSegments } from './metadata-store.ts'
import { MetadataError } from './metadata-store.ts'
import type { CopyableSql, InputOf, TransactionOutcome } from './sql.ts'
import type { Checkpoint, SqliteDatabase } from './sqlite.ts'
import { openSqliteWorker, type SqliteThread } from './sqlite-client.ts'
import type { Transactions } from './transactions.ts'

export interface SqliteInTurnOptions {
  readonly path: string
  /** Whether the thread keeps the process alive. Default: yes. */
  readonly holdsProcess?: boolean
  /** Called when the write-ahead log could not be checkpointed into the database: it grows until a checkpoint succeeds. */
  readonly onNotice: (message: string) => void
  /** The same as in SqliteOptions. */
  readonly aheadMs?: SharedArrayBuffer
}

/** As durable as `os`. Rejects with a MetadataError when the file cannot be opened. */
export async function openSqliteInTurn(
  { path, holdsProcess = true, onNotice, aheadMs }: SqliteInTurnOptions,
  file?: URL,
): Promise<CopyableSql<Transactions>> {
  const options = { path, durability: 'os', checkpoints: 'when called', ...(aheadMs && { aheadMs }) } as const
  const opening = openSqliteWorker({ ...options, holdsProcess }, file)
  // The import runs while the thread starts.
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
 * Two connections that never write at the same time: a run begins here only while the thread's requests only read. So neither waits for the other's lock, runs
 * keep the order of their requests beside reads, and a requested checkpoint has the file to itself: no stream of commits can delay it indefinitely. A commit, and
 * the look-ups of a fetch, do not wait for the reads of a large request.
 */
class SqliteInTurn implements CopyableSql<Transactions> {
  readonly #database: SqliteDatabase
  readonly #thread: SqliteThread
  readonly #onNotice: (message: string) => void
  #closed = false
  /** An upper bound of the partitions whose logs have grown since the last checkpoint began; each run counts as one more. */
  #written = 0
  #checkpointing = false
  /** The number of consecutive checkpoints that a reader elsewhere has kept from moving the whole log. */
  #held = 0

  constructor(database: SqliteDatabase, thread: SqliteThread, onNotice: (message: string) => void) {
    this.#database = database
    this.#thread = thread
    this.#onNotice = onNotice
  }

  run<N extends keyof Transactions>(transaction: N, input: InputOf<Transactions[N]>, deadlineMs: number): Promise<never> {
    const outcome = isShort(transaction, input) ? this.#inTurn(transaction, input) : undefined
    const answer = outcome === undefined ? this.#thread.run(transaction, input, deadlineMs) : Promise.resolve(outcome)
    this.#count(1 + (transaction === 'commit' ? partitionCount(batchesOf(input)) : 0))
    // The table of transactions earns the cast: the outcome comes from the transaction of this name.
    return answer as Promise<never>
  }

  /** Runs in the thread, which may lock meanwhile: later commits wait for their turn. */
  copyInto(target: string): Promise<void> {
    return this.#thread.copyInto(target)
  }

  /** Requests that were made before are still done. */
  async close(): Promise<void> {
    this.#closed = true
    // This comes first: the last connection to close checkpoints the log, which waits for the disk.
    this.#database.close()
    await this.#thread.close()
  }

  /** Undefined: the thread must run it. */
  #inTurn(transaction: keyof Transactions, input: unknown): TransactionOutcome<unknown> | undefined {
    if (this.#closed || !this.#thread.onlyReads) return undefined
    const outcome = must(this.#database.run([{ transaction, input }])[0], 'the outcome of a run')
    // Definitely rolled back: another process holds the database, and only the thread may wait for it.
    if (outcome.kind === 'rolled back' && outcome.error instanceof MetadataError && outcome.error.kind === 'unavailable') return undefined
    return outcome
  }

  #count(partitions: number): void {
    this.#written += partitions
    if (this.#closed || this.#checkpointing || this.#written < fixedLimits.partitionsPerCheckpoint) return
    this.#written = 0
    this.#checkpointing = true
    void this.#thread.checkpoint().then((outcome) => {
      this.#checkpointing = false
      if (outcome.kind === 'committed') this.#tellIfHeld(outcome.value)
      else this.#onNotice(`SQLite's write-ahead log could not be checkpointed into the database: ${outcome.error.message}`)
    })
  }

  /** Reports once for each period in which a reader elsewhere holds the log for so long. */
  #tellIfHeld(checkpoint: Checkpoint): void {
    this.#held = checkpoint === 'held' ? this.#held + 1 : 0
    if (this.#held === fixedLimits.heldCheckpoints)
      this.#onNotice(
        "SQLite's write-ahead log grows and cannot be checkpointed into the database: another process has been reading the database all the while. End its transaction.",
      )
  }
}

/** Whether it may run on the event loop. The names of the transactions earn the casts. */
function isShort(transaction: keyof Transactions, input: unknown): boolean {
  if (transaction === 'commit') {
    const batches = batchesOf(input)
    return batches.length <= fixedLimits.batchesInTurn && partitionCount(batches) <= fixedLimits.partitionsInTurn
  }
  if (transaction !== 'findSegments') return false
  const { input: asks } = input as { readonly input: readonly FindSegments[] }
  return asks.reduce((sum, { maxSegments }) => sum + maxSegments, 0) <= fixedLimits.segmentsInTurn
}

function batchesOf(input: unknown): readonly CommitBatch[] {
  return (input as { readonly input: CommitInput }).input.batches
}

/** A flush has the batches of each partition together, so this is their number, or more. */
function partitionCount(batches: readonly CommitBatch[]): number {
  let count = 0
  let last: CommitBatch | undefined
  for (const batch of batches) {
    if (last?.partition !== batch.partition || last.topicId !== batch.topicId) count += 1
    last = batch
  }
  return count
}
