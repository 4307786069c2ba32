// The commit transaction of a Metadata Service that answers as a test scripts it. By default it appends everything and records the committed sequences in order.
import { partitionKey } from '../../core/ids.ts'
import { objectKey } from '../../core/object-key.ts'
import type { CommitInput, CommitOutcome, GrownPartition, LogIndex, Segment } from '../metadata-store.ts'

export type Script = (input: CommitInput) => CommitOutcome | undefined

export class ScriptedLog implements Pick<LogIndex, 'commit'> {
  /** Every call, in order, including those that a script answered. */
  readonly calls: CommitInput[] = []
  /** The committed sequences, in order. */
  readonly committed: number[] = []
  readonly #scripts: Script[] = []
  readonly #ends = new Map<string, number>()

  /** These answer the next calls first, one each; undefined lets the call through. */
  script(...scripts: readonly Script[]): void {
    this.#scripts.push(...scripts)
  }

  async commit(input: CommitInput): Promise<CommitOutcome> {
    this.calls.push(input)
    const scripted = this.#scripts.shift()?.(input)
    if (scripted !== undefined) return scripted
    const last = this.committed.at(-1) ?? 0
    if (input.prev !== last) return { kind: 'out of order', lastSequence: last }
    this.committed.push(input.sequence)
    return { kind: 'committed', result: this.#append(input) }
  }

  #append({ batches, incarnation, sequence }: CommitInput): Extract<CommitOutcome, { kind: 'committed' }>['result'] {
    const grown = new Map<string, GrownPartition>()
    const verdicts = batches.map(({ topicId, partition, offsets, byteStart, sizeBytes, maxTimestamp }) => {
      const key = partitionKey(topicId, partition)
      const baseOffset = this.#ends.get(key) ?? 0
      this.#ends.set(key, baseOffset + offsets)
      const segment: Segment = {
        baseOffset,
        lastOffset: baseOffset + offsets - 1,
        objectKey: objectKey('00000000-0000-4000-8000-000000000001', incarnation, sequence),
        byteStart,
        sizeBytes,
        maxTimestamp,
      }
      const before = grown.get(key)?.segments ?? []
      grown.set(key, {
        topicId,
        partition,
        highWatermark: baseOffset + offsets,
        lastStableOffset: baseOffset + offsets,
        segments: [...before, segment],
      })
      return { kind: 'appended' as const, baseOffset }
    })
    return { verdicts, grown: [...grown.values()] }
  }
}

export const unknownOutcome: CommitOutcome = { kind: 'unknown', error: new Error('the answer was lost') }
export const rolledBack: CommitOutcome = { kind: 'rolled back', error: new Error('the database is away') }
