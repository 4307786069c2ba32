// The deletion of records before an offset, for Kafka's API and the HTTP route: the start of a log moves forward in the database, then in memory.
import { errors, type KafkaErrorName, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { TopicPartition } from '../core/ids.ts'
import { isInternalTopic } from '../core/internal-topics.ts'
import { fixedLimits } from '../limits.ts'
import type { DeletedRecords, DeleteRecordsAsk, LogIndex, Topic } from '../metadata/metadata-store.ts'
import type { Settings } from '../settings.ts'
import { inSlices, type Turns } from '../time/turns.ts'
import type { Owners } from '../view/owners.ts'
import type { Tails } from '../view/tails.ts'
import { topicConfig } from '../write/topic-config.ts'

export interface RecordDeletionAsk {
  readonly topic: Topic
  readonly partition: number
  /** The first offset to keep. */
  readonly beforeOffset: number | 'high watermark'
}

export interface RecordDeletionParts {
  readonly log: Pick<LogIndex, 'deleteRecords' | 'partitions'>
  readonly owners: Owners
  readonly tails: Pick<Tails, 'forget'>
  /** Called after a start was moved, before the answer. */
  readonly publishStart: (partition: TopicPartition, logStartOffset: number) => void
  readonly settings: Settings
  readonly turns: Turns
}

export class RecordDeletion {
  readonly #parts: RecordDeletionParts

  constructor(parts: RecordDeletionParts) {
    this.#parts = parts
  }

  /** The first offset of each log after the deletion, in the order of the request. Rejects with a MetadataError when the database is away. */
  async deleteBefore(asks: readonly RecordDeletionAsk[]): Promise<readonly Outcome<number>[]> {
    const outcomes: Outcome<number>[] = []
    for await (const some of inSlices(asks, this.#parts.turns, fixedLimits.namesPerRead)) {
      // Once for each: while the database answers, the owner may change.
      const rejections = some.map((ask) => this.#rejection(ask))
      const results = await this.#deleted(some.filter((_, at) => rejections[at] === undefined))
      let done = 0
      for (const [at, ask] of some.entries())
        outcomes.push(rejections[at] ?? outcomeOf(ask, must(results[done++], 'the result of each partition')))
    }
    return outcomes
  }

  async deleteOne(ask: RecordDeletionAsk): Promise<Outcome<number>> {
    return must((await this.deleteBefore([ask]))[0], 'the outcome of the one partition')
  }

  async #deleted(asks: readonly RecordDeletionAsk[]): Promise<readonly DeletedRecords[]> {
    if (asks.length === 0) return []
    const { log, tails, publishStart } = this.#parts
    const places = await this.#places(asks)
    try {
      const results = await log.deleteRecords(this.#parts.owners.incarnation.id, places)
      for (const [at, place] of places.entries()) {
        const result = must(results[at], 'the result of each partition')
        if (result.kind === 'deleted') publishStart(place, result.logStartOffset)
      }
      return results
    } catch (error) {
      // The starts may have moved: what is in memory is read again.
      tails.forget((one) => places.some((place) => isSame(place, one)))
      throw error
    }
  }

  /** Resolves the high watermarks first: the transaction may be repeated, and they move. */
  async #places(asks: readonly RecordDeletionAsk[]): Promise<readonly DeleteRecordsAsk[]> {
    const places = asks.map(({ topic: { topicId }, partition }) => ({ topicId, partition }))
    const wantsEnd = asks.some(({ beforeOffset }) => beforeOffset === 'high watermark')
    const states = wantsEnd ? await this.#parts.log.partitions(places) : []
    return places.map((place, at) => {
      const { beforeOffset } = must(asks[at], 'the request of a place')
      // Without a state, the transaction finds no partition either.
      return { ...place, beforeOffset: beforeOffset === 'high watermark' ? (states[at]?.highWatermark ?? 0) : beforeOffset }
    })
  }

  #rejection({ topic: { topicId, name, partitions, configs }, partition }: RecordDeletionAsk): Failed | undefined {
    const { owners, settings } = this.#parts
    if (partition < 0 || partition >= partitions)
      return failed('UNKNOWN_TOPIC_OR_PARTITION', `Topic '${name}' has no partition ${partition}.`)
    if (isInternalTopic(name)) return failed('INVALID_TOPIC_EXCEPTION', `Records of the internal topic '${name}' cannot be deleted.`)
    if (!owners.ofPartition(topicId, partition).mine) return failed('NOT_LEADER_OR_FOLLOWER', notOwned)
    const policies = topicConfig(configs, settings, 'cleanup.policy').value.split(',')
    return policies.includes('delete') || !policies.includes('compact')
      ? undefined
      : failed('POLICY_VIOLATION', `Topic '${name}' is compacted, so its records cannot be deleted by offset.`)
  }
}

const notOwned = 'This agent does not own the partition.'

type Failed = Extract<Outcome<never>, { readonly kind: 'error' }>

function outcomeOf({ topic: { name }, partition, beforeOffset }: RecordDeletionAsk, result: DeletedRecords): Outcome<number> {
  switch (result.kind) {
    case 'deleted':
      return { kind: 'ok', value: result.logStartOffset }
    case 'out of range':
      return failed('OFFSET_OUT_OF_RANGE', `Offset ${beforeOffset} is beyond the end of topic '${name}', partition ${partition}.`)
    case 'not owner':
      return failed('NOT_LEADER_OR_FOLLOWER', notOwned)
    case 'unknown partition':
      return failed('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic '${name}'.`)
  }
}

function failed(error: KafkaErrorName, message: string): Failed {
  return { kind: 'error', code: errors[error].code, message }
}

function isSame(a: TopicPartition, b: TopicPartition): boolean {
  return a.topicId === b.topicId && a.partition === b.partition
}
