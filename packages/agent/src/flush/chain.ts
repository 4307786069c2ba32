// One chain of flushes under one incarnation: PUTs run in parallel, commits strictly in order, and the line stops at an abandoned flush.
import { assert, must } from '../core/assert.ts'
import type { ClusterId, Incarnation, Sequence } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import { fixedLimits, type Limits } from '../limits.ts'
import type { CommitBatch, CommitInput, CommitOutcome, CommitResult, LogIndex } from '../metadata/metadata-store.ts'
import { errorText } from '../native-error.ts'
import { type ObjectStore, ObjectStoreError } from '../objects/object-store.ts'
import type { EventHook } from '../observe/events.ts'
import { backOffMs } from '../time/back-off.ts'
import type { Clock, Random } from '../time/clock.ts'
import { sleep } from '../time/sleep.ts'

/** A sealed flush: its bytes never change, and its sequence is allocated. */
export interface Flush {
  readonly sequence: Sequence
  readonly object: { readonly chunks: readonly Uint8Array[]; readonly sizeBytes: number; readonly checksum: number }
  readonly batches: readonly CommitBatch[]
}

export type FlushOutcome =
  | { readonly kind: 'committed'; readonly result: CommitResult }
  /** None of its batches is committed, and none ever will be. */
  | { readonly kind: 'abandoned'; readonly message: string }
  /** Another incarnation took over: the flush is abandoned, and this chain has ended. */
  | { readonly kind: 'fenced' }

export interface ChainParts {
  readonly clusterId: ClusterId
  readonly incarnation: Incarnation
  readonly objects: ObjectStore
  readonly log: Pick<LogIndex, 'commit'>
  readonly clock: Clock
  readonly random: Pick<Random, 'next'>
  readonly emit: EventHook
  /** The present `producer.id.expiration.ms`. */
  readonly producerIdExpirationMs: () => number
  readonly limits: Pick<Limits, 'putsInFlight' | 'putDeadlineMs' | 'commitRollbacksMs'>
  /** Called in the turn in which the line stops, after its flushes are settled. The writer then abandons its open object. */
  readonly onStopped: (message: string) => void
  /** Called once, when a commit finds this incarnation fenced. */
  readonly onFenced: () => void
  /**
   * Called once, after a defect that leaves the order or the result of a commit unknown: the chain has ended, and the agent must end, because its state is
   * not to be trusted. The defect is already reported.
   */
  readonly onBroken: () => void
}

interface InLine {
  readonly flush: Flush
  readonly stored: Promise<Stored>
  readonly abort: AbortController
  readonly settle: (outcome: FlushOutcome) => void
}

type Stored = { readonly kind: 'stored' } | { readonly kind: 'failed'; readonly message: string }
type Definite = Exclude<CommitOutcome, { kind: 'unknown' }>

export class Chain {
  readonly #parts: ChainParts
  readonly #line: InLine[] = []
  readonly #putQueue: (() => void)[] = []
  readonly #idle: (() => void)[] = []
  #putsInFlight = 0
  #allocated = 0
  #sent = 0
  #committed = 0
  #running = false
  /** Fenced or broken: this chain commits nothing any more. */
  #fenced = false
  #broken = false
  /** The reason given to `kill`. */
  #killed: string | undefined

  constructor(parts: ChainParts) {
    this.#parts = parts
  }

  /** Flushes sealed and not yet answered. */
  get inFlight(): number {
    return this.#line.length
  }

  /** Whether a PUT or a commit is running, also that of the empty successor of abandoned flushes. */
  get busy(): boolean {
    return this.#running
  }

  get fenced(): boolean {
    return this.#fenced
  }

  /** The next sequence. Call it in the turn in which the buffer is swapped, and call `send` in the order of the sequences: `send` asserts it. */
  allocate(): Sequence {
    this.#allocated += 1
    return this.#allocated
  }

  /**
   * Puts and commits the flush. Settles when its outcome is definite, in the order of the sequences; never rejects. Throws an AssertionError, and breaks the
   * chain, if the flush is out of order: it could overtake an earlier one.
   */
  send(flush: Flush): Promise<FlushOutcome> {
    try {
      return this.#send(flush)
    } catch (error) {
      this.#break(error)
      throw error
    }
  }

