// Commits offsets of printed records as a member of a group: one commit at a time, each with the newest offset of each partition.
import type { Consumer } from '@platformatic/kafka'
import { asError } from './innermost-message.ts'

interface PrintedPartition {
  readonly topic: string
  readonly partition: number
}

interface CommittedPlace extends PrintedPartition {
  /** The next offset to read. */
  readonly offset: bigint
}

/** The assignment of this member in one generation of the group. */
interface Assigned {
  readonly generation: number
  readonly places: readonly PrintedPartition[]
  /** The `places` that it also had in the generation before: it may still commit what it printed of them. */
  readonly kept: readonly PrintedPartition[]
}

export class OffsetCommitter {
  readonly #member: Pick<Consumer, 'commit' | 'generationId' | 'assignments'>
  readonly #pending = new Map<string, CommittedPlace>()
  #generation = -1
  /** The generation since which this member has had each of its partitions without interruption. */
  #since = new Map<string, number>()
  #running: Promise<void> | undefined
  #failure: Error | undefined

  constructor(member: Pick<Consumer, 'commit' | 'generationId' | 'assignments'>) {
    this.#member = member
  }

  /** Everything before `offset` has been written out. Returns at once; the commit follows. */
  printed(place: CommittedPlace): void {
    this.#pending.set(keyOf(place), place)
    if (this.#running === undefined && this.#ours().length > 0) this.#running = this.#run()
  }

  /** Settles when all printed records of this member's partitions are committed. Rejects with the error of a commit that no later commit has replaced. */
  async flush(): Promise<void> {
    await this.#running
    if (this.#ours().length > 0) {
      this.#running = this.#run()
      await this.#running
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Drops pending offsets of partitions that another member had in the meantime. */
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

  /** Called with something to commit: it then awaits at least once, so `#running` is set before it ends. */
  async #run(): Promise<void> {
    this.#failure = undefined
    for (let places = this.#ours(); places.length > 0 && this.#failure === undefined; places = this.#ours()) {
      for (const place of places) this.#pending.delete(keyOf(place))
      const since = this.#since
      try {
        await this.#member.commit({ offsets: places.map((place) => ({ ...place, leaderEpoch: -1 })) })
      } catch (error) {
        this.#failure = asError(error)
        // Newer offsets are kept, and partitions that another member had in the meantime are left out.
        for (const place of places) {
          const key = keyOf(place)
          if (!this.#pending.has(key) && this.#since.get(key) === since.get(key)) this.#pending.set(key, place)
        }
      }
    }
    this.#running = undefined
  }

  /**
   * The client library joins the next generation by itself while this member still prints: a commit would then be sent under that generation,
   * for partitions that another member is already reading. This member still owns the partitions that it kept.
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

function keyOf({ topic, partition }: PrintedPartition): string {
  return `${topic}:${partition}`
}
