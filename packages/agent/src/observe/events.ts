// The one hook that everything worth seeing passes: metrics, hints, logs, faults and requests() listen to it.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import type { Incarnation } from '../core/ids.ts'

export type AgentEvent =
  | { readonly kind: 'connection opened'; readonly connectionId: number; readonly address: string }
  | { readonly kind: 'connection closed'; readonly connectionId: number; readonly reason: string }
  /** `setting` has the value `limit`, and no other connection could give way to the new one. */
  | {
      readonly kind: 'connection rejected'
      readonly address: string
      readonly setting: 'max.connections' | 'max.connections.per.ip'
      readonly limit: number
    }
  /** A client held something without moving while others waited for it, so its connection is closed. `connection closed` follows for the Kafka port. */
  | {
      readonly kind: 'gave way'
      /** Undefined: an HTTP connection that has not sent a request. */
      readonly connectionId: number | undefined
      readonly address: string
      readonly held: Held
      readonly message: string
    }
  /** A client could not be let in; the port is still open. */
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
    }
  /** A client sent what is not served or what is not Kafka's protocol: its connection is closed. */
  | ({ readonly kind: 'protocol error'; readonly connectionId: number; readonly client: EventClient } & Misunderstanding)
  /** Part of a request, or all of it, was rejected for a reason that clients often hide from their users. */
  | {
      readonly kind: 'rejected'
      readonly client: EventClient
      readonly api: string
      readonly version: number
      /** What it was about: `topic 'orders'`; undefined for the whole request. */
      readonly subject: string | undefined
      readonly error: KafkaErrorName
      readonly message: string
    }
  | { readonly kind: 'defect'; readonly where: string; readonly error: unknown }
  | {
      readonly kind: 'sealed'
      readonly sequence: number
      readonly trigger: SealTrigger
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
  /** A start found an agent registered; it fences it unless the lease beats within the time. */
  | { readonly kind: 'lease watched'; readonly lease: LeaseHolder; readonly forMs: number }
  | { readonly kind: 'heartbeat failed'; readonly message: string }
  | { readonly kind: 'topic created'; readonly name: string; readonly partitions: number; readonly auto: boolean }
  | { readonly kind: 'topic deleted'; readonly name: string }
  /** Saved, and its members are being told. Also when nothing but an answer to SyncGroup has changed who has its assignment. */
  | { readonly kind: 'group changed'; readonly groupId: string; readonly state: string }
  /** Saved, and read by OffsetFetch from now on. */
  | { readonly kind: 'offsets committed'; readonly groupId: string; readonly partitions: number }
  /** This agent cannot write where it stores things: why, and what to do about it. Until `store recovered`. */
  | { readonly kind: 'store failed'; readonly message: string }
  | { readonly kind: 'store recovered'; readonly durationMs: number }
  | { readonly kind: 'store trouble'; readonly operation: 'put' | 'read'; readonly message: string }
  /** Once for each damaged place that a reader finds. */
  | {
      readonly kind: 'corrupt data'
      /** Its name, or its id where the agent knows none. */
      readonly topic: string
      readonly topicId: string
      readonly partition: number
      readonly offset: number
      readonly lastOffset: number
      readonly objectKey: string
      readonly message: string
      /** Of what is known to be damaged in the object, this is the first. */
      readonly firstOfObject: boolean
    }
  /** Recovery: committed, and not there as it was committed. */
  | { readonly kind: 'object unreadable'; readonly key: string; readonly message: string }
  /** Recovery: the log ends at `fromOffset` now, `offsets` of it are gone. */
  | { readonly kind: 'tail cut'; readonly topic: string; readonly partition: number; readonly fromOffset: number; readonly offsets: number }
  | { readonly kind: 'objects checked'; readonly objects: number; readonly unreadable: number; readonly durationMs: number }
  | { readonly kind: 'notice'; readonly message: string }

/** Who sent a request, as far as it is known. */
export interface EventClient {
  /** Undefined or null: the client did not name itself, or its bytes were not a request. */
  readonly id: string | null | undefined
  readonly software: { readonly name: string; readonly version: string } | undefined
  readonly address: string
}

/** Why a connection is closed: what the client did, and what its user can do about it. */
export interface Misunderstanding {
  /** Undefined: the bytes have no readable request header. */
  readonly request: { readonly api: string; readonly version: number } | undefined
  /** Begins with the request where there is one: `Fetch 3 is not served: versions 4 to 18 are`. */
  readonly message: string
  readonly advice: string
}

/** What a client holds that gives way: a request that does not complete, answers that it does not take, its place among the connections. */
export type Held = 'request' | 'answers' | 'connection'

export type SealTrigger = 'size' | 'time' | 'idle' | 'drain'

/** Who holds a lease: the agent, the address that it told its clients, its machine where that is known, and since when (milliseconds since the epoch). */
export interface LeaseHolder {
  readonly agent: string
  readonly host: string
  readonly port: number
  readonly machine: string | null
  readonly sinceMs: number
}

/** Called in the turn in which it happens; must not throw and must not block. */
export type EventHook = (event: AgentEvent) => void
