// The normal form of an answer: what differs between two servers by its nature becomes a word, so that everything else can be compared exactly.
// Identities are kept: one topic, member or producer has one word throughout a row.
import { attributeBits, batchSizeAt, readBatchHeader, readRecords, zeroUuid } from '@local-kafka-service/protocol'
import { nodeCodecs } from '../../../packages/agent/src/codecs.ts'
import type { ComparedServer, RecordedExchange } from './conversation.ts'

export type Normal = string | number | boolean | null | readonly Normal[] | { readonly [field: string]: Normal }

export interface NormalExchange {
  readonly request: string
  readonly answer: Normal
}

export interface Speaker {
  readonly server: ComparedServer
  readonly transcript: readonly RecordedExchange[]
  readonly topicIds: ReadonlyMap<string, string>
}

export function normalTranscript(speaker: Speaker): readonly NormalExchange[] {
  const topicIds = new Map(speaker.topicIds)
  for (const { answer } of speaker.transcript) learn(answer, topicIds)
  const form = new NormalForm({ ...speaker, topicIds })
  return speaker.transcript.map(({ request, answer }) => ({ request, answer: form.of(answer, '') }))
}

/** A topic that an answer names with its id is known throughout the row. */
function learn(value: unknown, topicIds: Map<string, string>): void {
  if (Array.isArray(value)) for (const element of value) learn(element, topicIds)
  else if (isObject(value as Normal)) {
    const { name, topicId } = value as { readonly name?: unknown; readonly topicId?: unknown }
    if (typeof name === 'string' && name !== '' && typeof topicId === 'string' && topicId !== zeroUuid && !topicIds.has(topicId))
      topicIds.set(topicId, name)
    for (const element of Object.values(value as object)) learn(element, topicIds)
  }
}

type Normalization = (value: unknown, form: NormalForm) => Normal | undefined

/** By the field's name in every answer, with the reason; undefined leaves the value as it is. */
const rules: Readonly<Record<string, Normalization>> = {
  // A time of the server's own; no row uses quotas.
  throttleTimeMs: () => 'throttle',
  // Each server listens on a free port, and numbers itself.
  port: (value, { server }) => (value === server.port ? 'its port' : undefined),
  // One is configured to advertise an address, the other advertises the name that the client probably used.
  host: (value) => (value === '127.0.0.1' || value === 'localhost' ? 'its host' : undefined),
  nodeId: node,
  brokerId: node,
  leaderId: node,
  controllerId: node,
  clusterId: (value, { server }) => (value === server.clusterId ? 'its cluster' : undefined),
  // Kafka counts elections of the partition, this server epochs of the slot's owner. -1 means none on both.
  leaderEpoch: epoch,
  committedLeaderEpoch: epoch,
  epoch,
  // Made at random by each server.
  topicId: (value, form) => form.topic(value),
  producerId: (value, form) => (value === -1 ? undefined : form.identity('producer', value)),
  sessionId: (value, form) => (value === 0 ? undefined : form.identity('session', value)),
  // The clock of the append; -1 means CreateTime on both.
  logAppendTimeMs: (value) => (value === -1 ? undefined : 'a time'),
  // The clock at the begin of a transaction; -1 and 0 mean none.
  transactionStartTimeMs: (value) => (typeof value === 'number' && value > 0 ? 'a time' : undefined),
  // The last batch of a producer has the rows' old time, a marker that of the clock.
  lastTimestamp: clock,
  // The same in ListOffsets.
  timestamp: clock,
  // Kafka counts records of its metadata log.
  finalizedFeaturesEpoch: (value) => (value === -1 ? undefined : 'an epoch'),
}

/** The records of the rows are from 2023. */
const clockFrom = Date.UTC(2024, 0)

/** Lists of nodes. */
const nodeLists = new Set(['replicaNodes', 'isrNodes', 'offlineReplicas', 'eligibleLeaderReplicas', 'lastKnownElr'])

/** What names an element of a list: Kafka answers in the order of a hash table, so lists of such elements are compared by name. */
const keys = [
  'name',
  'topic',
  'topicName',
  'topicId',
  'partitionIndex',
  'partitionId',
  'partition',
  'index',
  'groupId',
  'transactionalId',
  'key',
  'apiKey',
  'resourceName',
  'memberId',
  'brokerId',
  'nodeId',
]

/** A random UUID in a member id, which both servers write behind the client id. */
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** The clock of the append with the topic's limits around it, in errors about timestamps. */
const timeRange = /within \[-?\d+, \d+\]/

