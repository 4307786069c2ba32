// What is known about a request besides its body, and the words in which the gate decides about it. Kafka and HTTP share it.

/** Everything about one request that is not in its body. */
export interface RequestContext {
  /** The client's identity: `User:ANONYMOUS` until a listener authenticates clients. */
  readonly principal: string
  /** The name of the listener that received the request. */
  readonly listener: string
  readonly client: ClientOfRequest
  /** Unique within the agent. Logs and HTTP answers contain it. */
  readonly requestId: string
  /** The API version that the client speaks; 0 for HTTP. */
  readonly apiVersion: number
  /** Aborts when the connection is closed or the agent stops: no client waits for the answer any more. */
  readonly signal: AbortSignal
  /** True: another agent has sent it on for its client, and it is never sent on again. */
  readonly forwarded?: boolean
  /** The address at which the client reaches this agent. It depends on the address that the client connected to. */
  readonly advertised: { readonly host: string; readonly port: number }
  /** The memory of the request. Absent: it is not counted. */
  readonly memory?: WantedMemory
}

/** Memory that others may need. */
export interface WantedMemory {
  /** Others wait for it: the request must not wait for anything. */
  readonly isWanted: boolean
  /** `wake` is called whenever others begin to wait, until the returned function is called. */
  onWanted(wake: () => void): () => void
}

/** One request, and the services that its handling uses. */
export interface RequestScope<Uses> {
  readonly context: RequestContext
  readonly services: Uses
}

export interface ClientOfRequest {
  readonly id: string | null
  /** `kafkajs`, `apache-kafka-java` …, after the client has sent ApiVersions 3+. */
  readonly software: { readonly name: string; readonly version: string } | undefined
  readonly address: string
  /** Unique within the agent's life. */
  readonly connectionId: number
}

/** Kafka's ACL operations. */
export type Operation =
  | 'READ'
  | 'WRITE'
  | 'CREATE'
  | 'DELETE'
  | 'ALTER'
  | 'DESCRIBE'
  | 'CLUSTER_ACTION'
  | 'DESCRIBE_CONFIGS'
  | 'ALTER_CONFIGS'
  | 'IDEMPOTENT_WRITE'
  | 'NONE'

export interface Resource {
  readonly type: 'CLUSTER' | 'TOPIC' | 'GROUP' | 'TRANSACTIONAL_ID'
  readonly name: string
}
