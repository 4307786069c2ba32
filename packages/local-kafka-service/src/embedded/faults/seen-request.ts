// What a test may know of one request of a client: who sent what, and what became of it.
import type { ApiName, KafkaErrorName, UnservedApiName } from './kafka-names.ts'

/** The API of a request: also one that the server does not serve, and the key of one that Kafka does not have. Such a request is `closed`. */
export type SeenApi = ApiName | UnservedApiName | `API ${number}`

/** One request of a client, as far as it has come by now. */
export interface SeenRequest {
  /** When it had come in whole: milliseconds since the epoch. */
  readonly at: number
  readonly api: SeenApi
  /** As the client sent it. */
  readonly version: number
  /** The client's own `client.id`; undefined where it names none. */
  readonly clientId: string | undefined
  /** `kafkajs 2.2.4`; undefined where the client does not say. */
  readonly software: string | undefined
  /** One number per connection: 1, 2, 3 … */
  readonly connection: number
  /** Names of the topics that it is about, the first 100. */
  readonly topics: readonly string[]
  /** The group that it is about; undefined where it is about none, or about several. */
  readonly groupId: string | undefined
  /** What it asks for, in words: `orders[0] 3 records, 210 bytes; acks=-1`. Never the records. */
  readonly summary: string
  readonly outcome: RequestOutcome
  /** From the whole request to its answer, in milliseconds; undefined while it waits. A long poll takes as long as nothing comes. */
  readonly durationMs: number | undefined
  /** Every error in its answer, of whatever topic and partition, as far as a client that was there heard it. At most 100. */
  readonly errors: readonly SeenError[]
  /** The faults that touched it, in words: `fail Produce NOT_LEADER_OR_FOLLOWER`. */
  readonly faults: readonly string[]
}

/**
 * `waiting`: not answered yet, as a long poll or a join. `answered`: also with errors. `unanswered`: done, and the client wanted no answer (acks = 0).
 * `dropped`: a fault let it fall. `closed`: the connection was closed in place of an answer. `lost`: done, and a fault lost the answer.
 * `gone`: the client had left before the answer.
 */
export type RequestOutcome = 'waiting' | 'answered' | 'unanswered' | 'dropped' | 'closed' | 'lost' | 'gone'

/** One error of an answer, with what it is about where the answer says so. */
export interface SeenError {
  readonly error: KafkaErrorName
  readonly topic?: string
  readonly partition?: number
  readonly group?: string
  /** What the answer says beside the code. */
  readonly message?: string
}

/** What `requests` is asked for; a request must fit all of it. */
export interface RequestFilter {
  readonly api?: SeenApi
  readonly clientId?: string
  /** It is about this topic, maybe among others. */
  readonly topic?: string
  readonly groupId?: string
  readonly outcome?: RequestOutcome
  readonly where?: (request: SeenRequest) => boolean
}

/** What `expectNoErrors` overlooks. */
export interface ExpectNoErrorsOptions {
  /** Names of errors that are meant, or a function that answers true for those. */
  readonly ignore?: readonly KafkaErrorName[] | ((error: SeenError, request: SeenRequest) => boolean)
}
