// Log compaction on request: of one topic, now.
import { errors, type Outcome } from '@local-kafka-service/protocol'
import type { LogCompaction } from '../upkeep/compaction.ts'
import type { TopicOperations } from './topics.ts'

export interface TopicCompactionParts {
  readonly topics: Pick<TopicOperations, 'find'>
  readonly compaction: Pick<LogCompaction, 'compactNow'>
}

export class TopicCompaction {
  readonly #parts: TopicCompactionParts

  constructor(parts: TopicCompactionParts) {
    this.#parts = parts
  }

  /**
   * Makes a pass over all records that the topic has now: also over those that are active or not dirty enough, but not over those younger than
   * `min.compaction.lag.ms`. A tombstone that this pass is the first to see stays. Resolves when the pass is done. Rejects as the stores do.
   */
  async compact(name: string, signal: AbortSignal): Promise<Outcome<undefined>> {
    const [found] = await this.#parts.topics.find([name], { autoCreate: false })
    if (found?.kind !== 'ok') return found ?? { kind: 'error', code: errors.UNKNOWN_TOPIC_OR_PARTITION.code }
    if (await this.#parts.compaction.compactNow(found.value, signal)) return { kind: 'ok', value: undefined }
    const message = `Topic '${name}' is not compacted: its cleanup.policy does not name compact.`
    return { kind: 'error', code: errors.POLICY_VIOLATION.code, message }
  }
}
