// The summary of a request in one short line: never contains its records.

import type { InterceptedRequest } from '@local-kafka-service/agent'
import {
  type AddOffsetsToTxnRequest,
  type AddPartitionsToTxnRequest,
  type ApiVersionsRequest,
  batchSizeAt,
  type CreateTopicsRequest,
  type EndTxnRequest,
  type FetchRequest,
  type FindCoordinatorRequest,
  type HeartbeatRequest,
  type InitProducerIdRequest,
  type JoinGroupRequest,
  type LeaveGroupRequest,
  type ListOffsetsRequest,
  type MetadataRequest,
  type OffsetCommitRequest,
  type OffsetFetchRequest,
  type ProduceRequest,
  readBatchHeader,
  type SyncGroupRequest,
  type TxnOffsetCommitRequest,
} from '@local-kafka-service/protocol'

const listed = 8
const longest = 300

/** At most 300 characters. */
export function summaryOf(asked: Pick<InterceptedRequest, 'api' | 'body' | 'topics' | 'nameOf'>): string {
  const describe = describers[asked.api] ?? ((body) => (Object.keys(body).length === 0 ? '' : fieldsOf(body)))
  const words = describe(asked.body, asked)
  return words.length <= longest ? words : `${words.slice(0, longest - 1)}…`
}

type Names = Pick<InterceptedRequest, 'topics' | 'nameOf'>
type Teller = (body: object, names: Names) => string

/** The casts are for decoded messages: each is beside the name of its API. */
const describers: Readonly<Record<string, Teller>> = {
  Produce: (body, names) => produce(body as ProduceRequest, names),
  Fetch: (body, names) => fetch(body as FetchRequest, names),
  ListOffsets: (body) =>
    some(
      (body as ListOffsetsRequest).topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, timestamp }) => `${name}[${partitionIndex}] ${timestampWords(timestamp)}`),
      ),
    ),
  Metadata: (body, { topics }) =>
    (body as MetadataRequest).topics === null ? 'all topics' : topics.length === 0 ? 'no topics' : some(topics),
  FindCoordinator(body) {
    const { key, keyType, coordinatorKeys } = body as FindCoordinatorRequest
    return `${keyType === 0 ? 'group' : 'transactional id'} ${some(coordinatorKeys.length > 0 ? coordinatorKeys : [key])}`
  },
  JoinGroup(body) {
    const { groupId, memberId, groupInstanceId, protocols, sessionTimeoutMs } = body as JoinGroupRequest
    const who = memberId === '' ? 'a new member' : memberId
    const fixed = groupInstanceId === null ? '' : `, instance ${groupInstanceId}`
    return `group ${groupId} as ${who}${fixed}; ${some(protocols.map(({ name }) => name))}; session ${sessionTimeoutMs} ms`
  },
  SyncGroup(body) {
    const { groupId, memberId, generationId, assignments } = body as SyncGroupRequest
    const brings = assignments.length === 0 ? '' : `; assigns ${assignments.length} members`
    return `group ${groupId} as ${memberId}, generation ${generationId}${brings}`
  },
  Heartbeat(body) {
    const { groupId, memberId, generationId } = body as HeartbeatRequest
    return `group ${groupId} as ${memberId}, generation ${generationId}`
  },
  LeaveGroup(body) {
    const { groupId, memberId, members } = body as LeaveGroupRequest
    return `group ${groupId}: ${some(members.length > 0 ? members.map((member) => member.groupInstanceId ?? member.memberId) : [memberId])}`
  },
  OffsetCommit(body, names) {
    const { groupId, topics } = body as OffsetCommitRequest
    return `group ${groupId}: ${some(
      topics.flatMap(({ name, topicId, partitions }) =>
        partitions.map(
          ({ partitionIndex, committedOffset }) => `${topicName(name, topicId, names)}[${partitionIndex}]=${numberWords(committedOffset)}`,
        ),
      ),
    )}`
  },
  OffsetFetch(body, { topics }) {
    const { groupId, groups } = body as OffsetFetchRequest
    const asked = groups.length === 0 ? [groupId] : groups.map((group) => group.groupId)
    return `group ${some(asked)}: ${topics.length === 0 ? 'all topics' : some(topics)}`
  },
  ApiVersions(body) {
    const { clientSoftwareName, clientSoftwareVersion } = body as ApiVersionsRequest
    return clientSoftwareName === '' ? '' : `${clientSoftwareName} ${clientSoftwareVersion}`
  },
  InitProducerId(body) {
    const { transactionalId, producerId } = body as InitProducerIdRequest
    return transactionalId === null ? (producerId < 0 ? 'a new producer' : `producer ${producerId}`) : `transactional id ${transactionalId}`
  },
  AddPartitionsToTxn(body) {
    const { transactions, v3AndBelowTransactionalId } = body as AddPartitionsToTxnRequest
    return `transactional id ${some(transactions.length > 0 ? transactions.map((one) => one.transactionalId) : [v3AndBelowTransactionalId])}`
  },
  AddOffsetsToTxn(body) {
    const { transactionalId, groupId } = body as AddOffsetsToTxnRequest
    return `transactional id ${transactionalId}: group ${groupId}`
  },
  TxnOffsetCommit(body) {
    const { transactionalId, groupId } = body as TxnOffsetCommitRequest
    return `transactional id ${transactionalId}: group ${groupId}`
  },
  EndTxn(body) {
    const { transactionalId, committed } = body as EndTxnRequest
    return `transactional id ${transactionalId}: ${committed ? 'commit' : 'abort'}`
  },
  CreateTopics: (body) =>
    some((body as CreateTopicsRequest).topics.map(({ name, numPartitions }) => `${name} with ${numPartitions} partitions`)),
}

