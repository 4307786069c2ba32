// The offsets that OffsetCommit and TxnOffsetCommit name, and their answers: those that the group decides, and those that are rejected before.
import { errors, type KafkaErrorName, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { OffsetToCommit, Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { number } from '../settings.ts'
import { placeErrorCode } from './access.ts'

export interface TopicOffsets {
  readonly name: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly committedOffset: number
    readonly committedLeaderEpoch: number
    readonly committedMetadata: string | null
  }[]
}

export interface PartitionOutcome {
  readonly partitionIndex: number
  errorCode: number
}

/** The decoder turns an int64 beyond the safe integers into this number. */
const beyond = Number.MAX_SAFE_INTEGER

export class OffsetsToCommit {
  /** By topic, in the order of the request. */
  readonly answers: readonly PartitionOutcome[][]
  readonly offsets: readonly OffsetToCommit[]
  /** The answers that the group decides: those of `offsets`, in the same order, and those whose metadata is too long. */
  readonly #waiting: readonly PartitionOutcome[]
  readonly #tooLong: readonly PartitionOutcome[]

  private constructor(answers: readonly PartitionOutcome[][], offsets: readonly OffsetToCommit[], decided: readonly PartitionOutcome[][]) {
    this.answers = answers
    this.offsets = offsets
    const [waiting, tooLong] = decided
    this.#waiting = must(waiting, 'the answers that wait')
    this.#tooLong = must(tooLong, 'the answers of long metadata')
  }

  /** `found`: the topics of the request, in its order. */
  static async of(
    topics: readonly TopicOffsets[],
    found: readonly Outcome<Topic>[],
    { turns, settings }: Pick<Services, 'turns' | 'settings'>,
  ): Promise<OffsetsToCommit> {
    const longest = number(settings, 'offset.metadata.max.bytes')
    const slice = turns.slice()
    const answers: PartitionOutcome[][] = []
    const offsets: OffsetToCommit[] = []
    const waiting: PartitionOutcome[] = []
    const tooLong: PartitionOutcome[] = []
    for (const [at, { partitions }] of topics.entries()) {
      const outcome = must(found[at], 'each topic that the request names')
      const ofTopic: PartitionOutcome[] = []
      answers.push(ofTopic)
      for (const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } of partitions) {
        if (slice.spent(1)) await slice.next()
        const answer: PartitionOutcome = { partitionIndex, errorCode: placeErrorCode(outcome, partitionIndex) }
        ofTopic.push(answer)
        if (outcome.kind === 'error' || answer.errorCode !== 0) continue
        const metadata = committedMetadata ?? ''
        if (Math.abs(committedOffset) === beyond) answer.errorCode = errors.INVALID_REQUEST.code
        else if (metadata.length > longest) {
          answer.errorCode = errors.OFFSET_METADATA_TOO_LARGE.code
          tooLong.push(answer)
        } else {
          const { topicId } = outcome.value
          offsets.push({ topicId, partition: partitionIndex, offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata })
          waiting.push(answer)
        }
      }
    }
    return new OffsetsToCommit(answers, offsets, [waiting, tooLong])
  }

  /** Kafka's order of checks: the partition exists, then the group accepts the commit, then the metadata is short enough. */
  get asksGroup(): boolean {
    return this.#waiting.length + this.#tooLong.length > 0
  }

  /** `saved`: how many of the offsets were stored before the group rejected the others. */
  reject(error: KafkaErrorName, saved: number): void {
    for (const answer of [...this.#waiting.slice(saved), ...this.#tooLong]) answer.errorCode = errors[error].code
  }
}
