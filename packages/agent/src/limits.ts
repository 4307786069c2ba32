// Every bound of the agent in one place, each with its reason. What a user may want to change is a setting; what would break another promise is here.

const kib = 1024
const mib = 1024 * kib

export const limits = {
  /** Kafka's socket.request.max.bytes: the largest legal request. */
  requestBytes: 100 * mib,
  /** Frames up to this size come from a small pool of their own, so that heartbeats and metadata never wait behind produce. */
  smallFrameBytes: 64 * kib,
  smallFramePoolBytes: 8 * mib,
  /** What incomplete small frames may hold of that pool. The rest is a reserve: a frame that arrives whole never waits for one that stalls. */
  incompleteSmallFramesBytes: 4 * mib,
  /** All larger frames between the socket and their admission; at least one of the largest must fit. */
  framePoolBytes: 128 * mib,
  /** A frame of which nothing more comes for so long has lost its sender. */
  frameStallMs: 30_000,
  /** While other frames wait for memory, a frame that arrives more slowly than this loses its connection, after some grace. */
  frameGraceMs: 2_000,
  frameBytesPerSecond: 64 * kib,
  /** Requests that one connection may have taken in one turn of the event loop; then the others have theirs. Some 20 µs each where nothing is read or stored. */
  requestsPerTurn: 8,
  /** Read behind a request in work, so that a client that goes is noticed. */
  socketReadAheadBytes: 64 * kib,
  /** How long a client may take for the last bytes of a connection that is being closed. */
  lingerMs: 5_000,
  /** Requests of one connection that are admitted but not answered; Kafka's clients keep at most 5 produce requests in flight, tools some more. */
  requestsInFlightPerConnection: 64,
  /** A reader that takes nothing: with this much unsent, the connection's next request waits. */
  socketPendingBytes: 4 * mib,
  /** What is handed to the system at a time, so that it is seen how far a slow reader has come. */
  socketWriteBytes: 256 * kib,
  /** A reader that takes nothing for so long is closed when the answers of others find no memory. */
  answerStallMs: 30_000,
  /** How often it is looked for while they do. */
  answerStallCheckMs: 1_000,
  /** When there is no room for a new connection, one that has been idle for so long gives way to it. */
  idleGivesWayMs: 10_000,
  /** Clients that may wait before the agent is there; afterwards the setting max.connections counts. */
  connections: 10_000,

  /** Bytes admitted and not yet committed; above it admission waits, then clients do. */
  uncommittedBytes: 128 * mib,
  /** How long admission waits for room before the request is refused with a retriable error. Below the clients' usual 30 s. */
  admissionWaitMs: 10_000,
  /** Batches in one flush: the commit holds row locks while it writes one row or more for each, and the event loop encodes and publishes them in one turn each. */
  batchesPerFlush: 3_000,
  /** Segment rows of an agent where flushes have a budget: some 0.7 KB of log, table and index each. */
  segmentRowsPerSecond: 2_000,
  /** PUTs of one chain at a time. */
  putsInFlight: 8,
  /** A PUT that took this long, with its retries, has failed: it may still land, nothing will name it. */
  putDeadlineMs: 20_000,
  /** Batches of a commit that may run on the event loop where it waits for no disk: at some 20 µs each, it stalls nobody for a millisecond. */
  batchesInTurn: 32,
  /** Batches, and one for each transaction, after which SQLite's log is moved into the database: some 5 pages each, so the log stays below some 40 MB. */
  batchesPerCheckpoint: 2_000,
  /** Checkpoints in a row that a reader elsewhere may hold up before that is told: by then SQLite's log may have some 200 MB. */
  heldCheckpoints: 5,
  /** One try of a commit. Below PostgreSQL's own time-outs plus a round trip. */
  commitDeadlineMs: 5_000,
  /** Definitely refused commits (database away) are tried again for so long; then the line stops. */
  commitPatienceMs: 20_000,
  commitRetryMs: 50,
  commitRetryMaxMs: 1_000,

  /** Producer ids given out within this time, with no new topic between them, share one row. Their age is wrong by at most this. */
  producerIdBlockMs: 60_000,

  /** A segment's row is the seek index: a fetch in its middle scans at most so much. */
  segmentBytes: 4 * mib,
  /** Newest segments kept in memory per partition, so that tail reads need no database. */
  tailSegments: 64,
  /** Partitions whose watermarks are kept in memory; the least recently used are loaded again. */
  tails: 100_000,
  /** Segments that one look-up may return for one partition. */
  segmentsPerFind: 64,
  /** A fetch's answer, whatever it asks for: Kafka's fetch.max.bytes. */
  fetchBytes: 55 * mib,
  /** Fetch answers of all connections together, from the read to the socket, of which one holds a part (read/answer-memory.ts); above it fetches wait, and come back empty when their time is over. */
  fetchAnswersBytes: 256 * mib,
  fetchWaitMs: 300_000,
  /** Of all fetch sessions together: some 200 bytes each. */
  fetchSessionPartitions: 500_000,
  /** Kafka's min.incremental.fetch.session.eviction.ms: a session silent for so long gives way to a new one. */
  fetchSessionSilentMs: 120_000,

  /** Decompressed size of one batch: what a producer may send, times what a good codec makes of JSON, with a floor. */
  decompressedBytes: 64 * mib,

  /** Damaged places that an agent remembers, and that `/readyz` names one by one. */
  damageReports: 1_000,
  damageReasons: 20,

  /** Records of a refused batch that are named one by one: a client wants the first, and a batch may hold a million. */
  recordErrorsPerBatch: 1_000,

  /** HTTP reads and queries (operations/records.ts): records of one answer, and their keys, values and headers together, because an answer is built whole. */
  recordsPerAnswer: 10_000,
  recordBytesPerAnswer: 16 * mib,
  /** Answers of HTTP with records, from the read to the socket, by their size as JSON; above it requests are answered 503. */
  httpAnswersBytes: 64 * mib,
  /** What a live tail of HTTP reads at a time, and so holds for a reader that takes nothing. */
  tailRoundBytes: 32 * kib,
  /** What a read fetches from the log at least, however little it may answer. */
  readAheadBytes: 64 * kib,
  /** What one query may read from the log, and how long it may take, before it answers how far it came. */
  queryScanBytes: 64 * mib,
  queryMs: 5_000,
  /** Bytes of one fetch inside a query or a tail: decoding is synchronous, so nobody else runs meanwhile. */
  scanRoundBytes: 1 * mib,
  /** Partitions that a query scans side by side; a cursor carries the position of each in a URL. */
  queryPartitions: 128,
  /** Partitions that one tail follows; every event carries the position of each. */
  tailPartitions: 1_000,
  /** How long a tail sleeps when nothing comes before it looks again whether the topic has grown or gone. */
  tailWaitMs: 10_000,
  /** How long a produced record of HTTP may wait for a definite answer; the Kafka clients' request.timeout.ms. */
  produceOneMs: 30_000,

  /** Groups whose machines are in memory; above it, those without members are forgotten and reloaded when they are asked for. */
  loadedGroups: 10_000,
  groupsLoadedAtATime: 8,
  /** Groups whose expired offsets one transaction removes: it holds their locks. */
  expiredGroupsPerStep: 100,
  /** One step of the search for offsets that active groups no longer read: a page of rows, and one save per group in it. */
  agedTopicsPerStep: 1_000,
  /** How long a new member's first JoinGroup may be parked: it does not know its id yet, so it cannot send heartbeats. Kafka's own 5 minutes. */
  newMemberJoinTimeoutMs: 300_000,
  /** With group.leave.on.disconnect: how long a member may be without a connection. kafka-go opens the next one some 10 ms after it closed the last; twice a hundred times that is for a machine under load. */
  reconnectMs: 2_000,

  /** Recovery after a power loss: how long before the newest commit an object may have been written and still not be on the disk. Kernels hold a page for half a minute. */
  recoveryWindowMs: 300_000,
  /** Objects read side by side, each whole. */
  recoveryReads: 8,
  recoveryObjectsPerStep: 2_000,
  recoverySegmentsPerStep: 100_000,
  recoveryLogsPerStep: 50,

  topicNameLength: 249,
  partitionsPerTopic: 100_000,
  /** Of all topics that one CreateTopics makes: each is a row, written under the cluster's lock. */
  partitionsPerRequest: 200_000,
  /** Topics that one connection may have made by merely naming them, per request. */
  autoCreatedTopicsPerRequest: 100,

  /** Units of work (a name, a partition, a small record: some microseconds each) after which a request gives way to others (time/turns.ts): a few milliseconds. */
  unitsPerTurn: 1_000,
  /** Look-ups of offsets by time in one turn. */
  timesPerTurn: 100,
  /** Names of topics and groups that one read of the database looks up. As many as a slice, because the rows cross from the database's thread in one piece. */
  namesPerRead: 1_000,
  /** Committed offsets that one read gives back, and one save of a group writes: the others wait for the database meanwhile. */
  offsetsPerRead: 1_000,
  offsetsPerSave: 1_000,
  /** Bytes of records that count as one unit of work when a produced batch is checked: some microseconds for the slowest codec. */
  openedBytesPerUnit: 4 * kib,

  /** Ids that one group has handed out (MEMBER_ID_REQUIRED) and that have not joined yet: a client may ask for them in a loop, each lives for a session. */
  idsHandedOutPerGroup: 10_000,

  /** Metadata transactions other than the commit. */
  metadataDeadlineMs: 10_000,
  heartbeatMs: 1_000,
  /** A lease that did not beat for so long is over: five beats, so that one slow transaction of its holder ends nothing. */
  leaseMs: 5_000,
  /** Two reads of a lease that are further apart say nothing about the time between them. */
  leaseReadGapMs: 2_000,
  drainMs: 30_000,
} as const