function produce({ acks, transactionalId, topicData }: ProduceRequest, names: Names): string {
  const parts = topicData.flatMap(({ name, topicId, partitionData }) =>
    partitionData.map(({ index, records }) => `${topicName(name, topicId, names)}[${index}] ${batchWords(records)}`),
  )
  return `${some(parts)}; acks=${acks}${transactionalId === null ? '' : `; transactional id ${transactionalId}`}`
}

function batchWords(records: Uint8Array | null): string {
  if (records === null || records.length === 0) return 'no records'
  // Older formats and invalid bytes arrive here unchanged: they are rejected later.
  if (batchSizeAt(records, 0) === undefined || records.length < headerBytes || records[magicAt] !== 2) return `${records.length} bytes`
  const { recordCount, producerId, producerEpoch, baseSequence } = readBatchHeader(records, 0)
  const producer = producerId < 0 ? '' : `, producer ${producerId} epoch ${producerEpoch} sequence ${baseSequence}`
  return `${recordCount} ${recordCount === 1 ? 'record' : 'records'}, ${records.length} bytes${producer}`
}

const headerBytes = 61
const magicAt = 16

function fetch({ topics, maxWaitMs, minBytes, sessionId }: FetchRequest, names: Names): string {
  const parts = topics.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(({ partition, fetchOffset }) => `${topicName(topic, topicId, names)}[${partition}] from ${numberWords(fetchOffset)}`),
  )
  const unchanged = parts.length === 0 ? (sessionId === 0 ? 'nothing' : `session ${sessionId} as it was`) : some(parts)
  return `${unchanged}; waits ${maxWaitMs} ms for ${minBytes} bytes`
}

/** An int64 beyond 2^53 is decoded to the nearest safe integer, so its exact value is unknown. */
function numberWords(value: number): string {
  if (Math.abs(value) !== Number.MAX_SAFE_INTEGER) return String(value)
  return value < 0 ? `${value} or less` : `${value} or more`
}

function timestampWords(timestamp: number): string {
  return timestamp === -1 ? 'latest' : timestamp === -2 ? 'earliest' : `at ${numberWords(timestamp)}`
}

/** A message names topics by name or, in newer versions, by id. */
function topicName(name: string, topicId: string, { nameOf }: Names): string {
  return name === '' ? (nameOf(topicId) ?? topicId) : name
}

function some(words: readonly string[]): string {
  const shown = words.slice(0, listed).join(', ')
  return words.length <= listed ? shown : `${shown} and ${words.length - listed} more`
}

/** Any other message: its fields by name, without empty ones. */
function fieldsOf(value: object): string {
  return Object.entries(value)
    .filter(([, inner]) => !saysNothing(inner))
    .map(([field, inner]) => `${field}=${valueWords(inner)}`)
    .join(' ')
}

function saysNothing(value: unknown): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

function valueWords(value: unknown): string {
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  if (Array.isArray(value)) return `[${some(value.map(valueWords))}]`
  if (typeof value === 'object' && value !== null) return `{${fieldsOf(value)}}`
  if (typeof value === 'number') return numberWords(value)
  return String(value)
}
