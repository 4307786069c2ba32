// A chain of commits to the partitions of a topic in its own cluster, made directly at the database: the metadata half of a flush, without an object.
import { randomBytes, randomUUID } from 'node:crypto'
import { must } from '../../core/assert.ts'
import { slotOfPartition } from '../../core/slots.ts'
import { systemClock, systemRandom } from '../../time/system-clock.ts'
import type { CommitBatch, CommitInput, CommitOutcome } from '../metadata-store.ts'
import { type OpenedMetadata, openMetadata } from '../open.ts'
import type { Sql } from '../sql.ts'
import type { Transactions } from '../transactions.ts'

export interface CommittingChain {
  readonly store: OpenedMetadata
  /** The number of acknowledged commits. */
  readonly committed: number
  /** Makes the next commit in the chain; the same one again until it is committed. It has batches of one record in the first partitions: one in one by default. */
  commit(size?: { readonly partitions?: number; readonly batchesInEach?: number }): Promise<CommitOutcome>
  /** The high watermark of the first partition, by a primary read. */
  highWatermark(): Promise<number | undefined>
}

const partitionCount = 100

export async function committingChain(sql: Sql<Transactions>): Promise<CommittingChain> {
  const store = await openMetadata(sql, { newClusterId: randomUUID(), clock: systemClock, random: systemRandom })
  const nonce = randomBytes(8).toString('hex')
  const advertised = { host: 'localhost', port: 9092 }
  const registration = await store.members.register({ agent: 'me', nonce, advertised, machine: null, rack: null, fences: 'all' })
  if (registration.kind !== 'registered') throw new Error('everything is fenced, and still a lease is held')
  const { incarnation, slots } = registration
  const topicId = randomBytes(16).toString('base64url')
  await store.topics.create({ topicId, name: topicId, partitions: partitionCount, configs: {}, dryRun: false })
  const epochs = new Map(slots.map(({ slot, epoch }) => [slot, epoch]))
  const batch = (partition: number, at: number): CommitBatch => ({
    topicId,
    partition,
    epoch: must(epochs.get(slotOfPartition(topicId, partition, store.slots)), 'the epoch of a slot'),
    offsets: 1,
    maxTimestamp: 1,
    byteStart: at * 100,
    sizeBytes: 100,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
  })
  let committed = 0
  return {
    store,
    get committed() {
      return committed
    },
    async commit({ partitions = 1, batchesInEach = 1 } = {}) {
      const batches = Array.from({ length: partitions * batchesInEach }, (_, at) => batch(Math.floor(at / batchesInEach), at))
      const outcome = await store.log.commit({
        incarnation,
        prev: committed,
        sequence: committed + 1,
        object: { sizeBytes: batches.length * 100, checksum: 7 },
        batches,
        producerIdExpirationMs: 1_000_000,
      } satisfies CommitInput)
      if (outcome.kind === 'committed') committed += 1
      return outcome
    },
    async highWatermark() {
      const [state] = await store.log.partitions([{ topicId, partition: 0 }])
      return state?.highWatermark
    },
  }
}
