// The places of records: the topic and partitions that an operation names, their owners, and the offsets to start at.
import { errors, type KafkaErrorName, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { TopicId, TopicPartition } from '../core/ids.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Damage } from '../read/damage.ts'
import type { OffsetAsk, Offsets } from '../read/offsets.ts'
import type { FetchAnswer } from '../read/reader.ts'
import type { Owners } from '../view/owners.ts'
import type { TopicOperations } from './topics.ts'

/** The reason why an operation did nothing. */
export type RecordRejection =
  /** Another agent owns the partition and its slot; `leader` is its broker id, undefined while no agent does. */
  | { readonly kind: 'elsewhere'; readonly partition: number; readonly slot: number; readonly leader: number | undefined }
  /** The offset is before the first record or after the end. */
  | { readonly kind: 'out of range'; readonly earliest: number; readonly latest: number }
  /** The offset is in a range whose stored bytes are damaged. Records before and after the range can be read. */
  | ({ readonly kind: 'damaged'; readonly topic: string } & Damage)
  | { readonly kind: 'error'; readonly code: number; readonly message?: string }

/** `last` is a number of offsets before the end, at most back to the start. `since` is the first record that is not older. */
export type From = { readonly offset: number } | 'earliest' | 'latest' | { readonly last: number } | { readonly since: number } | Positions

/** Positions are valid for their topic id only: a topic that was created again is read from its start. */
export interface Positions {
  readonly topicId: TopicId
  /** The next offset of each partition; a partition that is missing at the end starts at 0. */
  readonly positions: readonly number[]
}

export interface RecordPlacesParts {
  readonly topics: Pick<TopicOperations, 'find'>
  readonly offsets: Pick<Offsets, 'list'>
  readonly owners: Pick<Owners, 'ofPartition' | 'slotOf'>
}

export type StartOffsets = { readonly kind: 'offsets'; readonly offsets: readonly number[] } | RecordRejection

export class RecordPlaces {
  readonly #parts: RecordPlacesParts

  constructor(parts: RecordPlacesParts) {
    this.#parts = parts
  }

  /** Finds the topic, and checks that the partition exists. Without one, all partitions. Never creates a topic. */
  async find(
    name: string,
    partition?: number,
  ): Promise<{ readonly kind: 'found'; readonly topic: Topic; readonly partitions: readonly number[] } | RecordRejection> {
    const found = must((await this.#parts.topics.find([name], { autoCreate: false }))[0], 'the one topic asked for')
    if (found.kind === 'error') return found
    const topic = found.value
    const partitions = partition === undefined ? range(0, topic.partitions) : [partition]
    for (const asked of partitions) {
      if (asked < 0 || asked >= topic.partitions) return rejected('UNKNOWN_TOPIC_OR_PARTITION', noPartition(topic, asked))
    }
    return { kind: 'found', topic, partitions }
  }

  /** The offsets to start at, one for each partition. The end is the last stable offset, read from the database. */
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
      const start = must(starts.offsets[index], 'the start of each partition')
      if ('last' in from) return Math.max(start, end - from.last)
      // -1: there is no record at or after that time.
      return start === -1 ? end : start
    })
    return { kind: 'offsets', offsets }
  }

  /** Turns the error of a fetch or a lookup into the rejection that an operation returns. */
  rejection(
    topic: Topic,
    partition: number,
    answer: { readonly error: KafkaErrorName } & Partial<Pick<Extract<FetchAnswer, { kind: 'error' }>, 'watermarks' | 'damage'>>,
  ): RecordRejection {
    const { error } = answer
    if (error === 'NOT_LEADER_OR_FOLLOWER') return elsewhere(this.#parts.owners, { topicId: topic.topicId, partition })
    if (error === 'OFFSET_OUT_OF_RANGE' && answer.watermarks !== undefined) {
      return { kind: 'out of range', earliest: answer.watermarks.logStartOffset, latest: answer.watermarks.lastStableOffset }
    }
    if (error === 'UNKNOWN_TOPIC_OR_PARTITION') return rejected(error, `Topic '${topic.name}' was deleted.`)
    if (answer.damage !== undefined) return { kind: 'damaged', topic: topic.name, ...answer.damage }
    return rejected(error, `Partition ${partition} of topic '${topic.name}' cannot be read at the moment: try again.`)
  }

  async #list(topic: Topic, partitions: readonly number[], at: OffsetAsk['at'], signal: AbortSignal): Promise<StartOffsets> {
    const answers = await this.#parts.offsets.list(
      partitions.map((partition) => ({ topicId: topic.topicId, partition, at })),
      signal,
    )
    const offsets: number[] = []
    for (const [index, partition] of partitions.entries()) {
      const answer = must(answers[index], 'each partition that was looked up')
      if (answer.kind === 'error') return this.rejection(topic, partition, answer)
      offsets.push(answer.offset)
    }
    return { kind: 'offsets', offsets }
  }
}

export function elsewhere(
  owners: Pick<Owners, 'ofPartition' | 'slotOf'>,
  of: TopicPartition,
): Extract<RecordRejection, { kind: 'elsewhere' }> {
  return {
    kind: 'elsewhere',
    partition: of.partition,
    slot: owners.slotOf(of),
    leader: owners.ofPartition(of.topicId, of.partition).leader,
  }
}

export function noPartition(topic: Topic, partition: number): string {
  return `Topic '${topic.name}' has no partition ${partition}: its partitions are 0 to ${topic.partitions - 1}.`
}

export function range(from: number, until: number): readonly number[] {
  return Array.from({ length: until - from }, (_, index) => from + index)
}

export function rejected(error: KafkaErrorName, message?: string): RecordRejection & Outcome<never> {
  return { kind: 'error', code: errors[error].code, ...(message !== undefined && { message }) }
}
