// A cluster in a database for tests: its agents, topics and flushes. Each contract of the Metadata Service runs its tests in clusters made here.
import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import type { ClusterId, Nonce, TopicId } from '../../core/ids.ts'
import { slotOfPartition } from '../../core/slots.ts'
import { systemClock, systemRandom } from '../../time/system-clock.ts'
import type {
  CommitBatch,
  CommitInput,
  CommitResult,
  MetadataStore,
  RegisterInput,
  Registration,
  Topic,
  Verdict,
} from '../metadata-store.ts'
import { type OpenedMetadata, openMetadata } from '../open.ts'
import type { Sql, TransactionOutcome } from '../sql.ts'
import type { Transactions } from '../transactions.ts'

/** A database, at first without tables. Every test creates its own cluster in it. */
export interface ContractDatabase {
  readonly sql: Sql<Transactions>
  /** Closes the handle and removes the database. */
  dispose(): Promise<void>
}

/** A new cluster with one agent, and a topic of 4 partitions. */
export interface NewCluster {
  readonly database: ContractDatabase
  readonly store: OpenedMetadata
  readonly me: Registration
  readonly topic: Topic
}

/** Opens one database for the tests of a `describe`, and passes a new cluster in it to `use` before each test. */
export function inNewClusters(open: () => Promise<ContractDatabase>, use: (cluster: NewCluster) => void): void {
  let database: ContractDatabase
  beforeAll(async () => {
    database = await open()
  })
  afterAll(() => database.dispose())
  beforeEach(async () => {
    const store = await openCluster(database.sql)
    use({ database, store, me: await registered(store, 'me'), topic: await aTopic(store, { partitions: 4 }) })
  })
}

/** A flush of the agent at its place in the chain. */
export function aCommitIn(
  { store, me, topic }: Omit<NewCluster, 'database'>,
  sequence: number,
  batches: readonly Partial<CommitBatch>[],
  more: Partial<CommitInput> = {},
): CommitInput {
  return {
    incarnation: me.incarnation,
    prev: sequence - 1,
    sequence,
    object: { sizeBytes: 1000, checksum: 7 },
    batches: laidOut(batches.map((batch) => aBatch(topic, me, store, batch))),
    producerIdExpirationMs: day,
    ...more,
  }
}

export const day = 86_400_000
export const outOfOrder: Verdict = { kind: 'rejected', reason: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }
export const appended = (baseOffset: number): Verdict => ({ kind: 'appended', baseOffset })

export function openCluster(sql: Sql<Transactions>): Promise<OpenedMetadata> {
  return openMetadata(sql, { clusterId: randomUUID(), newClusterId: 'never used' as ClusterId, clock: systemClock, random: systemRandom })
}

/** Opens the cluster again, through another handle. */
export function reopened(
  { clusterId }: Pick<OpenedMetadata, 'clusterId'>,
  sql: Sql<Transactions>,
  more: Pick<Parameters<typeof openMetadata>[1], 'limits'> = {},
): Promise<OpenedMetadata> {
  return openMetadata(sql, { clusterId, newClusterId: 'never used' as ClusterId, clock: systemClock, random: systemRandom, ...more })
}

export function anAgent(agent: string, fences: RegisterInput['fences'] = []): RegisterInput {
  return { agent, nonce: aNonce(), advertised: { host: 'localhost', port: 9092 }, machine: 'laptop', rack: null, fences }
}

/** Registers an agent under a name without an active incarnation, except for those that it fences. */
export async function registered(
  { members }: Pick<MetadataStore, 'members'>,
  agent: string,
  fences: RegisterInput['fences'] = [],
): Promise<Registration> {
  const result = await members.register(anAgent(agent, fences))
  if (result.kind !== 'registered') throw new Error(`the lease of '${agent}' is held`)
  return result
}

export function aNonce(): Nonce {
  return randomBytes(8).toString('hex')
}

export function aTopicId(): TopicId {
  return randomBytes(16).toString('base64url')
}

export function newTopic(more: { name?: string; partitions?: number; configs?: Record<string, string>; dryRun?: boolean } = {}) {
  return { topicId: aTopicId(), name: 'topic', partitions: 1, configs: {}, dryRun: false, ...more }
}

export async function aTopic(store: OpenedMetadata, more: Parameters<typeof newTopic>[0] = {}): Promise<Topic> {
  const result = await store.topics.create(newTopic(more))
  if (result.kind !== 'created') throw new Error(`not created: ${result.kind}`)
  return result.topic
}

/** One record of 100 bytes for partition 0, under the epoch of its slot. */
export function aBatch(topic: Topic, { slots }: Registration, store: OpenedMetadata, more: Partial<CommitBatch> = {}): CommitBatch {
  const slot = slotOfPartition(topic.topicId, more.partition ?? 0, store.slots)
  return {
    topicId: topic.topicId,
    partition: 0,
    epoch: slots[slot]?.epoch ?? -1,
    offsets: 1,
    maxTimestamp: 1,
    byteStart: 0,
    sizeBytes: 100,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
    ...more,
  }
}

/** The batches lie one after another in the object. */
export function laidOut(batches: readonly CommitBatch[]): readonly CommitBatch[] {
  let byteStart = 0
  return batches.map((batch) => ({ ...batch, byteStart: (byteStart += batch.sizeBytes) - batch.sizeBytes }))
}

export async function committed(outcome: Promise<{ kind: string; result?: CommitResult }>): Promise<CommitResult> {
  const { kind, result } = await outcome
  if (result === undefined) throw new Error(`not committed: ${kind}`)
  return result
}

/** The database runs everything, but the answers to the `next` calls are lost. */
export class LostReplies implements Sql<Transactions> {
  readonly #sql: Sql<Transactions>
  readonly lost: unknown[] = []
  next = 0

  constructor(sql: Sql<Transactions>) {
    this.#sql = sql
  }

  async run(...call: Parameters<Sql<Transactions>['run']>): Promise<never> {
    const outcome: TransactionOutcome<unknown> = await this.#sql.run(...call)
    if (this.next === 0) return outcome as never
    this.next -= 1
    this.lost.push(outcome.kind === 'committed' ? outcome.value : outcome)
    return { kind: 'unknown', error: new Error('the answer was lost') } as never
  }

  close(): Promise<void> {
    return this.#sql.close()
  }
}
