// A whole agent in memory. Tests send real frames through its dispatch, and get the answers of a client without a socket.
import { randomUUID } from 'node:crypto'
import {
  type Api,
  buildBatch,
  type DecodedResponseOf,
  decodeResponse,
  encodeRequest,
  type NewBatch,
  type RequestInputOf,
  readBatchHeader,
} from '@local-kafka-service/protocol'
import { type Agent, buildAgent } from '../../agent.ts'
import { nativeCrc32c, nodeCodecs, remoteCodecs, remotePackers } from '../../codecs.ts'
import { slotOfPartition } from '../../core/slots.ts'
import { defaultLimits, type Limits } from '../../limits.ts'
import { CodecThread } from '../../memory/codec-thread.ts'
import { aPool } from '../../memory/testing/a-pool.ts'
import type { RemoteCodecs } from '../../memory/unpacker.ts'
import type { MetadataStore } from '../../metadata/metadata-store.ts'
import { openMetadata } from '../../metadata/open.ts'
import type { Sql } from '../../metadata/sql.ts'
import { openSqlite } from '../../metadata/sqlite.ts'
import type { Transactions } from '../../metadata/transactions.ts'
import { dispatcher } from '../../net/dispatch.ts'
import { handle, type Peer } from '../../net/exchange.ts'
import { FramePin } from '../../net/frame-pin.ts'
import type { Network } from '../../net/network.ts'
import { MemoryObjects } from '../../objects/adapters/memory.ts'
import type { ObjectStore } from '../../objects/object-store.ts'
import type { AgentEvent } from '../../observe/events.ts'
import type { Services } from '../../services.ts'
import { settings } from '../../settings.ts'
import type { Clock } from '../../time/clock.ts'
import { systemClock, systemRandom } from '../../time/system-clock.ts'
import { handlers } from '../index.ts'

export interface AgentForTests extends AsyncDisposable {
  readonly agent: Agent
  readonly services: Services
  readonly metadata: MetadataStore
  readonly objects: MemoryObjects
  readonly events: readonly AgentEvent[]
  /** Returns the answer; throws when there is none, or when the server would close the connection. */
  call<A extends Api>(api: A, version: number, request: RequestInputOf<A>, as?: CallOptions): Promise<DecodedResponseOf<A>>
  /** Returns the outcome for the connection, for requests without an answer. */
  send<A extends Api>(api: A, version: number, request: RequestInputOf<A>, as?: CallOptions): Promise<SentRequest<A>>
  sendFrame(frame: Uint8Array, as?: CallOptions): ReturnType<ReturnType<typeof dispatcher>>
  /** Creates a topic and returns its id. */
  topic(name: string, partitions?: number, configs?: Readonly<Record<string, string>>): Promise<string>
}

export interface CallOptions {
  /** They replace the agent's own. */
  readonly services?: Partial<Services>
  readonly peer?: Peer
  readonly signal?: AbortSignal
}

export type SentRequest<A extends Api> =
  | { readonly kind: 'answer'; readonly response: DecodedResponseOf<A>; readonly thenClose: boolean; readonly throttleMs: number }
  | { readonly kind: 'none'; readonly close: boolean }
  | { readonly kind: 'close'; readonly reason: string }

