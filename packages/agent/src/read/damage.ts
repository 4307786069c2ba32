// The damage that this agent's readers found: offsets whose stored bytes are missing, cut off or changed. The log reports each object once.
import type { TopicId, TopicPartition } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import type { EventHook } from '../observe/events.ts'
import type { SegmentDamage } from './batches.ts'

/** Offsets of one partition that cannot be read, all in one object. */
export interface Damage extends TopicPartition, SegmentDamage {}

/** Offsets that readers pass over. */
export type SkippedOffsets = Pick<Damage, 'topicId' | 'partition' | 'offset' | 'lastOffset' | 'objectKey'>

export interface DamageReportsParts {
  readonly emit: EventHook
  /** Undefined: the topic id is shown instead. */
  readonly topicName: (topicId: TopicId) => string | undefined
}

/** Lives as long as the agent. A reader that finds the bytes intact again removes their damage. */
export class DamageReports {
  readonly #parts: DamageReportsParts
  readonly #byObject = new Map<string, Damage[]>()
  /** The newest skips. */
  readonly #skipped: SkippedOffsets[] = []
  #count = 0

  constructor(parts: DamageReportsParts) {
    this.#parts = parts
  }

  /** The number of places that are damaged now, as far as they were read. At most `fixedLimits.damageReports`. */
  get count(): number {
    return this.#count
  }

  has(objectKey: string): boolean {
    return this.#byObject.has(objectKey)
  }

  report(damage: Damage): void {
    const { emit } = this.#parts
    if (this.#skipped.some((range) => isInside(damage, range))) return
    const known = this.#byObject.get(damage.objectKey) ?? []
    if (known.some((one) => isSamePlace(one, damage)) || this.#count >= fixedLimits.damageReports) return
    const topic = this.topicNameOf(damage.topicId)
    emit({ kind: 'corrupt data', topic, ...damage, firstOfObject: known.length === 0 })
    this.#byObject.set(damage.objectKey, [...known, damage])
    this.#count += 1
  }

  /** A whole segment of the partition was read and is as it was committed. */
  healed(
    { topicId, partition }: TopicPartition,
    segment: { readonly objectKey: string; readonly baseOffset: number; readonly lastOffset: number },
  ): void {
    const known = this.#byObject.get(segment.objectKey)
    if (known === undefined) return
    const range = { topicId, partition, offset: segment.baseOffset, lastOffset: segment.lastOffset }
    const left = known.filter((one) => !isInside(one, range))
    this.#count -= known.length - left.length
    if (left.length === 0) this.#byObject.delete(segment.objectKey)
    else this.#byObject.set(segment.objectKey, left)
  }

  /** All of the object was read and is as it was committed. */
  healedObject(objectKey: string): void {
    this.#count -= this.#byObject.get(objectKey)?.length ?? 0
    this.#byObject.delete(objectKey)
  }

  /** Readers pass over these offsets from now on. A read that began earlier may still report them. */
  skipped(range: SkippedOffsets): void {
    const { objectKey } = range
    const known = this.#byObject.get(objectKey) ?? []
    const left = known.filter((one) => !isInside(one, range))
    this.#count -= known.length - left.length
    if (left.length === 0) this.#byObject.delete(objectKey)
    else this.#byObject.set(objectKey, left)
    this.#skipped.push(range)
    if (this.#skipped.length > fixedLimits.damageReports) this.#skipped.shift()
  }

  /** The records of the partition before the offset were deleted, and their damage with them. */
  removedBefore({ topicId, partition }: TopicPartition, logStartOffset: number): void {
    const isGone = (one: Damage): boolean => one.topicId === topicId && one.partition === partition && one.lastOffset < logStartOffset
    for (const [objectKey, known] of this.#byObject) {
      const left = known.filter((one) => !isGone(one))
      this.#count -= known.length - left.length
      if (left.length === 0) this.#byObject.delete(objectKey)
      else this.#byObject.set(objectKey, left)
    }
  }

  /** All known damage, by object. */
  all(): readonly Damage[] {
    return [...this.#byObject.values()].flat()
  }

  topicNameOf(topicId: TopicId): string {
    return this.#parts.topicName(topicId) ?? topicId
  }

  /** For people: one sentence for each place, up to `fixedLimits.damageReasons`. */
  reasons(): readonly string[] {
    const all = this.all()
    const named = all.slice(0, fixedLimits.damageReasons).map((damage) => {
      const topic = this.topicNameOf(damage.topicId)
      return `partition ${damage.partition} of topic ${topic} is damaged at offsets ${damage.offset} to ${damage.lastOffset}, in object ${damage.objectKey}: ${damage.message}`
    })
    return all.length === named.length ? named : [...named, `${all.length - named.length} more places are damaged`]
  }
}

function isSamePlace(a: Damage, b: Damage): boolean {
  return a.topicId === b.topicId && a.partition === b.partition && a.offset === b.offset && a.lastOffset === b.lastOffset
}

function isInside(one: Damage, range: Omit<SkippedOffsets, 'objectKey'>): boolean {
  return (
    one.topicId === range.topicId && one.partition === range.partition && one.offset >= range.offset && one.lastOffset <= range.lastOffset
  )
}
