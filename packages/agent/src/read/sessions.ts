// Fetch sessions (KIP-227): what a consumer asked for last time, so that it sends, and is sent, only what changed. Kafka's rules, without its privileged sessions.
import { KafkaError } from '@local-kafka-service/protocol'
import { limits } from '../limits.ts'
import type { Clock, Random } from '../time/clock.ts'

/** One partition as a consumer asks for it: by topic id from Fetch 13 on, by name before. */
export interface SessionAsk {
  /** The topic's id, or its name. */
  readonly topic: string
  readonly partition: number
  readonly fetchOffset: number
  readonly maxBytes: number
  readonly currentLeaderEpoch: number
}

/** What decides whether a partition is sent again. */
export interface SessionAnswer {
  readonly failed: boolean
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
  /** What the client is told; 0: there is no session, its next fetch must be full. */
  readonly sessionId: number
  /** In the order in which they share the byte budget. */
  readonly asks: readonly SessionAsk[]
  /** Whether this partition belongs into the answer; remembers what is sent. Asked once per partition, in the order of `asks`. */
  include(ask: SessionAsk, answer: SessionAnswer): boolean
}

export interface FetchSessionsParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly random: Pick<Random, 'bytes'>
  /** `max.incremental.fetch.session.cache.slots`. */
  readonly slots: number
}

interface Held {
  ask: SessionAsk
  /** As sent last; -1: not yet, or the last answer was an error. */
  highWatermark: number
  logStartOffset: number
}

interface Session {
  readonly id: number
  readonly byId: boolean
  /** The epoch that the next fetch must carry. */
  epoch: number
  /** In the order of the next fetch: who got something goes to the end, so that nobody starves. */
  readonly partitions: Map<string, Held>
  usedAtMs: number
}

const closing = -1
const opening = 0

export class FetchSessions {
  readonly #parts: FetchSessionsParts
  /** The least recently used first. */
  readonly #sessions = new Map<number, Session>()
  #partitions = 0

  constructor(parts: FetchSessionsParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Partitions of all sessions together. */
  get partitions(): number {
    return this.#partitions
  }

  /** Which topics a session holds, by id or by name; none where there is no such session. Changes nothing. */
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
    if (this.#partitions > limits.fetchSessionPartitions) {
      this.#remove(session)
      throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND', 'The fetch sessions hold as many partitions as they may.')
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

  /** Undefined: no room. */
  #open({ asks, byId }: SessionRequest): Session | undefined {
    if (this.#partitions + asks.length > limits.fetchSessionPartitions) return undefined
    if (this.#sessions.size >= this.#parts.slots && !this.#evictOne()) return undefined
    const session: Session = { id: this.#newId(), byId, epoch: 1, partitions: new Map(), usedAtMs: this.#parts.clock.monotonic() }
    for (const ask of asks) session.partitions.set(keyOf(ask), { ask, highWatermark: -1, logStartOffset: -1 })
    this.#partitions += session.partitions.size
    this.#sessions.set(session.id, session)
    return session
  }

  /** Only a session that was silent for a while gives way: two clients too many would otherwise evict each other for ever. */
  #evictOne(): boolean {
    const [eldest] = this.#sessions.values()
    if (eldest === undefined || this.#parts.clock.monotonic() - eldest.usedAtMs < limits.fetchSessionSilentMs) return false
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

/** Whether the client does not know this yet. */
function changed(session: Session, ask: SessionAsk, answer: SessionAnswer): boolean {
  const key = keyOf(ask)
  const held = session.partitions.get(key)
  if (held === undefined) return true
  const { failed, sizeBytes, highWatermark, logStartOffset } = answer
  const news = failed || sizeBytes > 0 || highWatermark !== held.highWatermark || logStartOffset !== held.logStartOffset
  // After an error the next good answer is news, whatever it says.
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
