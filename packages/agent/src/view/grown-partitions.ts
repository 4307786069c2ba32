// The partitions that have grown since a job looked last. With it, the work of an idle agent does not grow with its partitions.
import type { TopicPartition } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'

/** By `partitionKey`. `all`: any may have grown. */
export type Grown = 'all' | ReadonlyMap<string, TopicPartition>

/** It may miss what other agents have written, so a job with it looks at all partitions now and then. */
export class GrownPartitions {
  #partitions = new Map<string, TopicPartition>()
  /** After the start, what grew before it is not known. */
  #isAll = true

  add(key: string, { topicId, partition }: TopicPartition): void {
    if (this.#isAll) return
    this.#partitions.set(key, { topicId, partition })
    if (this.#partitions.size > fixedLimits.grownPartitions) this.addAll()
  }

  /** Call it when partitions have come that others wrote before. */
  addAll(): void {
    this.#isAll = true
    this.#partitions = new Map()
  }

  /** Those since the last call. */
  take(): Grown {
    const taken = this.#isAll ? 'all' : this.#partitions
    this.#isAll = false
    this.#partitions = new Map()
    return taken
  }
}
