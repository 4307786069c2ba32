// Commits what was printed, as a member of a group: one commit at a time, the newest offset of each partition in the next one.
import type { Consumer } from '@platformatic/kafka'
import { asError } from './innermost-message.ts'

interface CommittedPlace {
  readonly topic: string
  readonly partition: number
  /** The next offset to read. */
  readonly offset: bigint
}

export class OffsetCommitter {
  readonly #member: Consumer
  readonly #pending = new Map<string, CommittedPlace>()
  #running: Promise<void> | undefined
  #failure: Error | undefined

  constructor(member: Consumer) {
    this.#member = member
  }

  /** Everything before `offset` was printed. Returns at once; the commit follows. */
  printed(place: CommittedPlace): void {
    this.#pending.set(keyOf(place), place)
    this.#running ??= this.#run()
  }

  /** Settles when everything that was printed is committed. Rejects with the error of a commit that was not made up for. */
  async flush(): Promise<void> {
    await this.#running
    if (this.#pending.size > 0) {
      this.#running = this.#run()
      await this.#running
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  /** What was printed of partitions that may be another member's now is not this one's to commit. */
  keepOnly(places: readonly { readonly topic: string; readonly partition: number }[]): void {
    const kept = new Set(places.map(keyOf))
    for (const key of this.#pending.keys()) if (!kept.has(key)) this.#pending.delete(key)
    this.#failure = undefined
  }

  async #run(): Promise<void> {
    this.#failure = undefined
    while (this.#pending.size > 0 && this.#failure === undefined) {
      const places = [...this.#pending.values()]
      this.#pending.clear()
      try {
        await this.#member.commit({ offsets: places.map((place) => ({ ...place, leaderEpoch: -1 })) })
      } catch (error) {
        this.#failure = asError(error)
        // Not over newer ones.
        for (const place of places) {
          const key = keyOf(place)
          if (!this.#pending.has(key)) this.#pending.set(key, place)
        }
      }
    }
    this.#running = undefined
  }
}

function keyOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}:${partition}`
}
