// Fetch sessions (KIP-227): the server remembers a consumer's last fetch, so that both send only changes. Kafka's rules, without its privileged sessions.
import { KafkaError } from '@local-kafka-service/protocol'
import { fixedLimits, type Limits } from '../limits.ts'
import type { ByteGauge } from '../observe/byte-budget.ts'
import type { Clock, Random } from '../time/clock.ts'

/** One partition as a consumer requests it: by topic id from Fetch 13 on, by name before. */
export interface SessionAsk {
  /** The topic's id, or its name. */
  readonly topic: string
  readonly partition: number
  readonly fetchOffset: number
  readonly maxBytes: number
  readonly currentLeaderEpoch: number
}

/** The values that decide whether a partition is sent again. */
export interface SessionAnswer {
  readonly failed: boolean
  /** The client is to fetch it from another broker. */
  readonly redirected: boolean
  readonly sizeBytes: number
  readonly highWatermark: number
  readonly logStartOffset: number
}

export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly byId: boolean
  readonly asks: readonly SessionAsk[]
  readonly forgotten: readonly { readonly topic: string; readonly partition: number }[]
}

/** One fetch within its session, or without one. */
export interface SessionFetch {
  /** The session id for the client; 0: there is no session, so its next fetch must be full. */
  readonly sessionId: number
  /** In the order in which they share the byte budget. */
  readonly asks: readonly SessionAsk[]
  /** Whether this partition belongs into the answer; remembers the sent values. Called once per partition, in the order of `asks`. */
  include(ask: SessionAsk, answer: SessionAnswer): boolean
}

export interface FetchSessionsParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly random: Pick<Random, 'bytes'>
  /** `max.incremental.fetch.session.cache.slots`. */
  readonly slots: number
  readonly limits: Pick<Limits, 'fetchSessionBytes'>
}

interface SessionPartition {
  ask: SessionAsk
  /** The values sent last; -1: none yet, or the last answer was an error. */
  highWatermark: number
  logStartOffset: number
}

interface Session {
  readonly id: number
  readonly byId: boolean
  /** The epoch that the next fetch must carry. */
  epoch: number
  /** In the order of the next fetch: a partition that returned data goes to the end, so that none starves. */
  readonly partitions: Map<string, SessionPartition>
  usedAtMs: number
}

/** What V8 holds for a partition: some 250 bytes in the session, and as much while it is fetched. A session has one fetch at a time. */
const bytesPerPartition = 500

const closing = -1
const opening = 0

export class FetchSessions {
  readonly #parts: FetchSessionsParts
  readonly #maxPartitions: number
  /** The least recently used first. */
  readonly #sessions = new Map<number, Session>()
  #partitions = 0

  constructor(parts: FetchSessionsParts) {
    this.#parts = parts
    this.#maxPartitions = Math.floor(parts.limits.fetchSessionBytes / bytesPerPartition)
  }

  get size(): number {
    return this.#sessions.size
  }

  /** The number of partitions in all sessions. */
  get partitions(): number {
    return this.#partitions
  }

  /** The memory of the sessions, and of the fetches in them. */
  get gauge(): ByteGauge {
    return { usedBytes: this.#partitions * bytesPerPartition, limitBytes: this.#parts.limits.fetchSessionBytes }
  }

  /** The topics of a session, by id or by name; none if there is no such session. Changes nothing. */
  topicsOf(sessionId: number): { readonly byId: boolean; readonly topics: ReadonlySet<string> } {
    const session = this.#sessions.get(sessionId)
    return { byId: session?.byId ?? false, topics: new Set(Array.from(session?.partitions.values() ?? [], ({ ask }) => ask.topic)) }
  }

  /** Throws FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH or FETCH_SESSION_TOPIC_ID_ERROR; the client then sends a full fetch. */
  fetch(request: SessionRequest): SessionFetch {
    const { sessionId, sessionEpoch, asks } = request
    if (sessionEpoch !== closing && sessionEpoch !== opening) return this.#incremental(request)
    const former = this.#sessions.get(sessionId)
    if (former !== undefined) this.#remove(former)
    const session = sessionEpoch === opening ? this.#open(request) : undefined
    return session === undefined ? { sessionId: 0, asks, include: () => true } : this.#full(session, asks)
  }

  /** The first fetch of a session answers every partition. */
  #full(session: Session, asks: readonly SessionAsk[]): SessionFetch {
    return {
      sessionId: session.id,
      asks,
      include(ask, answer) {
        changed(session, ask, answer)
        return true
      },
    }
  }