/** `settings` by their names; `wrap` wraps the object store; `sessionClock` times the sessions of group members. */
export async function anAgent(
  options: {
    readonly settings?: Parameters<typeof settings>[1]
    readonly wrap?: (objects: ObjectStore) => ObjectStore
    readonly sessionClock?: Clock
    readonly remoteCodecs?: RemoteCodecs
    /** The time of records and of the jobs beside the clients. Sockets and stores have the system's. */
    readonly clock?: Clock
    /** The file of the database. Default: it is in memory. */
    readonly path?: string
    /** Another database than SQLite. */
    readonly sql?: Sql<Transactions>
    /** A second agent of the same cluster: it shares the stores of this one. */
    readonly beside?: AgentForTests
    /** Default: it accepts no connections. */
    readonly network?: Network
    readonly port?: number
    readonly limits?: Partial<Limits>
  } = {},
): Promise<AgentForTests> {
  const events: AgentEvent[] = []
  const { clock = systemClock, path = ':memory:', beside } = options
  const metadata = beside?.metadata ?? (await openedMetadata(options.sql ?? onSqlite(path, clock)))
  const objects = beside?.objects ?? new MemoryObjects()
  const memory = aPool()
  const codecThread = new CodecThread(systemClock)
  const { agent, services: own } = await buildAgent(
    {
      clock,
      ioClock: systemClock,
      ...(options.sessionClock && { sessionClock: options.sessionClock }),
      random: systemRandom,
      network: options.network ?? deaf,
      objects: options.wrap?.(objects) ?? objects,
      metadata,
      codecs: nodeCodecs,
      remoteCodecs: options.remoteCodecs ?? remoteCodecs(codecThread),
      remotePackers: remotePackers(codecThread),
      crc32c: nativeCrc32c,
      memory,
      ...(options.limits && { limits: { ...defaultLimits, ...options.limits } }),
      emit: (event) => void events.push(event),
    },
    {
      settings: settings('dev', options.settings),
      listen: [{ host: '127.0.0.1', port: options.port ?? 9092 }],
      flush: { maxBytes: 8 * 1024 * 1024, lingerMs: 0, flushesInFlight: 1, putsPerSecond: Number.POSITIVE_INFINITY, burst: 1 },
    },
  )
  let requests = 0

  async function sendFrame(frame: Uint8Array, { services, peer, signal }: CallOptions = {}): ReturnType<AgentForTests['sendFrame']> {
    const dispatch = dispatcher(handlers, { ...own, ...services })
    // As on a connection: the memory of the frame is used again after its handling.
    const slab = memory.take(frame.length)
    slab.bytes.set(frame)
    const pin = new FramePin(undefined, slab)
    const handled = await dispatch(slab.bytes.subarray(0, frame.length), peer ?? aPeer(), signal ?? new AbortController().signal, pin)
    pin.release()
    return handled
  }

  async function send<A extends Api>(api: A, version: number, request: RequestInputOf<A>, as?: CallOptions): Promise<SentRequest<A>> {
    const correlationId = (requests += 1)
    const chunks = encodeRequest(api, { version, correlationId, clientId: 'test' }, request)
    const handled = await sendFrame(Buffer.concat(chunks).subarray(4), as)
    switch (handled.kind) {
      case 'close':
        return handled
      case 'none':
        return { kind: 'none', close: await handled.close }
      case 'now':
      case 'later': {
        const answer = await handled.answer
        const decoded = decodeResponse(api, version, Buffer.concat(answer.chunks).subarray(4))
        if (decoded.correlationId !== correlationId) throw new Error('the answer is for another request')
        return { kind: 'answer', response: decoded.response, thenClose: answer.thenClose, throttleMs: answer.throttleMs }
      }
    }
  }

  return {
    agent,
    services: own,
    metadata,
    objects,
    events,
    sendFrame,
    send,
    async call(api, version, request, as) {
      const sent = await send(api, version, request, as)
      if (sent.kind !== 'answer') throw new Error(`no answer: ${JSON.stringify(sent)}`)
      return sent.response
    },
    async topic(name, partitions = 1, configs = {}) {
      const made = await agent.operations.topics.create({ name, partitions, configs, dryRun: false })
      if (made.kind === 'error') throw new Error(made.message)
      return made.value.topicId
    },
    async [Symbol.asyncDispose]() {
      await agent.drain()
      if (beside === undefined) await metadata.close()
    },
  }
}

function onSqlite(path: string, clock: Clock): Sql<Transactions> {
  return openSqlite({ path, durability: 'memory', now: () => clock.now() })
}

async function openedMetadata(sql: Sql<Transactions>): Promise<MetadataStore> {
  return await openMetadata(sql, { newClusterId: randomUUID(), clock: systemClock, random: systemRandom })
}

export function aPeer(more: Partial<Peer> = {}): Peer {
  return {
    connectionId: 1,
    address: '10.0.0.9',
    listener: 'PLAINTEXT',
    advertised: { host: 'kafka.test', port: 9092 },
    software: undefined,
    requests: 0,
    handle,
    ...more,
  }
}

/** Another agent, which serves on `other.test:9093`, owns the slot of the topic's first partition in epoch 50. */
export function takenOver({ services: { owners } }: AgentForTests, topicId: string): void {
  owners.publishMembers([
    { brokerId: 8, agent: 'other', incarnation: 99, beats: 1, host: 'other.test', port: 9093, rack: null, controlUrl: null, dataUrl: null },
  ])
  owners.publishSlots([{ slot: slotOfPartition(topicId, 0, owners.slots), owner: 99, epoch: 50 }])
}

/** One record batch, encoded like a producer's. */
export function aBatch(
  values: readonly string[],
  { timestamp = Date.now(), ...more }: Pick<NewBatch, 'producer' | 'attributes' | 'compression'> & { readonly timestamp?: number } = {},
): Uint8Array {
  const value = (text: string): Uint8Array => Buffer.from(text)
  return buildBatch(
    {
      baseTimestamp: timestamp,
      records: values.map((text, offsetDelta) => ({ offsetDelta, timestamp, key: null, value: value(text), headers: [] })),
      ...more,
    },
    nativeCrc32c,
  )
}

/** The base offsets of the batches in a fetched partition. */
export function baseOffsets(records: Uint8Array | null): readonly number[] {
  const found: number[] = []
  for (let at = 0; records !== null && at < records.length; at += readBatchHeader(records, at).sizeBytes)
    found.push(readBatchHeader(records, at).baseOffset)
  return found
}

/** It accepts no connections: requests come through dispatch. */
const deaf: Network = {
  listen: (addresses) => Promise.resolve({ addresses, close: () => Promise.resolve() }),
  connect: ({ host, port }) => Promise.reject(new Error(`nothing listens at ${host}:${port}`)),
}
