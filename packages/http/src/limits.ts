// All limits of HTTP, each with its reason. Limits that a user may want to change are settings of the agent.

export const httpLimits = {
  /** A client that sends its headers more slowly is disconnected. */
  headersTimeoutMs: 10_000,
  /** The limit for a whole request with its body: bodies are small. */
  requestTimeoutMs: 30_000,
  /** More than the 60 s after which common load balancers close an idle connection, so that they close it and not the server. */
  keepAliveTimeoutMs: 65_000,
  /** Node's default, repeated here because a query's cursor and a tail's Last-Event-ID must fit. */
  headerBytes: 16 * 1024,
  /** The limit for each plane; above it idle or silent connections give way to new ones. */
  connections: 2_000,
  /** Further connections when none can give way: the server answers only operations on them, and closes any more. */
  surplusConnections: 100,
  /** For POST /topics: a name and some configs. */
  controlBodyBytes: 64 * 1024,
  /** The time for requests in progress when the agent stops; longer than the wait for the answer of a produced record. */
  stopMs: 35_000,

  /** The partitions whose records GET /topics counts: some tens of reads of the database. */
  countedPartitions: 20_000,
  /** For POST /topics/{topic}/produce with many records. The body is in memory as a whole until they are stored. */
  linesBodyBytes: 1024 * 1024,
  recordsDefault: 100,
  bytesDefault: 1024 * 1024,
  readWaitMs: 30_000,
  idempotencyKeyLength: 255,
  /** How long the owner of a partition may take to answer a forwarded request: more than it takes itself to give up (produceOneMs), less than clients wait. */
  forwardMs: 32_000,
  /** The answer of an owner is in memory as a whole; the largest has a line for each of 10,000 records. */
  forwardedAnswerBytes: 4 * 1024 * 1024,

  /** The number of concurrent live tails: each holds a socket and up to one page of records. */
  eventStreams: 200,
  /** The interval of comments, so that proxies do not close a silent tail. */
  heartbeatMs: 15_000,
  /** Requests that begin in one turn of the event loop, about 0.3 ms each: a hundred at once delay others no more than these do. */
  requestsPerTurn: 4,
  /** Text that one answer produces in one turn; then others have theirs. */
  answerBytesPerTurn: 32 * 1024,
  /** The approximate size of the pieces of a record's text. */
  pieceBytes: 16 * 1024,
  /** The bytes that are written ahead of a reader before the next piece waits. */
  streamBufferBytes: 16 * 1024,
  /** A reader that reads nothing for this time is disconnected; it resumes from its Last-Event-ID. */
  eventStallMs: 60_000,

  /** The number of attempts when a port is busy. */
  portTries: 20,
} as const