  #incremental(request: SessionRequest): SessionFetch {
    const session = this.#sessions.get(request.sessionId)
    if (session === undefined) throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND')
    if (session.epoch !== request.sessionEpoch) throw new KafkaError('INVALID_FETCH_SESSION_EPOCH')
    if (session.byId !== request.byId) throw new KafkaError('FETCH_SESSION_TOPIC_ID_ERROR')
    const before = session.partitions.size
    update(session, request)
    this.#partitions += session.partitions.size - before
    if (this.#partitions > this.#maxPartitions) {
      this.#remove(session)
      throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND', 'The fetch sessions have reached their maximum of partitions: send a full fetch.')
    }
    if (session.partitions.size === 0) {
      this.#remove(session)
      return { sessionId: 0, asks: [], include: () => true }
    }
    session.epoch = nextEpoch(session.epoch)
    this.#touch(session)
    return {
      sessionId: session.id,
      asks: Array.from(session.partitions.values(), ({ ask }) => ask),
      include: (ask, answer) => changed(session, ask, answer),
    }
  }

  /** Undefined: there is no room. */
  #open({ asks, byId }: SessionRequest): Session | undefined {
    if (asks.length > this.#maxPartitions) return undefined
    while (this.#partitions + asks.length > this.#maxPartitions) if (!this.#evictOne()) return undefined
    if (this.#sessions.size >= this.#parts.slots && !this.#evictOne()) return undefined
    const session: Session = { id: this.#newId(), byId, epoch: 1, partitions: new Map(), usedAtMs: this.#parts.clock.monotonic() }
    for (const ask of asks) session.partitions.set(keyOf(ask), { ask, highWatermark: -1, logStartOffset: -1 })
    this.#partitions += session.partitions.size
    this.#sessions.set(session.id, session)
    return session
  }

  /** Only a session that was silent for a while gives way: two surplus clients would otherwise evict each other indefinitely. */
  #evictOne(): boolean {
    const [eldest] = this.#sessions.values()
    if (eldest === undefined || this.#parts.clock.monotonic() - eldest.usedAtMs < fixedLimits.fetchSessionSilentMs) return false
    this.#remove(eldest)
    return true
  }

  #remove(session: Session): void {
    this.#sessions.delete(session.id)
    this.#partitions -= session.partitions.size
  }

  #touch(session: Session): void {
    session.usedAtMs = this.#parts.clock.monotonic()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
  }

  #newId(): number {
    for (;;) {
      const bytes = this.#parts.random.bytes(4)
      const id = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0) & 0x7fff_ffff
      if (id !== 0 && !this.#sessions.has(id)) return id
    }
  }
}

function update(session: Session, { asks, forgotten }: SessionRequest): void {
  for (const ask of asks) {
    const held = session.partitions.get(keyOf(ask))
    if (held === undefined) session.partitions.set(keyOf(ask), { ask, highWatermark: -1, logStartOffset: -1 })
    else held.ask = ask
  }
  for (const partition of forgotten) session.partitions.delete(keyOf(partition))
}

/** Whether the answer is news to the client. */
function changed(session: Session, ask: SessionAsk, answer: SessionAnswer): boolean {
  const key = keyOf(ask)
  const held = session.partitions.get(key)
  if (held === undefined) return true
  const { failed, redirected, sizeBytes, highWatermark, logStartOffset } = answer
  const news = failed || redirected || sizeBytes > 0 || highWatermark !== held.highWatermark || logStartOffset !== held.logStartOffset
  // After an error the next successful answer is always news.
  held.highWatermark = failed ? -1 : highWatermark
  held.logStartOffset = failed ? -1 : logStartOffset
  if (sizeBytes > 0) {
    session.partitions.delete(key)
    session.partitions.set(key, held)
  }
  return news
}

function nextEpoch(epoch: number): number {
  return epoch === 0x7fff_ffff ? 1 : epoch + 1
}

function keyOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`
}
