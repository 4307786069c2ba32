// Keeps the tails of other agents' partitions fresh: this agent commits nothing there, so it reads their states from the database, many in one read.
import type { TopicPartition } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import { type LogIndex, MetadataError } from '../metadata/metadata-store.ts'
import type { Clock } from '../time/clock.ts'
import { every } from '../time/every.ts'
import type { Owners } from '../view/owners.ts'
import type { Tail, Tails } from '../view/tails.ts'

export interface FollowerParts {
  readonly log: Pick<LogIndex, 'partitions'>
  readonly tails: Tails
  readonly owners: Pick<Owners, 'ofPartition' | 'isAlone'>
  readonly clock: Clock
}

export class Follower {
  readonly #parts: FollowerParts
  /** When the read of each tail was sent, in monotonic milliseconds. */
  readonly #readMs = new WeakMap<Tail, number>()

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  /**
   * The tails of partitions of any agent, as `Tails.loaded` returns them. Those of other agents were read at `sinceMs` or later, so that a fetch finds what was
   * committed before it came. Rejects as the database does.
   */
  async loaded(asked: readonly TopicPartition[], sinceMs: number): Promise<readonly (Tail | undefined)[]> {
    const { tails, owners } = this.#parts
    const all = await tails.loaded(asked)
    const old: Tail[] = []
    for (const tail of all) {
      if (tail === undefined || owners.ofPartition(tail.topicId, tail.partition).mine) continue
      if ((this.#readMs.get(tail) ?? Number.NEGATIVE_INFINITY) < sinceMs) old.push(tail)
    }
    if (old.length > 0) await this.#read(old)
    return all
  }

  /**
   * Reads the states of partitions that readers wait for, until the signal aborts. Those of this agent are read now and then: other agents end transactions in
   * them. An agent that is alone reads nothing. While the database is away, readers wait.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { owners, tails, clock } = this.#parts
    let passes = 0
    for await (const _ of every(clock, fixedLimits.followMs, signal)) {
      if (owners.isAlone) continue
      const ownToo = (passes += 1) % ownPartitionsEach === 0
      const waitedFor = tails.waitedFor().filter(({ topicId, partition }) => ownToo || !owners.ofPartition(topicId, partition).mine)
      try {
        if (waitedFor.length > 0) await this.#read(waitedFor)
      } catch (error) {
        if (!(error instanceof MetadataError) || error.kind === 'invalid') throw error
      }
    }
  }

  async #read(asked: readonly TopicPartition[]): Promise<void> {
    const { log, tails, clock } = this.#parts
    for (let at = 0; at < asked.length; at += fixedLimits.namesPerRead) {
      const nowMs = clock.monotonic()
      const states = await log.partitions(asked.slice(at, at + fixedLimits.namesPerRead))
      for (const state of states) {
        if (state === undefined) continue
        tails.refresh(state)
        const held = tails.get(state.topicId, state.partition)
        if (held !== undefined) this.#readMs.set(held, nowMs)
      }
    }
  }
}

/** Every tenth pass reads the partitions of this agent, too. */
const ownPartitionsEach = 10
