// Every bound of HTTP in one place, each with its reason. What a user may want to change is a setting of the agent.

export const httpLimits = {
  /** A client that sends its headers slower than this is closed. */
  headersTimeoutMs: 10_000,
  /** The whole request, body included: bodies are small here. */
  requestTimeoutMs: 30_000,
  /** Above the 60 s after which common load balancers give an idle connection up, so that they close it and not we. */
  keepAliveTimeoutMs: 65_000,
  /** Node's own default, said here because a query's cursor and a tail's Last-Event-ID must fit. */
  headerBytes: 16 * 1024,
  /** Connections of a plane; above it silent ones give way to new ones. */
  connections: 2_000,
  /** When none can give way: so many more, on which only operations are answered. Further ones are closed. */
  surplusConnections: 100,
  /** POST /topics: a name and some configs. */
  controlBodyBytes: 64 * 1024,
  /** How long a request in progress may take when the agent stops; above the wait for a produced record's answer. */
  stopMs: 35_000,

  recordsDefault: 100,
  bytesDefault: 1024 * 1024,
  readWaitMs: 30_000,
  idempotencyKeyLength: 255,

  /** Live tails at a time: each holds a socket and up to one page of records. */
  eventStreams: 200,
  /** A comment so often keeps proxies from closing a silent tail. */
  heartbeatMs: 15_000,
  /** Text of records is made in pieces of about this size. */
  pieceBytes: 16 * 1024,
  /** What is written ahead of a reader of records or of a tail, then the next piece waits. */
  streamBufferBytes: 16 * 1024,
  /** A reader that takes nothing for so long is closed; it resumes from its Last-Event-ID. */
  eventStallMs: 60_000,

  /** A busy default port is moved on from so many times. */
  portTries: 20,
} as const
