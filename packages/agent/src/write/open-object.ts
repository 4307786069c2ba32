// The object that is being filled: it copies batches into its own memory, groups them by partition, and reports its size and age.
import { patchLeaderEpoch, readBatchHeader, setCreateTime, setLogAppendTime } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Checksum } from '../core/checksum.ts'
import type { ClusterId, Incarnation, Sequence, TopicId } from '../core/ids.ts'
import { checksumAfter } from '../core/log/batch-checksum.ts'
import type { Flush, FlushOutcome } from '../flush/chain.ts'
import { ObjectMemory } from '../memory/object-memory.ts'
import type { BatchOfTransaction, CommitBatch } from '../metadata/metadata-store.ts'
import { encodeObject } from '../objects/object-format.ts'
import type { BatchMemory } from './batch-memory.ts'

/** One validated record batch to append. */
export interface Admission {
  readonly topicId: TopicId
  readonly partition: number
  /** The slot's epoch as this agent believes it; written into the batch, required by the commit. */
  readonly epoch: number
  /** Exactly one v2 batch. The writer copies it, so the caller may reuse the memory. */
  readonly batch: Uint8Array
  /** Set for LogAppendTime: milliseconds since the epoch. */
  readonly stamp?: number | undefined
  /** The largest timestamp of a CreateTime batch's records, set if the header contradicts it. */
  readonly maxTimestamp?: number | undefined
  readonly idempotency?: { readonly key: string; readonly bodyHash: string; readonly timestamp: number } | undefined
  /** Set if the batch is transactional. */
  readonly transaction?: BatchOfTransaction | undefined
}

/** The place of an admitted batch in its flush. */
export interface BatchPlace {
  /** The index among the flush's batches; -1 until the object is sealed. */
  index: number
  readonly maxTimestamp: number
}

interface PartitionBatches {
  readonly topicId: TopicId
  readonly partition: number
  readonly epoch: number
  readonly members: { readonly bytes: Uint8Array; readonly place: BatchPlace; readonly commit: Omit<CommitBatch, 'byteStart'> }[]
}

export class OpenObject {
  readonly openedAtMs: number
  /** Settles with the outcome of the flush. */
  readonly outcome: Promise<FlushOutcome>
  readonly settle: (outcome: FlushOutcome) => void
  /** The connections that sent the batches. */
  readonly sources = new Set<object>()
  /** The admissions of each connection whose client may wait for their answers: see closed-loops.ts. */
  readonly producers = new Map<object, number>()
  readonly #groups = new Map<string, PartitionBatches>()
  readonly #crc: Checksum
  readonly #memory: BatchMemory
  /** The memory of the batches. The writer releases it when the flush has settled. */
  readonly held = new ObjectMemory()
  #sizeBytes = 0
  #batches = 0

  constructor(openedAtMs: number, crc: Checksum, memory: BatchMemory) {
    this.openedAtMs = openedAtMs
    this.#crc = crc
    this.#memory = memory
    const { promise, resolve } = Promise.withResolvers<FlushOutcome>()
    this.outcome = promise
    this.settle = resolve
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get batches(): number {
    return this.#batches
  }

  /** The commit writes a segment row for each partition, or several for a large one. */
  get partitions(): number {
    return this.#groups.size
  }

  add(admission: Admission): BatchPlace {
    const bytes = this.#memory.copy(admission.batch, this.held)
    patchLeaderEpoch(bytes, 0, admission.epoch)
    if (admission.maxTimestamp !== undefined) setCreateTime(bytes, 0, admission.maxTimestamp, this.#crc)
    if (admission.stamp !== undefined) setLogAppendTime(bytes, 0, admission.stamp, this.#crc)
    const header = readBatchHeader(bytes, 0)
    const place: BatchPlace = { index: -1, maxTimestamp: header.maxTimestamp }
    this.#group(admission).members.push({
      bytes,
      place,
      commit: {
        topicId: admission.topicId,
        partition: admission.partition,
        epoch: admission.epoch,
        offsets: header.lastOffsetDelta + 1,
        maxTimestamp: header.maxTimestamp,
        sizeBytes: bytes.length,
        producerId: header.producerId,
        producerEpoch: header.producerEpoch,
        baseSequence: header.baseSequence,
        ...(admission.idempotency !== undefined && { idempotency: admission.idempotency }),
        ...(admission.transaction !== undefined && { transaction: admission.transaction }),
      },
    })
    this.#sizeBytes += bytes.length
    this.#batches += 1
    return place
  }

  /** Lays out the object. The caller must not add batches afterwards. */
  seal(identity: { readonly clusterId: ClusterId; readonly incarnation: Incarnation; readonly sequence: Sequence }): Flush {
    const groups = [...this.#groups.values()]
    const object = encodeObject(
      {
        ...identity,
        groups: groups.map(({ topicId, partition, epoch, members }) => ({
          topicId,
          partition,
          epoch,
          chunks: members.map(({ bytes }) => bytes),
          batches: members.length,
        })),
      },
      this.#crc,
      (batch, before = 0) => checksumAfter(before, batch, this.#crc),
    )
    const batches: CommitBatch[] = []
    for (const [index, group] of groups.entries()) {
      let byteStart = must(object.starts[index], `the start of group ${index} in the encoded object`)
      for (const { bytes, place, commit } of group.members) {
        place.index = batches.length
        batches.push({ ...commit, byteStart })
        byteStart += bytes.length
      }
    }
    return { sequence: identity.sequence, object, batches }
  }

  #group({ topicId, partition, epoch }: Admission): PartitionBatches {
    const key = `${topicId}/${partition}/${epoch}`
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const made: PartitionBatches = { topicId, partition, epoch, members: [] }
    this.#groups.set(key, made)
    return made
  }
}
