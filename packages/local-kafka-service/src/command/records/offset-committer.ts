// Commits what was printed, as a member of a group: one commit at a time, the newest offset of each partition in the next one.
import type { Consumer } from '@platformatic/kafka'
import { asError } from './innermost-message.ts'

interface PartitionPlace {
  readonly topic: string
  readonly partition: number
}

interface CommittedPlace extends PartitionPlace {
  /** The next offset to read. */
  readonly offset: bigint
}

/** What a generation of the group gave this member. */
interface Assigned {
  readonly generation: number
  readonly places: readonly PartitionPlace[]
  /** Those of `places` that it had in the generation before, too: what it printed of them is still its own to commit. */
  readonly kept: readonly PartitionPlace[]
}

export class OffsetCommitter {
  readonly #member: Pick<Consumer, 'commit' | 'generationId' | 'assignments'>
  readonly #pending = new Map<string, CommittedPlace>()
  #generation = -1
  /** Since which generation this member has each of its partitions, without a break. */
  #since = new Map<string, number>()
  #running: Promise<void> | undefined
  #failure: Error | undefined

  constructor(member: Pick<Consumer, 'commit' | 'generationId' | 'assignments'>) {
    this.#member = member
  }

  /** Everything before `offset` was written out. Returns at once; the commit follows. */
  printed(place: CommittedPlace): void {
    this.#pending.set(keyOf(place), place)
    if (this.#running === undefined && this.#ours().length > 0) this.#running = this.#run()
  }

  /** Settles when everything that was printed, and is this member's to commit, is committed. Rejects with the error of a commit that was not made up for. */
  async flush(): Promise<void> {
    await this.#running
    if (this.#ours().length > 0) {
      this.#running = this.#run()
      await this.#running
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  /** What was printed of partitions that were another member's meanwhile is no longer this one's to commit. */
  assigned(assigned: Assigned): void {
    const kept = new Set(assigned.kept.map(keyOf))
    for (const key of this.#pending.keys()) if (!kept.has(key)) this.#pending.delete(key)
    const before = this.#since
    this.#generation = assigned.generation
    this.#since = new Map(
      assigned.places.map((place) => {
        const key = keyOf(place)
        return [key, kept.has(key) ? (before.get(key) ?? assigned.generation) : assigned.generation]
      }),
    )
    this.#failure = undefined
  }

  /** There is something to commit: it awaits once at least, so that `#running` is set by then. */
  async #run(): Promise<void> {
    this.#failure = undefined
    for (let places = this.#ours(); places.length > 0 && this.#failure === undefined; places = this.#ours()) {
      for (const place of places) this.#pending.delete(keyOf(place))
      const since = this.#since
      try {
        await this.#member.commit({ offsets: places.map((place) => ({ ...place, leaderEpoch: -1 })) })
      } catch (error) {
        this.#failure = asError(error)
        // Not over newer ones, and not where the partition was another member's meanwhile.
        for (const place of places) {
          const key = keyOf(place)
          if (!this.#pending.has(key) && this.#since.get(key) === since.get(key)) this.#pending.set(key, place)
        }
      }
    }
    this.#running = undefined
  }

  /**
   * The client library joins the next generation by itself, while this member still prints: a commit would then go out under that generation,
   * for partitions that another member has read on in. Those that this member still has are its own.
   */
  #ours(): readonly CommittedPlace[] {
    const { generationId, assignments } = this.#member
    const pending = [...this.#pending.values()].filter((place) => this.#since.has(keyOf(place)))
    if (generationId === this.#generation) return pending
    if (generationId !== this.#generation + 1) return []
    const now = new Set((assignments ?? []).flatMap(({ topic, partitions }) => partitions.map((partition) => keyOf({ topic, partition }))))
    return pending.filter((place) => now.has(keyOf(place)))
  }
}

function keyOf({ topic, partition }: PartitionPlace): string {
  return `${topic}:${partition}`
}
