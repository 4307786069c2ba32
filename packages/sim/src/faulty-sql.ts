// The database of a world: one SQLite in memory behind a network that loses requests and replies, and runs some transactions after the caller has given up.
import type { CopyableSql, Sql, TransactionOutcome, TransactionTable } from '@local-kafka-service/agent/simulation'
import type { Chance, Range } from './chance.ts'
import type { Life } from './life.ts'
import type { VirtualTime } from './sim-clock.ts'
import type { Trace } from './trace.ts'

export interface DatabaseFaults {
  readonly latencyMs: Range
  /** A definite rejection: nothing was done. */
  readonly rolledBack: number
  /** COMMIT was done, its response is lost. */
  readonly lostReply: number
  /** COMMIT was never done, and the caller cannot know. */
  readonly lostRequest: number
  /** The caller receives nothing, and the transaction runs this much later: a zombie. */
  readonly zombie: { readonly chance: number; readonly byMs: Range }
}

export const faultlessDatabase: DatabaseFaults = {
  latencyMs: [0.5, 3],
  rolledBack: 0,
  lostReply: 0,
  lostRequest: 0,
  zombie: { chance: 0, byMs: [0, 0] },
}

/** The fate of one transaction. */
export type TransactionFate =
  | { readonly kind: 'run'; readonly afterMs: number }
  | { readonly kind: 'rolled back'; readonly afterMs: number }
  /** Runs after `runsMs` if that is given; the caller gets 'unknown' after `afterMs`. */
  | { readonly kind: 'unknown'; readonly afterMs: number; readonly runsMs?: number }

/** One transaction that ran. */
export interface Executed {
  readonly life: string
  readonly transaction: string
  readonly input: unknown
  readonly outcome: TransactionOutcome<unknown>
  /** When the agent sent it first: it may run seconds later, and it is sent again while its outcome is unknown. Only of takeSlots; of others, the last time. */
  readonly sentAtMs: number
}

export interface DatabaseParts<Transactions extends TransactionTable> {
  readonly time: VirtualTime
  readonly chance: Chance
  readonly trace: Trace
  readonly sql: CopyableSql<Transactions>
  /** Called in the order in which transactions run, before anything else happens. */
  readonly executed: (executed: Executed) => void | Promise<void>
}

export class Database<Transactions extends TransactionTable> {
  faults: DatabaseFaults = faultlessDatabase
  /** While it is away nothing runs. */
  away = false
  /** A scenario's choice for one transaction; undefined leaves it to chance. */
  decide: ((transaction: string, life: string) => TransactionFate | undefined) | undefined
  /** Until when a transaction whose caller got no answer may run. */
  latestRunMs = 0
  readonly #parts: DatabaseParts<Transactions>
  /** When each taking of slots was first sent. */
  readonly #takes = new Map<string, number>()

  constructor(parts: DatabaseParts<Transactions>) {
    this.#parts = parts
  }

  /** Without delay and fault, for the checker. */
  get direct(): CopyableSql<Transactions> {
    return this.#parts.sql
  }

  /** The database as one life reaches it. */
  of(life: Life): Sql<Transactions> {
    const run = async (transaction: string, input: unknown): Promise<TransactionOutcome<unknown>> => {
      // A dead life sends nothing and receives nothing.
      if (life.state === 'dead') return await new Promise(() => {})
      const fate = this.decide?.(transaction, life.name) ?? this.#fate()
      // A database receives plain data, as it is at this moment.
      const sent: unknown = structuredClone(input)
      if (fate.kind !== 'run')
        this.#parts.trace.write(life.name, `${transaction}: ${fate.kind}${'runsMs' in fate ? ', but it will run' : ''}`)
      return this.#answer(life, transaction, sent, fate)
    }
    // The cast is at the border of the database: a transaction's name determines the types of its input and its result.
    return { run, close: async () => {} } as Sql<Transactions>
  }

  #answer(life: Life, transaction: string, input: unknown, fate: TransactionFate): Promise<TransactionOutcome<unknown>> {
    const { time } = this.#parts
    const sentAtMs = transaction === 'takeSlots' ? this.#firstSent(life, input) : time.nowMs
    const execute = (): Promise<TransactionOutcome<unknown>> => this.#execute({ life, transaction, input, sentAtMs })
    return new Promise((resolve, reject) => {
      const answer = (outcome: TransactionOutcome<unknown>): void => life.deliver(() => resolve(outcome))
      switch (fate.kind) {
        case 'run':
          time.after(fate.afterMs / 2, () => {
            execute().then((outcome) => time.after(fate.afterMs / 2, () => answer(outcome)), reject)
          })
          return
        case 'rolled back':
          time.after(fate.afterMs, () =>
            answer({ kind: 'rolled back', error: new Error('the simulated database rejected the transaction') }),
          )
          return
        case 'unknown':
          if (fate.runsMs !== undefined) {
            this.latestRunMs = Math.max(this.latestRunMs, time.nowMs + fate.runsMs)
            time.after(fate.runsMs, () => void execute().catch(reject))
          }
          time.after(fate.afterMs, () => answer({ kind: 'unknown', error: new Error('the simulated database did not answer') }))
      }
    })
  }

  #firstSent(life: Life, input: unknown): number {
    const key = `${life.name} ${JSON.stringify(input)}`
    const sentAtMs = this.#takes.get(key) ?? this.#parts.time.nowMs
    this.#takes.set(key, sentAtMs)
    return sentAtMs
  }

  async #execute({
    life,
    transaction,
    input,
    sentAtMs,
  }: { readonly life: Life } & Omit<Executed, 'life' | 'outcome'>): Promise<TransactionOutcome<unknown>> {
    const { sql, trace } = this.#parts
    // As in `of`: the transaction's name determines both types.
    const run = sql.run.bind(sql) as (name: string, given: unknown, deadlineMs: number) => Promise<TransactionOutcome<unknown>>
    const outcome = structuredClone(await run(transaction, input, 5_000))
    trace.write('database', `${transaction} of ${life.name}: ${outcome.kind}`)
    await this.#parts.executed({ life: life.name, transaction, input, outcome, sentAtMs })
    return outcome
  }

  #fate(): TransactionFate {
    const { chance } = this.#parts
    const { faults } = this
    const afterMs = chance.between(faults.latencyMs)
    const givenUpMs = afterMs + chance.between([500, 5_000])
    if (this.away) return chance.happens(0.8) ? { kind: 'rolled back', afterMs } : { kind: 'unknown', afterMs: givenUpMs }
    if (chance.happens(faults.rolledBack)) return { kind: 'rolled back', afterMs }
    if (chance.happens(faults.lostReply)) return { kind: 'unknown', afterMs: givenUpMs, runsMs: afterMs }
    if (chance.happens(faults.lostRequest)) return { kind: 'unknown', afterMs: givenUpMs }
    if (chance.happens(faults.zombie.chance))
      return { kind: 'unknown', afterMs: givenUpMs, runsMs: givenUpMs + chance.between(faults.zombie.byMs) }
    return { kind: 'run', afterMs }
  }
}
