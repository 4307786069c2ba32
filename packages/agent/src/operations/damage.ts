// The operations on damaged storage that HTTP routes and commands share: list it, check all objects, and skip what is lost.
import { type Outcome, readBatchHeader } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { TopicPartition } from '../core/ids.ts'
import type { DamageStore, KeptPart, SkippedRange } from '../metadata/damage-store.ts'
import type { LogIndex } from '../metadata/metadata-store.ts'
import type { Segment } from '../metadata/segment.ts'
import type { EventHook } from '../observe/events.ts'
import type { DamageKind, Salvage } from '../read/batches.ts'
import type { DamageReports } from '../read/damage.ts'
import type { SegmentReader } from '../read/segment-reader.ts'
import type { StorageCheck, StorageChecks } from '../upkeep/storage-checks.ts'
import type { Tails } from '../view/tails.ts'
import { noPartition, rejected } from './record-places.ts'
import type { TopicOperations } from './topics.ts'

/** Offsets that cannot be read, all in one object. */
export interface DamagedPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly lastOffset: number
  readonly objectKey: string
  readonly damageKind: DamageKind
  /** Describes the damage to the bytes. */
  readonly message: string
}

export interface SkipDamaged {
  readonly topic: string
  /** The default is all partitions. */
  readonly partition?: number
  /** Looks only at the segment with this offset, also if its damage is not known yet. Needs `partition`. */
  readonly offset?: number
  /** Makes all checks but changes nothing. */
  readonly dryRun: boolean
  readonly signal: AbortSignal
}

export interface DamageOperationsParts {
  readonly topics: Pick<TopicOperations, 'find' | 'findById'>
  readonly log: Pick<LogIndex, 'find'>
  readonly store: Pick<DamageStore, 'skip' | 'skipped'>
  /** Without a cache: what counts is what the store has. */
  readonly segments: Pick<SegmentReader, 'examine'>
  readonly damage: Pick<DamageReports, 'all' | 'skipped' | 'topicNameOf'>
  readonly checks: Pick<StorageChecks, 'begin' | 'latest' | 'stop'>
  readonly tails: Pick<Tails, 'forget'>
  readonly emit: EventHook
}

/** Every operation that reads may also reject with a MetadataError. */
export class DamageOperations {
  readonly #parts: DamageOperationsParts

  constructor(parts: DamageOperationsParts) {
    this.#parts = parts
  }

  /** The damage that readers, checks and the scrubber of this agent have found, ordered by topic, partition and offset. */
  list(): readonly DamagedPlace[] {
    const { damage } = this.#parts
    return damage
      .all()
      .map(({ topicId, ...place }) => ({ topic: damage.topicNameOf(topicId), ...place }))
      .toSorted(byPlace)
  }

  /** Begins to check all objects, unless that is in progress already. */
  beginCheck(): StorageCheck {
    return this.#parts.checks.begin()
  }

  /** Undefined: this agent has checked nothing since its start. */
  check(): StorageCheck | undefined {
    return this.#parts.checks.latest
  }

  stopCheck(): void {
    this.#parts.checks.stop()
  }

  /** The ranges that were skipped, with the names of their topics: a page after `after`. */
  async skipped(after?: SkippedRange): Promise<readonly (SkippedRange & { readonly topic: string })[]> {
    const { store, topics } = this.#parts
    const ranges = await store.skipped(after === undefined ? {} : { after })
    const found = await topics.findById(ranges.map(({ topicId }) => topicId))
    return ranges.flatMap((range, index) => {
      const topic = must(found[index], 'the topic of each range')
      return topic.kind === 'ok' ? [{ ...range, topic: topic.value.name }] : []
    })
  }