class NormalForm {
  readonly server: ComparedServer
  readonly #topicIds: ReadonlyMap<string, string>
  readonly #identities = new Map<string, string>()
  readonly #counts = new Map<string, number>()

  constructor({ server, topicIds }: Speaker) {
    this.server = server
    this.#topicIds = topicIds
  }

  of(value: unknown, field: string): Normal {
    const ruled = rules[field]?.(value, this)
    if (ruled !== undefined) return ruled
    if (value instanceof Uint8Array) return field === 'records' ? this.#batches(value) : `0x${Buffer.from(value).toString('hex')}`
    if (Array.isArray(value)) return this.#list(value, field)
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, this.of(of, name)]))
    }
    if (typeof value === 'bigint') return Number(value)
    if (typeof value === 'string') return this.#text(value)
    // The cast: a decoded answer has no other values.
    return value as Normal
  }

  /** The word of a thing that each server names at random: numbered by first appearance. */
  identity(kind: string, value: unknown): string {
    const key = `${kind} ${String(value)}`
    const known = this.#identities.get(key)
    if (known !== undefined) return known
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    const word = `${kind} ${count}`
    this.#identities.set(key, word)
    return word
  }

  topic(value: unknown): Normal | undefined {
    if (typeof value !== 'string' || value === zeroUuid) return undefined
    const name = this.#topicIds.get(value)
    return name === undefined ? undefined : `id of ${name}`
  }

  #list(list: readonly unknown[], field: string): Normal {
    if (nodeLists.has(field)) return list.map((value) => node(value, this) ?? (value as Normal))
    const normal = list.map((value) => this.of(value, field))
    return keys.some((key) => isObject(normal[0]) && key in normal[0]) ? sorted(normal) : normal
  }

  #text(value: string): string {
    let text = value.replaceAll(uuid, (found) => this.identity('uuid', found)).replace(timeRange, 'within its times')
    for (const [id, name] of this.#topicIds) text = text.replaceAll(id, `id of ${name}`)
    return text
  }

  /** Batches by what is in them; the leader epoch is the server's, and so is the time of the append. */
  #batches(bytes: Uint8Array): Normal {
    const batches: Normal[] = []
    for (let at = 0; at < bytes.length; ) {
      const size = batchSizeAt(bytes, at)
      if (size === undefined || at + size > bytes.length) {
        batches.push('a part of a batch')
        break
      }
      const { baseOffset, attributes, lastOffsetDelta, baseTimestamp, producerId, producerEpoch, baseSequence, ...header } =
        readBatchHeader(bytes, at)
      // The server writes control batches: the markers of transactions.
      const isControl = (attributes & attributeBits.control) !== 0
      const isStamped = isControl || (attributes & attributeBits.logAppendTime) !== 0
      const maxTimestamp = isStamped ? 'a time' : header.maxTimestamp
      const records = [...readRecords(bytes, at, nodeCodecs, bytes.length * 100)].map(({ offsetDelta, timestamp, key, value }) => ({
        offsetDelta,
        timestamp: isStamped ? 'a time' : timestamp,
        key: this.of(key, 'recordKey'),
        value: isControl ? 'a version and an epoch' : this.of(value, 'recordValue'),
      }))
      const producer = producerId === -1 ? -1 : this.identity('producer', producerId)
      batches.push({
        baseOffset,
        attributes,
        lastOffsetDelta,
        baseTimestamp: isControl ? 'a time' : baseTimestamp,
        maxTimestamp,
        producerId: producer,
        producerEpoch,
        baseSequence,
        records,
      })
      at += size
    }
    return batches
  }
}

function clock(value: unknown): Normal | undefined {
  return typeof value === 'number' && value > clockFrom ? 'a time' : undefined
}

function node(value: unknown, { server }: NormalForm): Normal | undefined {
  return value === server.nodeId ? 'its node' : undefined
}

function epoch(value: unknown): Normal | undefined {
  return typeof value === 'number' && value >= 0 ? 'an epoch' : undefined
}

function sorted(list: readonly Normal[]): readonly Normal[] {
  return list
    .map((element) => ({ element, key: keyOf(element) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ element }) => element)
}

/** Exported for comparing lists: the element's name, '' when it has none. */
export function keyOf(element: Normal): string {
  if (!isObject(element)) return ''
  // An answer by id has an empty name beside it.
  const named = keys.find((key) => key in element && element[key] !== null && (element[key] !== '' || !('topicId' in element)))
  const name = named === undefined ? '' : element[named]
  return typeof name === 'number' ? String(name).padStart(4, '0') : typeof name === 'string' ? name : JSON.stringify(name)
}

export function isObject(value: Normal | undefined): value is { readonly [field: string]: Normal } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
