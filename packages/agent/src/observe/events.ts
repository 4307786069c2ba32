// The events of an agent. The agent passes each to its meters and to the hook that its creator supplies, for the log, hints, faults and requests().
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import type { Incarnation } from '../core/ids.ts'

export type AgentEvent =
  | { readonly kind: 'connection opened'; readonly connectionId: number; readonly address: string }
  | { readonly kind: 'connection closed'; readonly connectionId: number; readonly cause: ClosingCause; readonly reason: string }
  /** No existing connection could be closed to make room for the new one. */
  | {
      readonly kind: 'connection rejected'
      readonly address: string
      readonly setting: ConnectionLimit
      readonly limit: number
    }
  /** Clients that came before the agent was ready, when `limit` others waited already. The address is that of the last one. */
  | { readonly kind: 'early connections rejected'; readonly count: number; readonly address: string; readonly limit: number }
  /** A client held a resource without progress while others waited for it, so its connection is closed. `connection closed` follows for the Kafka port. */
  | {
      readonly kind: 'gave way'
      /** Undefined: an HTTP connection that has not sent a request. */
      readonly connectionId: number | undefined
      readonly address: string
      readonly held: Held
      readonly message: string
    }
  /** The port could not accept a connection; it stays open. */
  | { readonly kind: 'accept failed'; readonly message: string }
  | {
      readonly kind: 'request'
      readonly connectionId: number
      readonly clientId: string | null
      readonly api: string
      readonly version: number
      readonly sizeBytes: number
    }
  | {
      readonly kind: 'reply'
      readonly connectionId: number
      readonly clientId: string | null
      readonly api: string
      readonly version: number
      readonly durationMs: number
      readonly sizeBytes: number
      /** The codes of the errors in the answer, and how often each is there; undefined if there are none. */
      readonly errors: ReadonlyMap<number, number> | undefined
    }
  /** A client sent a request that is not supported, or bytes that are not the port's protocol: its connection is closed. `connectionId`: undefined for an HTTP port. */
  | ({ readonly kind: 'protocol error'; readonly connectionId: number | undefined; readonly client: EventClient } & Misunderstanding)
  /** Part of a request, or all of it, was rejected for a reason that clients often hide from their users. */
  | {
      readonly kind: 'rejected'
      readonly client: EventClient
      readonly api: string
      readonly version: number
      /** The rejected part: `topic 'orders'`; undefined for the whole request. */
      readonly subject: string | undefined
      readonly error: KafkaErrorName
      readonly message: string
    }
  | { readonly kind: 'defect'; readonly where: string; readonly error: unknown }
  | {
      readonly kind: 'sealed'
      readonly sequence: number
      readonly trigger: SealTrigger
      /** How long the object took in batches. */
      readonly openMs: number
      readonly sizeBytes: number
      readonly batches: number
      readonly partitions: number
    }
  | { readonly kind: 'stored'; readonly sequence: number; readonly durationMs: number }
  | { readonly kind: 'committed'; readonly sequence: number; readonly batches: number; readonly durationMs: number }
  | { readonly kind: 'commit retried'; readonly sequence: number; readonly outcome: 'unknown' | 'rolled back'; readonly message: string }
  | { readonly kind: 'line stopped'; readonly sequence: number; readonly abandoned: number; readonly message: string }
  | { readonly kind: 'registered'; readonly incarnation: Incarnation; readonly brokerId: number }
  | { readonly kind: 'fenced'; readonly incarnation: Incarnation }
  /** This agent fenced another one, whose lease was silent for a whole time-out, and took so many slots. */
  | { readonly kind: 'agent fenced'; readonly lease: LeaseHolder; readonly slots: number }
  /** A starting agent found its name in use. It fences that agent unless its lease is renewed within `forMs`. */
  | { readonly kind: 'lease watched'; readonly lease: LeaseHolder; readonly forMs: number }
  | { readonly kind: 'heartbeat failed'; readonly message: string }
  | { readonly kind: 'topic created'; readonly name: string; readonly partitions: number; readonly auto: boolean }
  | { readonly kind: 'topic deleted'; readonly name: string }
  /** A change of the group is saved, and its answers are sent. Also emitted when a SyncGroup only changes which members have their assignment. */
  | { readonly kind: 'group changed'; readonly groupId: string; readonly state: string }
  /** Offsets are saved, and OffsetFetch reads them from now on. Null: a transaction may have committed offsets of any group, because an answer of the database was lost. */
  | { readonly kind: 'offsets committed'; readonly groupId: string | null; readonly partitions: number }
  /** This agent cannot write to a store: the message has the reason and the advice. It lasts until `store recovered`. */
  | { readonly kind: 'store failed'; readonly message: string }
  | { readonly kind: 'store recovered'; readonly durationMs: number }
  | { readonly kind: 'store request failed'; readonly operation: 'put' | 'read'; readonly message: string }
  /** Emitted once for each damaged range of offsets that a reader finds. */
  | {
      readonly kind: 'corrupt data'
      /** The topic's name, or its id if the agent does not know the name. */
      readonly topic: string
      readonly topicId: string
      readonly partition: number
      readonly offset: number
      readonly lastOffset: number
      readonly objectKey: string
      readonly message: string
      /** This is the first known damage in the object. */
      readonly firstOfObject: boolean
    }
  /** A person told the agent to pass over damaged offsets: consumers go on after them. */
  | {
      readonly kind: 'damage skipped'
      readonly topic: string
      readonly partition: number
      readonly offset: number
      readonly lastOffset: number
      readonly objectKey: string
    }
  /** The scrubber has read all objects. */
  | { readonly kind: 'storage scrubbed'; readonly objects: number; readonly damagedObjects: number; readonly durationMs: number }
  /** One pass of retention has removed records. */
  | {
      readonly kind: 'records removed'
      readonly partitions: number
      readonly segments: number
      readonly bytes: number
      readonly durationMs: number
    }
  /** A pass of log compaction has ended. `changed`: another job or a deletion was first; `damaged`: a segment cannot be read. A later pass does the rest then. */
  | {
      readonly kind: 'log compacted'
      readonly topic: string
      readonly partition: number
      readonly end: 'compacted' | 'changed' | 'damaged' | 'fenced'
      readonly bytesRead: number
      readonly bytesWritten: number
      readonly swaps: number
      readonly durationMs: number
    }
  /** A store did not answer. The next look tries again. */
  | { readonly kind: 'compaction failed'; readonly message: string }
  /**
   * A merge has written `segments` in the place of `sources`, which were in `objects`. `changed`: other jobs or deletions were first in all of its logs; `nothing`: the sources are
   * damaged. A later pass does the rest then.
   */
  | {
      readonly kind: 'segments merged'
      readonly end: 'swapped' | 'changed' | 'fenced' | 'nothing'
      readonly objects: number
      readonly partitions: number
      readonly sources: number
      readonly segments: number
      readonly bytesRead: number
      readonly bytesWritten: number
      readonly durationMs: number
    }
  /** Nothing is left of deleted topics but objects, which the sweep removes. */
  | { readonly kind: 'topics purged'; readonly topics: number; readonly segments: number; readonly bytes: number }
  | { readonly kind: 'topic undeleted'; readonly name: string }
  /** The sweep has removed objects that no segment names; `failed`: the store could not remove so many, and a later pass tries it again. */
  | { readonly kind: 'objects swept'; readonly objects: number; readonly bytes: number; readonly failed: number }
  /** The sweep has removed objects that no commit has named and none ever will, such as those of a crash. */
  | { readonly kind: 'orphans removed'; readonly objects: number; readonly bytes: number; readonly failed: number }
  /** The sweep removes no orphans until a person has confirmed it. */
  | { readonly kind: 'sweep halted'; readonly message: string }
  /** Recovery: a committed object is missing or damaged. */
  | { readonly kind: 'object unreadable'; readonly key: string; readonly message: string }
  /** Recovery: the log now ends at `fromOffset`, and lost `offsets` offsets. */
  | { readonly kind: 'tail cut'; readonly topic: string; readonly partition: number; readonly fromOffset: number; readonly offsets: number }
  | { readonly kind: 'objects checked'; readonly objects: number; readonly unreadable: number; readonly durationMs: number }
  | { readonly kind: 'notice'; readonly message: string }

