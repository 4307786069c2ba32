// The place of a committed or pending offset: a partition in a group.
import type { TopicPartition } from '../core/ids.ts'

export interface OffsetPlace extends TopicPartition {
  readonly groupId: string
}
