// What one pass of log compaction computes, step by step: the keys that it knows, and what is left of the segments that the next swap replaces.
import { RecordTable } from '@local-kafka-service/protocol'
import { must } from '../../assert.ts'
import type { BatchReaders } from '../validate.ts'
import { CleanedTransactions } from './cleaned-transactions.ts'
import type { CompactionReaders, CompactionRules, RememberedProducer } from './compact-batch.ts'
import { addSegmentKeys, compactSegment, type IntactSegment, type SegmentRules } from './compact-segment.ts'
import { type CompactedRun, CompactedSegments } from './compacted-segments.ts'
import { KeyOffsets, type KeyRoom } from './key-offsets.ts'

/** The bytes of a segment whose batches are all as they were committed, as plain data: it can be sent to a thread. */
export interface CompactionSource extends Pick<IntactSegment, 'bytes' | 'baseOffset'> {
  /** The aborted transactions with offsets in it. */
  readonly aborted: readonly AbortedOffsets[]
}

export interface AbortedOffsets {
  readonly producerId: number
  readonly firstOffset: number
  readonly markerOffset: number
}

export interface RewriteRules extends Pick<CompactionRules, 'endOffset' | 'nowMs' | 'deleteRetentionMs' | 'markerRetentionMs'> {
  /** Of the producers that the log remembers. */
  readonly producers: readonly (RememberedProducer & { readonly producerId: number })[]
}

/** What is left of the segments since the last `finishRun`. */
export interface RunSoFar {
  /** Whether it differs from the segments. */
  readonly differs: boolean
  readonly sizeBytes: number
  /** Each is a row to delete. */
  readonly removedAbortCount: number
}

export type StepName = 'beginLearning' | 'learn' | 'beginRewriting' | 'compact' | 'finishRun'
export type StepInput<Name extends StepName> = Parameters<PassSteps[Name]>[0]
export type StepOutput<Name extends StepName> =
  ReturnType<PassSteps[Name]> extends Generator<number, infer Output> ? Output : ReturnType<PassSteps[Name]>

/**
 * In this order, as often as the pass needs rounds: `beginLearning`, `learn` for each segment of the dirty part, `beginRewriting`, and then runs of `compact` for
 * consecutive segments with `finishRun` after the last. `run` yields the bytes of each batch, so that the caller can let other work run in between.
 */
export class PassSteps {
  readonly #readers: CompactionReaders
  readonly #segmentBytes: number
  #latest: KeyOffsets | undefined
  #rules: SegmentRules | undefined
  #left: CompactedSegments | undefined
  #differs = false

  constructor({ segmentBytes, ...readers }: BatchReaders & { readonly segmentBytes: number }) {
    this.#readers = { ...readers, records: new RecordTable() }
    this.#segmentBytes = segmentBytes
  }

  /** Forgets all keys. */
  beginLearning(room: KeyRoom): undefined {
    this.#latest?.free()
    this.#latest = new KeyOffsets(room)
    return undefined
  }

  /** The offset before which all keys of the segment are known: there may be no room for more. */
  *learn(segment: CompactionSource): Generator<number, number> {
    return yield* addSegmentKeys(intactSegment(segment), must(this.#latest, 'the keys'), this.#readers)
  }

  beginRewriting({ producers, ...rules }: RewriteRules): undefined {
    const remembered = new Map(producers.map((producer) => [producer.producerId, producer]))
    const producerOf = (producerId: number): RememberedProducer | undefined => remembered.get(producerId)
    this.#rules = { ...rules, latest: must(this.#latest, 'the keys'), producerOf, transactions: new CleanedTransactions() }
    return undefined
  }

  *compact(segment: CompactionSource): Generator<number, RunSoFar> {
    const { baseOffset } = segment
    const [segmentBytes, { crc32c }] = [this.#segmentBytes, this.#readers]
    this.#left ??= new CompactedSegments({ baseOffset, segmentBytes, crc32c })
    const differs = yield* compactSegment(intactSegment(segment), must(this.#rules, 'the rules'), this.#readers, this.#left)
    this.#differs ||= differs
    const { sizeBytes, removedAbortCount } = this.#left
    return { differs: this.#differs, sizeBytes, removedAbortCount }
  }

  /** What is left of the run. The next `compact` begins another one. */
  finishRun({ nextOffset }: { readonly nextOffset: number }): CompactedRun {
    const run = must(this.#left, 'the run of segments')
    this.#left = undefined
    this.#differs = false
    return run.finish(nextOffset)
  }

  /** Gives the memory of the keys back at once. */
  end(): void {
    this.#latest?.free()
    this.#latest = undefined
  }

  /** Runs the step of that name. */
  *run<Name extends StepName>(name: Name, input: StepInput<Name>): Generator<number, StepOutput<Name>> {
    // The compiler does not connect the input with the method of the same name.
    const step = this[name] as (input: StepInput<Name>) => StepOutput<Name> | Generator<number, StepOutput<Name>>
    const output = step.call(this, input)
    return isGenerator(output) ? yield* output : output
  }
}

function isGenerator<T>(output: T | Generator<number, T>): output is Generator<number, T> {
  return typeof output === 'object' && output !== null && Symbol.iterator in output
}

function intactSegment({ bytes, baseOffset, aborted }: CompactionSource): IntactSegment {
  if (aborted.length === 0) return { bytes, baseOffset }
  const isAborted = (producerId: number, offset: number): boolean =>
    aborted.some((one) => one.producerId === producerId && one.firstOffset <= offset && offset < one.markerOffset)
  return { bytes, baseOffset, isAborted }
}
