// What a fetch asks of one partition.
import type { TopicPartition } from '../core/ids.ts'

export interface FetchAsk extends TopicPartition {
  readonly offset: number
  readonly maxBytes: number
}