  #send(flush: Flush): Promise<FlushOutcome> {
    const { sequence } = flush
    assert(sequence > this.#sent && sequence <= this.#allocated, `flush ${sequence} was allocated, and sent after flush ${this.#sent}`)
    this.#sent = sequence
    if (this.#fenced) return Promise.resolve({ kind: 'fenced' })
    if (this.#killed !== undefined) return Promise.resolve({ kind: 'abandoned', message: this.#killed })
    const abort = new AbortController()
    const settled = Promise.withResolvers<FlushOutcome>()
    this.#line.push({ flush, stored: this.#put(flush, abort), abort, settle: settled.resolve })
    if (!this.#running) this.#run().catch((error: unknown) => this.#break(error))
    return settled.promise
  }

  /**
   * Ends the chain at once, as a crash would: it starts no PUT, commit or retry any more. A commit that was already sent may still land: its flush settles
   * if the chain receives the outcome, and otherwise never. All later flushes are abandoned.
   */
  kill(message: string): void {
    if (this.#fenced || this.#killed !== undefined) return
    this.#killed = message
    for (const { abort } of this.#line) abort.abort()
  }

  /** Settles when no flush is in flight. */
  drained(): Promise<void> {
    if (!this.#running) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  async #run(): Promise<void> {
    this.#running = true
    for (let head = this.#line[0]; head !== undefined; head = this.#line[0]) {
      const stored = await head.stored
      if (this.#giveUpIfKilled()) break
      const gone = stored.kind === 'failed' ? stored.message : await this.#commitInOrder(head)
      if (this.#giveUpIfKilled()) break
      if (gone !== undefined) await this.#stop(gone)
    }
    this.#running = false
    for (const wake of this.#idle.splice(0)) wake()
  }

  #giveUpIfKilled(): boolean {
    const message = this.#killed
    if (message === undefined) return false
    for (const { settle } of this.#line.splice(0)) settle({ kind: 'abandoned', message })
    return true
  }

  /** Commits the head of the line and settles it. Returns the reason if it must be abandoned. */
  async #commitInOrder(head: InLine): Promise<string | undefined> {
    const { sequence, object, batches } = head.flush
    const begun = this.#parts.clock.monotonic()
    const outcome = await this.#commit({
      incarnation: this.#parts.incarnation,
      prev: this.#committed as Sequence,
      sequence,
      object: { sizeBytes: object.sizeBytes, checksum: object.checksum },
      batches,
      producerIdExpirationMs: this.#parts.producerIdExpirationMs(),
    })
    switch (outcome.kind) {
      case 'committed':
        assert(outcome.result.verdicts.length === batches.length, `the commit of flush ${sequence} has a verdict for each batch`)
        this.#committed = sequence
        this.#line.shift()
        this.#parts.emit({ kind: 'committed', sequence, batches: batches.length, durationMs: this.#parts.clock.monotonic() - begun })
        head.settle({ kind: 'committed', result: outcome.result })
        return undefined
      case 'rolled back':
        return `the metadata store rejected the commit: ${outcome.error.message}`
      case 'killed':
        this.#line.shift()
        return undefined
      case 'fenced':
      case 'abandoned':
      case 'out of order':
        this.#end(outcome)
        return undefined
    }
  }

  /**
   * One commit, repeated until its outcome is definite. After an attempt with an unknown outcome, a later rollback does not say whether that attempt
   * committed: only an answer that read the incarnation's row does. Before that, rollbacks are retried for `commitRollbacksMs`. `killed`: the chain was
   * killed before the outcome was known.
   */
  async #commit(input: CommitInput): Promise<Definite | { readonly kind: 'killed' }> {
    const { clock, random, log, emit, limits } = this.#parts
    const rollbacksEnd = clock.monotonic() + limits.commitRollbacksMs
    const backOff = { firstMs: fixedLimits.commitRetryMs, maxMs: fixedLimits.commitRetryMaxMs }
    let unknownBefore = false
    for (let tries = 1; ; tries += 1) {
      const outcome = await log.commit(input)
      if (outcome.kind === 'unknown') unknownBefore = true
      else if (outcome.kind !== 'rolled back') return outcome
      else if (!unknownBefore && clock.monotonic() >= rollbacksEnd) return outcome
      if (this.#killed === undefined) {
        emit({ kind: 'commit retried', sequence: input.sequence, outcome: outcome.kind, message: outcome.error.message })
        await sleep(clock, backOffMs(tries, backOff, random))
      }
      if (this.#killed !== undefined) return outcome.kind === 'unknown' || unknownBefore ? { kind: 'killed' } : outcome
    }
  }

  /**
   * The head of the line cannot be stored. The chain abandons it and all later flushes, and commits an empty successor to make that durable: after its
   * commit none of the abandoned sequences can ever be committed, even if a delayed copy of such a commit arrives.
   */
  async #stop(message: string): Promise<void> {
    const abandoned = this.#line.splice(0)
    for (const { abort } of abandoned) abort.abort()
    this.#parts.emit({
      kind: 'line stopped',
      sequence: must(abandoned[0], 'the head of the line').flush.sequence,
      abandoned: abandoned.length,
      message,
    })
    const successor = this.allocate()
    for (const { settle } of abandoned) settle({ kind: 'abandoned', message })
    this.#parts.onStopped(message)
    for (;;) {
      const outcome = await this.#commit({
        incarnation: this.#parts.incarnation,
        prev: this.#committed as Sequence,
        sequence: successor,
        object: null,
        batches: [],
        producerIdExpirationMs: this.#parts.producerIdExpirationMs(),
      })
      if (this.#killed !== undefined || outcome.kind === 'killed') return
      if (outcome.kind === 'rolled back') continue
      if (outcome.kind === 'committed') this.#committed = successor
      else this.#end(outcome)
      return
    }
  }

  /** No flush in the line is committed or will be: the metadata store said so. */
  #end(outcome: { readonly kind: 'fenced' | 'abandoned' | 'out of order' }): void {
    if (outcome.kind === 'fenced') {
      this.#fenced = true
      this.#parts.onFenced()
    } else {
      const why = `the metadata store answered '${outcome.kind}' to the only writer of this chain: check whether it lost commits`
      this.#break(new Error(why))
    }
    for (const { abort, settle } of this.#line.splice(0)) {
      abort.abort()
      settle({ kind: 'fenced' })
    }
  }

  /** A flush whose outcome is unknown then is never settled: its producers lose their connection to the agent that ends. */
  #break(error: unknown): void {
    this.#parts.emit({ kind: 'defect', where: 'chain', error })
    if (this.#broken) return
    this.#broken = true
    this.kill('a defect ended this agent')
    this.#fenced = true
    this.#running = false
    for (const wake of this.#idle.splice(0)) wake()
    this.#parts.onBroken()
  }

  async #put(flush: Flush, abort: AbortController): Promise<Stored> {
    const { clock, objects, clusterId, incarnation, emit, limits } = this.#parts
    await this.#putTurn()
    const key = objectKey(clusterId, incarnation, flush.sequence)
    const begun = clock.monotonic()
    const deadline = clock.after(limits.putDeadlineMs, () => abort.abort())
    try {
      abort.signal.throwIfAborted()
      await objects.put(key, flush.object.chunks, abort.signal)
      emit({ kind: 'stored', sequence: flush.sequence, durationMs: clock.monotonic() - begun })
      return { kind: 'stored' }
    } catch (error) {
      const message = errorText(error)
      if (this.#killed !== undefined) return { kind: 'failed', message }
      if (!(error instanceof ObjectStoreError) && !abort.signal.aborted) emit({ kind: 'defect', where: 'put', error })
      else emit({ kind: 'store request failed', operation: 'put', message: `${key}: ${message}` })
      return { kind: 'failed', message: `the object store failed: ${message}` }
    } finally {
      deadline.cancel()
      this.#putTurnEnds()
    }
  }

  async #putTurn(): Promise<void> {
    if (this.#putsInFlight >= this.#parts.limits.putsInFlight) return new Promise<void>((resolve) => this.#putQueue.push(resolve))
    this.#putsInFlight += 1
  }

  /** Passes the turn to the next flush in the queue without releasing it, so that no other flush can take it in between. */
  #putTurnEnds(): void {
    const next = this.#putQueue.shift()
    if (next === undefined) this.#putsInFlight -= 1
    else next()
  }
}
