// A chain of commits to one partition of its own cluster, made directly at the database: the metadata half of a flush, without an object.
import { randomBytes, randomUUID } from 'node:crypto'
import { slotOfPartition } from '../../core/slots.ts'
import { systemClock, systemRandom } from '../../time/system-clock.ts'
import type { CommitBatch, CommitInput, CommitOutcome } from '../metadata-store.ts'
import { type OpenedMetadata, openMetadata } from '../open.ts'
import type { Sql } from '../sql.ts'
import type { Transactions } from '../transactions.ts'

export interface CommittingChain {
  readonly store: OpenedMetadata
  /** The number of acknowledged commits; each has as many offsets as batches. */
  readonly committed: number
  /** Makes the next commit in the chain; the same one again until it is committed. */
  commit(batches?: number): Promise<CommitOutcome>
  /** The high watermark, by a primary read. */
  highWatermark(): Promise<number | undefined>
}

export async function committingChain(sql: Sql<Transactions>): Promise<CommittingChain> {
  const store = await openMetadata(sql, { newClusterId: randomUUID(), clock: systemClock, random: systemRandom })
  const nonce = randomBytes(8).toString('hex')
  const advertised = { host: 'localhost', port: 9092 }
  const registration = await store.members.register({ agent: 'me', nonce, advertised, machine: null, fences: 'all' })
  if (registration.kind !== 'registered') throw new Error('everything is fenced, and still a lease is held')
  const { incarnation, slots } = registration
  const topicId = randomBytes(16).toString('base64url')
  await store.topics.create({ topicId, name: topicId, partitions: 1, configs: {}, dryRun: false })
  const slot = slotOfPartition(topicId, 0, store.slots)
  const epoch = slots.find((one) => one.slot === slot)?.epoch ?? -1
  const batch = (at: number): CommitBatch => ({
    topicId,
    partition: 0,
    epoch,
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
    async commit(batches = 1) {
      const outcome = await store.log.commit({
        incarnation,
        prev: committed,
        sequence: committed + 1,
        object: { sizeBytes: batches * 100, checksum: 7 },
        batches: Array.from({ length: batches }, (_, at) => batch(at)),
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
