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
   * The tails of partitions of any agent, as `Tails.loaded` returns them. Those of other agents, and those with an open transaction, were read at `sinceMs` or
   * later, so that a fetch finds what was committed before it came. Rejects as the database does.
   */
  async loaded(asked: readonly TopicPartition[], sinceMs: number): Promise<readonly (Tail | undefined)[]> {
    const { tails } = this.#parts
    const all = await tails.loaded(asked)
    const old: Tail[] = []
    for (const tail of all) {
      if (tail === undefined || !this.#changesElsewhere(tail)) continue
      if ((this.#readMs.get(tail) ?? Number.NEGATIVE_INFINITY) < sinceMs) old.push(tail)
    }
    if (old.length > 0) await this.#read(old)
    return all
  }

  /**
   * Reads the states of partitions that readers wait for, until the signal aborts. Other agents end transactions in the partitions of this one, too: those with an
   * open transaction are read as often as those of others, the rest now and then. An agent that is alone reads nothing. While the database is away, readers wait.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { owners, tails, clock } = this.#parts
    let [passes, wasAlone] = [0, true]
    for await (const _ of every(clock, fixedLimits.followMs, signal)) {
      // The last of the others may have ended transactions here that this agent has not read: from here on it reads nothing now and then.
      if (owners.isAlone && !wasAlone) tails.forget(() => true)
      wasAlone = owners.isAlone
      if (wasAlone) continue
      const ownToo = (passes += 1) % ownPartitionsEach === 0
      const waitedFor = tails.waitedFor().filter((of) => ownToo || this.#changesElsewhere(of))
      try {
        if (waitedFor.length > 0) await this.#read(waitedFor)
      } catch (error) {
        if (!(error instanceof MetadataError) || error.kind === 'invalid') throw error
      }
    }
  }

  /** Whether another agent may be about to write there. */
  #changesElsewhere({ topicId, partition }: TopicPartition): boolean {
    const { owners, tails } = this.#parts
    if (!owners.ofPartition(topicId, partition).mine) return true
    if (owners.isAlone) return false
    const tail = tails.get(topicId, partition)
    return tail !== undefined && tail.lastStableOffset < tail.highWatermark
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
