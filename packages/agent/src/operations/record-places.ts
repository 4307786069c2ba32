// Where records are: the topic and partitions that a operation names, who owns them, and the offsets to begin at.
import { errors, type KafkaErrorName, type Outcome } from '@local-kafka-service/protocol'
import type { TopicId } from '../core/ids.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Damage } from '../read/damage.ts'
import type { OffsetAsk, Offsets } from '../read/offsets.ts'
import type { FetchAnswer } from '../read/reader.ts'
import type { Owners } from '../view/owners.ts'
import type { TopicOperations } from './topics.ts'

/** Why a operation did nothing. */
export type Refusal =
  /** Another agent owns the partition; `leader` is its broker id, undefined while nobody does. */
  | { readonly kind: 'elsewhere'; readonly partition: number; readonly leader: number | undefined }
  /** Before the first record or beyond the end. */
  | { readonly kind: 'out of range'; readonly earliest: number; readonly latest: number }
  /** The offset asked for is one of these, whose stored bytes are damaged. What is before and after them can be read. */
  | ({ readonly kind: 'damaged'; readonly topic: string } & Damage)
  | { readonly kind: 'error'; readonly code: number; readonly message?: string }

/** `last`: so many offsets before the end, or the first one when there are fewer. `since`: the first record that is not older. */
export type From = { readonly offset: number } | 'earliest' | 'latest' | { readonly last: number } | { readonly since: number } | Positions

/** They count only for the same topic id: a topic made anew is read from its start. */
export interface Positions {
  readonly topicId: TopicId
  /** The next offset of each partition; one that is missing at the end begins at 0. */
  readonly positions: readonly number[]
}

export interface RecordPlacesParts {
  readonly topics: Pick<TopicOperations, 'find'>
  readonly offsets: Pick<Offsets, 'list'>
  readonly owners: Pick<Owners, 'ofPartition'>
}

export type StartOffsets = { readonly kind: 'offsets'; readonly offsets: readonly number[] } | Refusal

export class RecordPlaces {
  readonly #parts: RecordPlacesParts

  constructor(parts: RecordPlacesParts) {
    this.#parts = parts
  }

  /** The topic, with the partitions named (all of them without a name) there and this agent's own. Never makes a topic. */
  async find(
    name: string,
    partition?: number,
  ): Promise<{ readonly kind: 'found'; readonly topic: Topic; readonly partitions: readonly number[] } | Refusal> {
    const [found] = await this.#parts.topics.find([name], { autoCreate: false })
    if (found?.kind !== 'ok') return found ?? refused('UNKNOWN_TOPIC_OR_PARTITION')
    const topic = found.value
    const partitions = partition === undefined ? range(0, topic.partitions) : [partition]
    for (const asked of partitions) {
      if (asked < 0 || asked >= topic.partitions) return refused('UNKNOWN_TOPIC_OR_PARTITION', noPartition(topic, asked))
      const { mine, leader } = this.#parts.owners.ofPartition(topic.topicId, asked)
      if (!mine) return { kind: 'elsewhere', partition: asked, leader }
    }
    return { kind: 'found', topic, partitions }
  }

  /** The offsets to begin at, one per partition. Ends are last stable offsets, asked of the database. */
  async starts(topic: Topic, partitions: readonly number[], from: From, signal: AbortSignal): Promise<StartOffsets> {
    if (typeof from === 'object' && 'offset' in from) return { kind: 'offsets', offsets: partitions.map(() => from.offset) }
    if (typeof from === 'object' && 'positions' in from) {
      const same = from.topicId === topic.topicId
      return { kind: 'offsets', offsets: partitions.map((_, index) => (same ? from.positions[index] : undefined) ?? 0) }
    }
    const list = (at: OffsetAsk['at']): Promise<StartOffsets> => this.#list(topic, partitions, at, signal)
    if (from === 'earliest') return list('earliest')
    const ends = await list('latest stable')
    if (from === 'latest' || ends.kind !== 'offsets') return ends
    const starts = await list('since' in from ? { timestamp: from.since } : 'earliest')
    if (starts.kind !== 'offsets') return starts
    const offsets = ends.offsets.map((end, index) => {
      const start = starts.offsets[index] ?? 0
      if ('last' in from) return Math.max(start, end - from.last)
      // No record is that new: -1.
      return start === -1 ? end : start
    })
    return { kind: 'offsets', offsets }
  }

  /** What a failed fetch or look-up means to whoever asked for records. */
  refusal(
    topic: Topic,
    partition: number,
    answer:
      | ({ readonly error: KafkaErrorName } & Partial<Pick<Extract<FetchAnswer, { kind: 'error' }>, 'watermarks' | 'damage'>>)
      | undefined,
  ): Refusal {
    const error = answer?.error ?? 'UNKNOWN_SERVER_ERROR'
    if (error === 'NOT_LEADER_OR_FOLLOWER')
      return { kind: 'elsewhere', partition, leader: this.#parts.owners.ofPartition(topic.topicId, partition).leader }
    if (error === 'OFFSET_OUT_OF_RANGE' && answer?.watermarks !== undefined) {
      return { kind: 'out of range', earliest: answer.watermarks.logStartOffset, latest: answer.watermarks.lastStableOffset }
    }
    if (error === 'UNKNOWN_TOPIC_OR_PARTITION') return refused(error, `Topic '${topic.name}' was deleted.`)
    if (answer?.damage !== undefined) return { kind: 'damaged', topic: topic.name, ...answer.damage }
    return refused(error, `Partition ${partition} of topic '${topic.name}' cannot be read now.`)
  }

  async #list(topic: Topic, partitions: readonly number[], at: OffsetAsk['at'], signal: AbortSignal): Promise<StartOffsets> {
    const answers = await this.#parts.offsets.list(
      partitions.map((partition) => ({ topicId: topic.topicId, partition, at })),
      signal,
    )
    const offsets: number[] = []
    for (const [index, partition] of partitions.entries()) {
      const answer = answers[index]
      if (answer?.kind !== 'offset') return this.refusal(topic, partition, answer)
      offsets.push(answer.offset)
    }
    return { kind: 'offsets', offsets }
  }
}

export function noPartition(topic: Topic, partition: number): string {
  return `Topic '${topic.name}' has no partition ${partition}: its partitions are 0 to ${topic.partitions - 1}.`
}

export function range(from: number, until: number): readonly number[] {
  return Array.from({ length: until - from }, (_, index) => from + index)
}

export function refused(error: KafkaErrorName, message?: string): Refusal & Outcome<never> {
  return { kind: 'error', code: errors[error].code, ...(message !== undefined && { message }) }
}