export type EventOf<Kind extends AgentEvent['kind']> = Extract<AgentEvent, { readonly kind: Kind }>

/** The client that sent a request, as far as it is known. */
export interface EventClient {
  /** Undefined or null: the client did not name itself, or its bytes were not a request. */
  readonly id: string | null | undefined
  readonly software: { readonly name: string; readonly version: string } | undefined
  readonly address: string
}

/** The reason for which a connection is closed: the client's mistake, and advice for its user. */
export interface Misunderstanding {
  /** Undefined: the bytes have no readable request header. */
  readonly request: { readonly api: string; readonly version: number } | undefined
  /** Begins with the request if there is one: `Fetch 3 is not served: versions 4 to 18 are`. */
  readonly message: string
  readonly advice: string
}

/**
 * Who closed a Kafka connection, or why the agent did. `network`: an error of the socket; `misunderstood`: bytes or a request that the agent does not serve; `failed request`: a request without
 * an answer, or one after which no later request may be answered; `asked`: a test, or the interceptor of requests.
 */
export type ClosingCause = 'client' | 'network' | 'idle' | 'gave way' | 'misunderstood' | 'failed request' | 'asked' | 'stop'

/** A setting, or the fixed limit of HTTP connections with requests in progress: on more of them, requests that are not for operators are answered 503. */
export type ConnectionLimit = 'max.connections' | 'max.connections.per.ip' | 'HTTP connections'

/** The resource that a client holds: a request that does not complete, answers that it does not read, or its place among the connections. */
export type Held = 'request' | 'answers' | 'connection'

/** `waiting`: before the budget of PUTs allowed it, because producers in closed loops waited. */
export type SealTrigger = 'size' | 'time' | 'idle' | 'waiting' | 'drain'

/** The holder of a lease: the agent, its advertised address, its machine if known, and the time since it holds the lease (milliseconds since the epoch). */
export interface LeaseHolder {
  readonly agent: string
  readonly host: string
  readonly port: number
  readonly machine: string | null
  readonly sinceMs: number
}

/** Called in the turn in which the event happens; it must not throw or block. */
export type EventHook = (event: AgentEvent) => void
