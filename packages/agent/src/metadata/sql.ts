// The port of the database: statements in two dialects, bodies that yield reads and return writes, and the runner of one transaction.

/** An argument of a statement. Integers are checked numbers below 2^53; times are integer milliseconds. */
export type Arg = number | string | Uint8Array | null
/** A value in a statement's column. */
export type Cell = number | string | Uint8Array | null
export type Row = Readonly<Record<string, Cell>>

/** The two forms of a statement. `parameters` are in the order of their numbers; those that name a column of the list are bound to that column. */
export interface Statement {
  readonly name: string
  readonly postgres: Prepared
  readonly sqlite: Prepared
  readonly columns: ReadonlySet<string>
}

export interface Prepared {
  readonly text: string
  readonly parameters: readonly string[]
}

/** A statement with its arguments, ready to run. `R` is the row that it returns. */
export interface Call<R extends object = object> {
  readonly statement: Statement
  /** By the names of the parameters. */
  readonly values: Readonly<Record<string, Arg>>
  /** The list that the statement runs over. With an empty list the statement does not run, and returns no rows. */
  readonly rows?: readonly Readonly<Record<string, Arg>>[]
  /** Bound by `inCluster`. */
  readonly cluster?: number
  /** Carries only the type. */
  readonly returns?: R
}

export type RowsOf<Calls extends readonly Call[]> = { readonly [K in keyof Calls]: Calls[K] extends Call<infer R> ? readonly R[] : never }

/** The writes of a body and its answer. Writes are sent together with COMMIT; none may fail for a reason that the body could have read. */
export interface Decision<T> {
  readonly writes: readonly Call[]
  readonly value: T
}

/**
 * The body of one transaction: a generator in which one `yield* read(…)` is one round trip of locks and reads. It runs inside one database transaction.
 * A value that decides is read from a row already locked, or by a later yield: never by a join in the statement that locks.
 */
export type Body<T> = Generator<readonly Call[], Decision<T>, readonly (readonly Row[])[]>

/** A part of a body: it may read, and leaves the decision to the body. */
export type BodyPart<T> = Generator<readonly Call[], T, readonly (readonly Row[])[]>

/** `unknown`: COMMIT was sent and no definite answer came; the same transaction with the same input must be repeated until its outcome is definite. */
export type TransactionOutcome<T> =
  | { readonly kind: 'committed'; readonly value: T }
  | { readonly kind: 'rolled back'; readonly error: Error }
  | { readonly kind: 'unknown'; readonly error: Error }

/** Runs transactions by name, because names and plain inputs can cross to a worker thread and closures cannot. */
export interface Sql<Transactions extends TransactionTable> {
  run<N extends keyof Transactions & string>(
    transaction: N,
    input: InputOf<Transactions[N]>,
    deadlineMs: number,
  ): Promise<TransactionOutcome<ResultOf<Transactions[N]>>>
  close(): Promise<void>
}

/** A database that can be copied as a whole. */
export interface CopyableSql<Transactions extends TransactionTable> extends Sql<Transactions> {
  /**
   * Copies the whole committed state consistently into an SQLite database that is empty or does not exist yet, named by `memoryName` or `fileName`.
   * Rejects with a MetadataError; the target is then unusable.
   */
  copyInto(target: string): Promise<void>
}

export type TransactionTable = Readonly<Record<string, (input: never) => Body<unknown>>>
export type InputOf<V> = V extends (input: infer I) => unknown ? I : never
export type ResultOf<V> = V extends (input: never) => Body<infer T> ? T : never

/** One round trip. The rows come back in the order of the calls, typed. */
export function* read<const Calls extends readonly Call[]>(...calls: Calls): BodyPart<RowsOf<Calls>> {
  // The cast is at the border of the database: each statement names the columns of its row beside its text, and the contract suite runs every statement.
  return (yield calls) as RowsOf<Calls>
}

export function unchanged<T>(value: T): Decision<T> {
  return { writes: [], value }
}
