// A client's request as a test sees it: its sender, its content and its outcome.
import type { ApiName, KafkaErrorName, UnservedApiName } from './kafka-names.ts'

/** The API of a request, which may be one that the server does not serve, or the key of one that Kafka does not have. Such a request is `closed`. */
export type SeenApi = ApiName | UnservedApiName | `API ${number}`

/** One request of a client in its present state. */
export interface SeenRequest {
  /** When the whole request had arrived: milliseconds since the epoch. */
  readonly at: number
  readonly api: SeenApi
  /** The version that the client sent. */
  readonly version: number
  /** The client's `client.id`; undefined if it sends none. */
  readonly clientId: string | undefined
  /** `kafkajs 2.2.4`; undefined if the client does not send it. */
  readonly software: string | undefined
  /** The number of the connection: 1, 2, 3 … */
  readonly connection: number
  /** The names of its topics, at most 100. */
  readonly topics: readonly string[]
  /** Its group; undefined for none, and for several. */
  readonly groupId: string | undefined
  /** A summary: `orders[0] 3 records, 210 bytes; acks=-1`. Never contains the records. */
  readonly summary: string
  readonly outcome: RequestOutcome
  /** From the whole request to its answer, in milliseconds; undefined while it waits. A long poll lasts until data arrives. */
  readonly durationMs: number | undefined
  /** All errors in its answer, for any topic and partition, if the client received it. At most 100. */
  readonly errors: readonly SeenError[]
  /** The faults that were applied to it: `fail Produce NOT_LEADER_OR_FOLLOWER`. */
  readonly faults: readonly string[]
}

/**
 * `waiting`: not answered yet, such as a long poll or a join. `answered`: possibly with errors. `unanswered`: done, and the client wanted no answer (acks = 0).
 * `dropped`: a fault dropped it. `closed`: the connection was closed instead of an answer. `lost`: done, and a fault lost the answer.
 * `gone`: the client had left before the answer.
 */
export type RequestOutcome = 'waiting' | 'answered' | 'unanswered' | 'dropped' | 'closed' | 'lost' | 'gone'

/** One error of an answer, with its topic and partition if the answer names them. */
export interface SeenError {
  readonly error: KafkaErrorName
  readonly topic?: string
  readonly partition?: number
  readonly group?: string
  /** The message of the answer beside the code. */
  readonly message?: string
}

/** A filter for `requests`; a request must match all fields. */
export interface RequestFilter {
  readonly api?: SeenApi
  readonly clientId?: string
  /** Requests about this topic, possibly among others. */
  readonly topic?: string
  readonly groupId?: string
  readonly outcome?: RequestOutcome
  readonly where?: (request: SeenRequest) => boolean
}

/** The errors that `expectNoErrors` ignores. */
export interface ExpectNoErrorsOptions {
  /** Names of expected errors, or a function that returns true for them. */
  readonly ignore?: readonly KafkaErrorName[] | ((error: SeenError, request: SeenRequest) => boolean)
}
