// The object that is being filled: it copies batches into its own memory, keeps them grouped by partition, and says how large and how old it is.
import { patchLeaderEpoch, readBatchHeader, setCreateTime, setLogAppendTime } from '@local-kafka-service/protocol'
import type { Checksum } from '../core/checksum.ts'
import type { ClusterId, Incarnation, Sequence, TopicId } from '../core/ids.ts'
import type { Flush, FlushOutcome } from '../flush/chain.ts'
import type { CommitBatch } from '../metadata/metadata-store.ts'
import { encodeObject } from '../objects/object-format.ts'
import type { BatchMemory } from './batch-memory.ts'

/** One validated record batch on its way in. */
export interface Admission {
  readonly topicId: TopicId
  readonly partition: number
  /** The slot's epoch as this agent believes it; written into the batch, required by the commit. */
  readonly epoch: number
  /** Exactly one v2 batch. Copied: the caller may reuse the memory. */
  readonly batch: Uint8Array
  /** Set for LogAppendTime: milliseconds since the epoch. */
  readonly stamp?: number
  /** Set where the header contradicts the records of a CreateTime batch: their largest timestamp. */
  readonly maxTimestamp?: number
  readonly idempotency?: { readonly key: string; readonly bodyHash: string; readonly timestamp: number }
}

/** Where an admitted batch stands in its flush. */
export interface Place {
  /** Its index among the flush's batches, known when the object is sealed. */
  index: number
  readonly maxTimestamp: number
}

interface Group {
  readonly topicId: TopicId
  readonly partition: number
  readonly epoch: number
  readonly members: { readonly bytes: Uint8Array; readonly place: Place; readonly commit: Omit<CommitBatch, 'byteStart'> }[]
}

export class OpenObject {
  readonly openedAtMs: number
  /** Settles with the flush's fate. */
  readonly outcome: Promise<FlushOutcome>
  readonly settle: (outcome: FlushOutcome) => void
  /** The connections that batches came in by. */
  readonly sources = new Set<object>()
  readonly #groups = new Map<string, Group>()
  readonly #crc: Checksum
  readonly #memory: BatchMemory
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

  /** Each becomes a segment row, or several where it is large. */
  get partitions(): number {
    return this.#groups.size
  }

  add(admission: Admission): Place {
    const bytes = this.#memory.copy(admission.batch)
    patchLeaderEpoch(bytes, 0, admission.epoch)
    if (admission.maxTimestamp !== undefined) setCreateTime(bytes, 0, admission.maxTimestamp, this.#crc)
    if (admission.stamp !== undefined) setLogAppendTime(bytes, 0, admission.stamp, this.#crc)
    const header = readBatchHeader(bytes, 0)
    const place: Place = { index: -1, maxTimestamp: header.maxTimestamp }
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
      },
    })
    this.#sizeBytes += bytes.length
    this.#batches += 1
    return place
  }

  /** Lays the object out. Nothing may be added afterwards. */
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
    )
    const batches: CommitBatch[] = []
    for (const [index, group] of groups.entries()) {
      let byteStart = object.starts[index] ?? 0
      for (const { bytes, place, commit } of group.members) {
        place.index = batches.length
        batches.push({ ...commit, byteStart })
        byteStart += bytes.length
      }
    }
    return { sequence: identity.sequence, object, batches }
  }

  #group({ topicId, partition, epoch }: Admission): Group {
    const key = `${topicId}/${partition}/${epoch}`
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const made: Group = { topicId, partition, epoch, members: [] }
    this.#groups.set(key, made)
    return made
  }
}
