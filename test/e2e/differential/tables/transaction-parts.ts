// A transactional producer as the rows about transactions use it: each step without a trace in the transcript, and done when it returns.
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  attributeBits,
  DescribeTransactions,
  EndTxn,
  FindCoordinator,
  InitProducerId,
  Produce,
  type RequestInputOf,
  TxnOffsetCommit,
} from '@local-kafka-service/protocol'
import type { Conversation } from '../conversation.ts'
import { batch, logTopic, named } from './parts.ts'

export interface Producer {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

export const timeoutMs = 60_000

/** The records are years older than the markers: Kafka would begin a new segment file between them, and answer a fetch from one file only. */
export async function transactionTopic(with_: Conversation, partitions = 1): Promise<string> {
  return await logTopic(with_, { partitions, configs: { 'segment.ms': String(1_000 * 365 * 86_400_000) } })
}

/** A producer of its own, with epoch 0 if the id is new. */
export async function producerOf(with_: Conversation, word = 'tx', transactionTimeoutMs = timeoutMs): Promise<Producer> {
  const transactionalId = with_.name(word)
  const request = { transactionalId, transactionTimeoutMs }
  // Over an open transaction Kafka aborts it first, and asks the client to come back.
  const { producerId, producerEpoch } = await with_.until(InitProducerId, request, ({ errorCode }) => errorCode === 0)
  return { transactionalId, producerId, producerEpoch }
}

export const unknownTransactionalId = 'a transactional id that is not there'

/** Producers that are not the one that may write, by words; the last epoch is that before an InitProducerId. */
export const others: readonly (readonly [words: string, of: (producer: Producer) => Producer])[] = [
  ['the last epoch', (producer) => ({ ...producer, producerEpoch: producer.producerEpoch - 1 })],
  ['an older epoch', (producer) => ({ ...producer, producerEpoch: producer.producerEpoch - 2 })],
  ['an epoch that is to come', (producer) => ({ ...producer, producerEpoch: producer.producerEpoch + 1 })],
  ['another producer id', (producer) => ({ ...producer, producerId: 1_000_077 })],
  [unknownTransactionalId, (producer) => ({ ...producer, transactionalId: `${producer.transactionalId}-missing` })],
]

/** The producer has epoch 2. */
export async function thirdProducer(with_: Conversation): Promise<Producer> {
  await producerOf(with_)
  await producerOf(with_)
  return await producerOf(with_)
}

/** Kafka answers EndTxn before it has written the markers. */
export async function settled(with_: Conversation, { transactionalId }: Producer): Promise<void> {
  await with_.until(DescribeTransactions, { transactionalIds: [transactionalId] }, ({ transactionStates: [found] }) => {
    return found?.transactionState.startsWith('Prepare') === false
  })
}

/** A transaction is open, and has partition 0 of the topic. */
export async function added(with_: Conversation, producer: Producer, name: string): Promise<void> {
  const {
    resultsByTopicV3AndBelow: [topic],
  } = await with_.ask(AddPartitionsToTxn, adding(producer, [[name, [0]]]), { version: 3 })
  expectNone('AddPartitionsToTxn', topic?.resultsByPartition[0]?.partitionErrorCode)
}

export async function groupAdded(with_: Conversation, producer: Producer, groupId: string): Promise<void> {
  expectNone('AddOffsetsToTxn', (await with_.ask(AddOffsetsToTxn, { ...producer, groupId })).errorCode)
}

/** A record of the transaction in partition 0, which the transaction gets if it does not have it. */
export async function written(with_: Conversation, producer: Producer, name: string, baseSequence = 0): Promise<void> {
  const { responses } = await with_.ask(Produce, producing(with_, producer, { name, baseSequence, version: Produce.versions[1] }))
  expectNone('Produce', responses[0]?.partitionResponses[0]?.errorCode)
}

/** Offset 7 of partition 0, pending in the transaction. */
export async function offsetsSent(with_: Conversation, producer: Producer, name: string): Promise<void> {
  const { topics } = await with_.ask(TxnOffsetCommit, offsetsOf(with_, producer, name))
  expectNone('TxnOffsetCommit', topics[0]?.partitions[0]?.errorCode)
}

/** EndTxn 5: the producer has the next epoch. */
export async function ended(with_: Conversation, producer: Producer, committed: boolean): Promise<Producer> {
  const { errorCode, producerId, producerEpoch } = await with_.ask(EndTxn, { ...producer, committed })
  expectNone('EndTxn', errorCode)
  await settled(with_, producer)
  return { ...producer, producerId, producerEpoch }
}

/** EndTxn 4: the epoch stays. */
export async function endedAsBefore(with_: Conversation, producer: Producer, committed: boolean): Promise<void> {
  expectNone('EndTxn 4', (await with_.ask(EndTxn, { ...producer, committed }, { version: 4 })).errorCode)
  await settled(with_, producer)
}

/** AddPartitionsToTxn of a client, 0 to 3. */
export function adding(
  { transactionalId, producerId, producerEpoch }: Producer,
  topics: readonly (readonly [name: string, partitions: readonly number[]])[],
): RequestInputOf<typeof AddPartitionsToTxn> {
  return {
    v3AndBelowTransactionalId: transactionalId,
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: topics.map(([name, partitions]) => ({ name, partitions })),
  }
}

interface Record {
  readonly name: string
  readonly partitions?: readonly number[]
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  /** In place of the producer's own; null leaves it out. */
  readonly requestOf?: string | null
  readonly version?: number
}

/** Produce with one record for each partition. */
export function producing(
  with_: Conversation,
  { transactionalId, producerId: id, producerEpoch: epoch }: Producer,
  { name, partitions = [0], baseSequence = 0, isTransactional = true, requestOf = transactionalId, version = with_.version }: Record,
): RequestInputOf<typeof Produce> {
  const records = batch(1, {
    ...(isTransactional && { attributes: attributeBits.transactional }),
    producer: { id, epoch, baseSequence },
  })
  const partitionData = partitions.map((index) => ({ index, records }))
  const topicData = [{ ...named('name', 13, { with_, name, version }), partitionData }]
  return { transactionalId: requestOf, acks: -1, timeoutMs: 10_000, topicData }
}

interface PendingOffsets {
  readonly groupId?: string
  readonly partitions?: readonly number[]
  readonly member?: { readonly memberId: string; readonly generationId: number; readonly groupInstanceId?: string }
}

export function offsetsOf(
  with_: Conversation,
  producer: Producer,
  name: string,
  { groupId = with_.name('group'), partitions = [0], member }: PendingOffsets = {},
): RequestInputOf<typeof TxnOffsetCommit> {
  const offsets = partitions.map((partitionIndex) => ({ partitionIndex, committedOffset: 7, committedMetadata: 'm' }))
  return { ...producer, groupId, ...member, topics: [{ name, partitions: offsets }] }
}

/** Kafka creates its log of transactional ids at their first use. */
export async function warmTransactions(with_: Conversation): Promise<void> {
  const asked = { keyType: 1, coordinatorKeys: [with_.name('tx')] }
  await with_.until(FindCoordinator, asked, ({ coordinators: [first] }) => first?.errorCode === 0)
  await producerOf(with_)
}

function expectNone(step: string, errorCode: number | undefined): void {
  if (errorCode !== 0) throw new Error(`${step} was rejected: ${errorCode}`)
}