  /**
   * Makes readers pass over the damaged offsets, one segment after another, and returns the ranges. Each segment is read again first: what turns out to be
   * intact is not skipped. The bytes are not deleted.
   */
  async skip(asked: SkipDamaged): Promise<Outcome<readonly DamagedPlace[]>> {
    const { topics, damage } = this.#parts
    const found = must((await topics.find([asked.topic], { autoCreate: false }))[0], 'the one topic asked for')
    if (found.kind === 'error') return found
    const { topicId, name, partitions } = found.value
    const { partition, offset } = asked
    if (partition !== undefined && partition >= partitions)
      return rejected('UNKNOWN_TOPIC_OR_PARTITION', noPartition(found.value, partition))
    if (offset !== undefined && partition === undefined) return rejected('INVALID_REQUEST', 'An offset needs its partition.')
    const known = damage.all().filter((one) => one.topicId === topicId && (partition === undefined || one.partition === partition))
    const places = offset === undefined || partition === undefined ? known : [{ topicId, partition, offset }]
    const skipped: DamagedPlace[] = []
    for (const place of places) {
      const one = await this.#skipAt(name, place, asked)
      if (one !== undefined && !skipped.some((other) => byPlace(one, other) === 0)) skipped.push(one)
    }
    return { kind: 'ok', value: skipped.toSorted(byPlace) }
  }

  /** Undefined: the segment with this offset is intact, was skipped already, or does not exist. */
  async #skipAt(
    topic: string,
    { topicId, partition, offset }: TopicPartition & { readonly offset: number },
    { dryRun, signal }: Pick<SkipDamaged, 'dryRun' | 'signal'>,
  ): Promise<DamagedPlace | undefined> {
    const { log, store, segments, damage, tails, emit } = this.#parts
    const of = { topicId, partition }
    for (;;) {
      const [answer] = await log.find([{ ...of, offset, maxBytes: 1, maxSegments: 1 }])
      const segment = answer?.kind === 'found' ? answer.segments[0] : undefined
      if (segment === undefined || segment.baseOffset > offset || segment.sizeBytes === 0) {
        // Another agent, or an earlier call whose answer was lost, has skipped it.
        if (segment?.sizeBytes === 0)
          damage.skipped({ ...of, offset: segment.baseOffset, lastOffset: segment.lastOffset, objectKey: segment.objectKey })
        return undefined
      }
      const { bytes, left } = await segments.examine({ of, segment, signal })
      if (left === undefined) return undefined
      const { damage: range } = left
      const place: DamagedPlace = { topic, partition, ...range }
      if (dryRun) return place
      const kept = keptParts(bytes, segment, left)
      const result = await store.skip({ ...of, segment, offset: range.offset, lastOffset: range.lastOffset, kept, reason: range.message })
      // The log was changed since the look-up.
      if (result === 'changed') continue
      if (result === 'unknown partition') return undefined
      damage.skipped({ ...of, ...range })
      tails.forget((one) => one.topicId === topicId && one.partition === partition)
      emit({ kind: 'damage skipped', ...place })
      return place
    }
  }
}

/** The batches before the damage, and those after it. */
function keptParts(bytes: Uint8Array, { byteStart }: Segment, { sound, damage }: Salvage): readonly KeptPart[] {
  const before = sound.filter(({ lastOffset }) => lastOffset < damage.offset)
  const after = sound.filter(({ baseOffset }) => baseOffset > damage.lastOffset)
  return [before, after].flatMap((batches): readonly KeptPart[] => {
    const [first] = batches
    const last = batches.at(-1)
    if (first === undefined || last === undefined) return []
    return [
      {
        baseOffset: first.baseOffset,
        lastOffset: last.lastOffset,
        byteStart: byteStart + first.at,
        sizeBytes: last.at + last.sizeBytes - first.at,
        maxTimestamp: batches.reduce((newest, { at }) => Math.max(newest, readBatchHeader(bytes, at).maxTimestamp), -1),
      },
    ]
  })
}

function byPlace(a: DamagedPlace, b: DamagedPlace): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition || a.offset - b.offset
}
