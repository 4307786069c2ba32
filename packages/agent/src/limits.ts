// All limits of the agent, each with its reason: one thing, so that they are weighed against one another. A limit that users may want to change is a setting; a limit whose change would break a guarantee is here.

const kib = 1024
const mib = 1024 * kib

/** The limits of one agent, a value of its parts. An agent can serve with smaller ones: the simulator narrows each, so that an agent reaches it all the time. */
export type Limits = { readonly [Name in keyof typeof defaultLimits]: number }

export const defaultLimits = {
  /** Frames up to this size come from a small pool of their own, so that heartbeats and metadata never wait behind produce. */
  smallFrameBytes: 64 * kib,
  smallFramePoolBytes: 8 * mib,
  /** All larger frames between the socket and their admission; at least one frame of the maximum size must fit. */
  framePoolBytes: 128 * mib,
  /** Decoded requests, until they are answered (net/decoded-requests.ts): a Fetch of 60,000 partitions, or one larger request alone. Above it large requests wait. */
  decodedRequestBytes: 32 * mib,
  /** The partitions of all fetch sessions together. Above it a client gets no session, and sends all of its partitions each time. */
  fetchSessionBytes: 32 * mib,
  /** A smaller frame is left to the collector: the smallest slab would be larger than it, and Node takes it from memory that is shared by many. */
  pooledFrameBytes: 4 * kib,
  /** Bytes read ahead while a request is in progress, so that the agent notices when the client disconnects. */
  socketReadAheadBytes: 64 * kib,
  /** Requests of one connection that are admitted but not answered. Kafka's clients keep at most 5 produce requests in flight, tools a few more. */
  requestsInFlightPerConnection: 64,
  /** Bytes that a slow client may leave unread: above it the connection's next request waits. */
  socketPendingBytes: 4 * mib,

  /** Bytes admitted and not yet committed. Above it admission waits, and then the clients do. */
  uncommittedBytes: 128 * mib,
  /** Unpacked records that are being checked or read, of all requests together: at least one batch of `decompressedBytes`. Above it requests wait. */
  unpackedBytes: 128 * mib,
  /** Fetch answers of all connections together, from the read to the socket; one answer holds a part (read/answer-memory.ts). Above it fetches wait, and come back empty at their time-out. */
  fetchAnswersBytes: 192 * mib,
  /** What a fetch answer keeps in memory until it is sent, as a multiple of its size: it is a view of larger pieces. Above it the answer is copied. */
  fetchAnswerHeldRatio: 4,
  /** Pieces of an answer below this size are copied: a view of them, with its reference, takes some 500 bytes. */
  copiedPieceBytes: 1 * kib,
  /** HTTP answers with records, from the read to the socket, by their size as JSON. Above it requests are answered 503. */
  httpAnswersBytes: 64 * mib,
  /** The memory that admitted batches are copied into, one piece after another; a batch of a quarter of it or more has its own. A piece is used again when all of its batches are stored and out of the cache. */
  batchSlabBytes: 256 * kib,
  /** Memory that was released and is kept to be used again (memory/slab-pool.ts): what a few busy producers and consumers turn over. */
  freeSlabBytes: 16 * mib,
  /** How long admission waits for room before the request is rejected with a retriable error. Below the clients' usual 30 s. */
  admissionWaitMs: 10_000,
  /** Batches in one flush: the commit holds row locks while it writes at least one row for each, and the event loop encodes and publishes them in one turn each. */
  batchesPerFlush: 1_000,
  /** PUTs of one chain at a time. */
  putsInFlight: 8,
  /** A PUT that took this long, with its retries, has failed. It may still land, but no commit will refer to it. */
  putDeadlineMs: 20_000,
  /** How long definitely rejected commits (database away) are retried; then the chain stops. */
  commitRollbacksMs: 20_000,

  /** A segment's row is the seek index: a fetch in its middle scans at most this much. */
  segmentBytes: 4 * mib,
  /** The newest segments kept in memory per partition, so that tail reads need no database. */
  tailSegments: 64,
  /** Partitions whose watermarks are kept in memory. Above it the one loaded longest ago that no fetch waits for is dropped, and loaded again on demand. */
  tails: 100_000,
  /** The memory of those watermarks and segments. Above it the oldest lose their segments, then themselves. */
  tailBytes: 64 * mib,
  /** What the members of all groups sent and were assigned. A group grows to at most a quarter of what is free; a join above it waits for its client to try again. */
  groupBytes: 32 * mib,
  /** Segments that one look-up may return for one partition. */
  segmentsPerFind: 64,
  /** The maximum of a fetch's answer, whatever the client requests: Kafka's fetch.max.bytes. */
  fetchBytes: 55 * mib,
  /** The minimum of one read from the store: consumers that catch up read the partitions of an object one after another, and S3 bills by the request. */
  readBlockBytes: 512 * kib,
  /** The window of a consumer that reads on: at most a quarter of the cache (memory/memory-plan.ts), which is all that may be read ahead. */
  readAheadMaxBytes: 128 * mib,
  /** One read ahead of a consumer: at most three sixteenths of the cache, and a whole merged object. */
  readAheadRequestBytes: 96 * mib,

  /** The hashes and offsets of keys in a pass of log compaction, 24 bytes each; the table grows until then. A log with more keys takes several passes, each as long as one. */
  compactionMapBytes: 64 * mib,
  /** What log compaction keeps of a log is stored in objects of about this size, and held in memory until then. */
  compactionObjectBytes: 8 * mib,

  /**
   * The largest merged object, held in memory until it is stored: at most half of the cache (memory/memory-plan.ts), through which it is read again. 20 GETs per GB are reads of 50 MB.
   * So many full segments of up to 24 partitions, the same number of each, always have at least 52 MiB.
   */
  mergeObjectBytes: 96 * mib,
  /** The largest merged segment: at most a 64th of the cache, so that what 32 partitions have begun to read stays in it. A Java consumer takes 1 MiB of a partition at a time. */
  mergeSegmentBytes: 4 * mib,
  /** Segments whose rows one swap of a merge replaces: other requests to the database wait meanwhile, for some 40 ms. */
  mergeSources: 4_000,
  /** Segments that are younger are not merged: the readers of the tail have them in memory. */
  mergeQuietMs: 30_000,
  /** Logs of a topic are merged for the second time when so much of them waits in whole segments, or less if a smaller object has the same number of segments of each. */
  mergeTwiceBytes: 84 * mib,

  /** The deadline of metadata transactions other than the commit. */
  metadataDeadlineMs: 10_000,
  heartbeatMs: 1_000,
  /** How often an agent looks whether it owns more than its share of slots, and gives some away: the next ones only when clients had time for others. */
  slotMoveMs: 250,
  drainMs: 30_000,
  /** The first look for records to remove, after the start, as in Kafka. */
  retentionFirstMs: 30_000,
  /** The time from the moment at which the sweep sees that an object lost a segment to its removal: longer than a fetch may take that found the segment before. */
  readersGraceMs: 600_000,
  /** Batches whose records were compressed again (`compression.type`), of all requests together, until they are admitted. A request has a quarter of it at a time. Above it requests wait. */
  repackedBytes: 32 * mib,
} as const

/** The budgets that clients share, and what is kept for them. With the cache, they are the memory of `memory.bytes`. */
const sharedBudgets = [
  'smallFramePoolBytes',
  'framePoolBytes',
  'decodedRequestBytes',
  'fetchSessionBytes',
  'uncommittedBytes',
  'unpackedBytes',
  'fetchAnswersBytes',
  'httpAnswersBytes',
  'freeSlabBytes',
  'tailBytes',
  'repackedBytes',
  'groupBytes',
] as const satisfies readonly (keyof Limits)[]

/** The sum of the budgets above. */
export const defaultBudgetBytes = sharedBudgets.reduce((sum, name) => sum + defaultLimits[name], 0)

/** The default limits with budgets that are `bytes` together. Each keeps its part of the whole, and one frame, batch or answer always fits into an empty one. */
export function limitsWithin(bytes: number): Limits {
  const share = bytes / defaultBudgetBytes
  const budgets = Object.fromEntries(sharedBudgets.map((name) => [name, Math.floor(defaultLimits[name] * share)]))
  return { ...defaultLimits, ...budgets }
}

/** The limits that are the same for every agent. */
export const fixedLimits = {
  /**
   * V8's young generation, which has two halves. A collection copies what is in use of a half in one pause: while requests over 50,000 partitions are handled that is most of it, and took
   * 70 ms with the 32 MiB of V8's default. Halves of a quarter cost as much CPU time per allocated byte.
   */
  youngHeapBytes: 16 * mib,
  /** V8 collects the old generation when it has grown by so much of what is in use. By its default it may become four times as large, which no budget would count. */
  heapGrowthPercent: 75,
  /** Released slabs that were free for so long go back to the system, except for the reserve. */
  slabTrimMs: 10_000,
  slabReserveBytes: 4 * mib,

  /** Kafka's socket.request.max.bytes: the largest legal request. */
  requestBytes: 100 * mib,
  /** The part of the pool of small frames that incomplete ones may hold. The rest is a reserve: a complete frame never waits for a stalled one. */
  incompleteSmallFramesPart: 1 / 2,
  /** The sender of a frame that makes no progress for this long is considered lost. */
  frameStallMs: 30_000,
  /** While other frames wait for memory, the connection of a frame that arrives more slowly than this is closed, after a grace period. */
  frameGraceMs: 2_000,
  frameBytesPerSecond: 64 * kib,
  /** Requests of one connection in one turn of the event loop; then other connections have theirs. About 20 µs each without a read or write of the store. */
  requestsPerTurn: 8,
  /** Those of all connections. The others are first in the next turn; in between, the stores' answers and new connections have theirs. */
  requestsPerTurnOfAll: 64,
  /** Larger requests have a bound of their own: about so many bytes of them in one turn. A megabyte is copied and checked in a millisecond. */
  largeRequestBytes: 64 * kib,
  largeRequestBytesPerTurn: 1 * mib,
  /** How long a client may take for the last bytes of a connection that is being closed. */
  lingerMs: 5_000,
  /** The buffer that all sockets of the process are read into. Half the size costs a third more time per byte, and four times the size half as much again. */
  socketReadBytes: 256 * kib,
  /** Bytes handed to the system at a time, so that the progress of a slow client is visible. */
  socketWriteBytes: 256 * kib,
  /** What one connection gets before the event loop turns to the others. */
  socketBytesPerTurn: 1 * mib,
  /** A client that reads nothing for this long is disconnected when answers for other clients find no memory. */
  answerStallMs: 30_000,
  /** The interval of that check while answers find no memory. */
  answerStallCheckMs: 1_000,
  /** When there is no room for a new connection, one that has been idle for this long gives way to it. */
  idleGivesWayMs: 10_000,
  /** Connections that may wait before the agent is ready; afterwards the setting max.connections counts. */
  connections: 10_000,

  /** A producer in a closed loop has its next requests ready, and sends them within this time of an answer: a Java client needs 10 to 20 ms for five of 190 KB. */
  producerReactionMs: 25,
  /** A flush of this size does not wait for producers in closed loops whose batches are in another one: its PUT costs little per byte. */
  largeFlushBytes: 1 * mib,
  /**
   * Where a PUT costs nothing, a flush waits for more requests of its producers from the one size to the other. Its commit costs a millisecond of CPU whatever its size, and
   * a reader needs a read for each object.
   */
  gatherFromBytes: 64 * kib,
  gatherToBytes: 1 * mib,
  /** It waits while less than this has passed since the last request or answer: a Java client sends its next requests of 190 KB after 1 to 3 ms each. */
  gatherQuietMs: 3,
  /** It waits at most this long. */
  gatherMs: 8,
  /** Segment rows that an agent writes where flushes have a budget: about 0.7 KB of log, table and index each. */
  segmentRowsPerSecond: 2_000,
  /**
   * A commit that may run on the event loop where COMMIT waits for no disk: its partitions, at some 60 µs each, and its batches, at 3 µs each. So it stalls the loop
   * for about two milliseconds. The thread would need more CPU, because the commit and its result are copied between the threads.
   */
  partitionsInTurn: 32,
  batchesInTurn: 256,
  /** Segments of a look-up that may run on the event loop, a fetch of twelve partitions: at about 7 µs each, less than four milliseconds. To copy the thread's answer takes half as long. */
  segmentsInTurn: 512,
  /** Partitions of commits, plus one for each transaction, between two checkpoints of SQLite's log: about 5 pages each, so the log stays below about 40 MB. */
  partitionsPerCheckpoint: 2_000,
  /** Consecutive checkpoints that a reader elsewhere may hold up before this is reported: by then SQLite's log may have about 200 MB. */
  heldCheckpoints: 5,
  /** The time-out of one attempt of a commit. PostgreSQL's own time-outs are below it by a round trip. */
  commitDeadlineMs: 5_000,
  commitRetryMs: 50,
  commitRetryMaxMs: 1_000,

  /** Producer ids allocated within this time, with no new topic between them, share one row. Their age is wrong by at most this. */
  producerIdBlockMs: 60_000,

  fetchWaitMs: 300_000,
  /** Reads of the store that all fetches together begin before their answers need them. Fewer than the connections to an S3 (objects/adapters/s3.ts): PUTs must not wait. */
  readsAhead: 48,
  /** Those of one fetch. */
  readsPerFetch: 32,
  /** What one fetch requests before its answer needs it, at most: what the answer then does not take was read for nothing. */
  plannedReadBytes: 16 * mib,
  /** A consumer that reads on where it ended is read ahead of, first by this much or as much as its answer had, then by four times as much each time, up to `readAheadMaxBytes`, which several share, but at least up to the least. */
  readAheadFirstBytes: 512 * kib,
  readAheadLeastBytes: 8 * mib,
  readAheadGrowth: 4,
  /** A read that is as large as it may be and takes less than this makes the next ones larger; one that takes longer than the second makes them smaller, so that none times out. */
  quickReadMs: 1_000,
  slowReadMs: 3_000,
  /**
   * Reads ahead of consumers at a time. They are not those of the answers, which must not wait for them. Together with those and the PUTs of a chain they are the connections to an S3:
   * at 100 ms and 350 KB, 40 reads bring 140 MB/s.
   */
  readsAheadOfConsumers: 40,
  /** Segments that touch in one object are one read up to this size: with the blocks at both ends, as much as the largest slab. Reads ahead may be larger. */
  touchingReadBytes: 7 * mib,
  /** How long the segments that a look-up found may be used for later fetches of the same consumer: well within the readers' grace, and a busy consumer fetches many times. */
  knownSegmentsMs: 1_000,
  /** Partitions with known positions of consumers, about 200 bytes each, and the consumers of each: beyond it the oldest is forgotten. */
  readPositionPartitions: 10_000,
  readPositionsPerPartition: 4,
  /** With more consumers at a time, a read does not look for what the others need of its object. */
  readPositionsBeside: 256,
  /** Volumes of a directory: their size, after which another one begins, and their files that stay open. */
  volumeBytes: 128 * mib,
  openVolumes: 64,
  /** When there are this many volumes smaller than a quarter of that size, as starts leave them behind, they are rewritten into one. */
  smallVolumes: 16,
  /**
   * The pace of that rewriting, and how much of it happens between two pauses: some percent of a disk and of the event loop, so that puts do not wait for it. Each moved
   * object is marked in the turn after the copies are on the disk; so many marks, at about 10 µs each, fit into one.
   */
  rewriteBytesPerSecond: 16 * mib,
  rewriteBytesBetweenPauses: 256 * kib,
  rewriteMarksPerTurn: 100,
  /** Kafka's min.incremental.fetch.session.eviction.ms: a session silent for this long gives way to a new one. */
  fetchSessionSilentMs: 120_000,

  /** The decompressed size of one batch: the largest that a producer may send, times the ratio of a good codec on JSON, with a minimum. */
  decompressedBytes: 64 * mib,
  /** Records that unpack to less are unpacked on the event loop: about 0.1 ms with the slowest codec, as much as it costs to have another thread do it. */
  unpackedInTurnBytes: 32 * kib,
  /** Records that are smaller than this are compressed on the event loop: about 0.1 ms with the slowest codec. */
  packedInTurnBytes: 4 * kib,
  /** Records without compression that are walked in one turn: less than a millisecond, even if each has only the 7 bytes of an empty record. */
  walkedInTurnBytes: 256 * kib,
  /** Batches that other threads unpack at a time, and those that they compress at a time. Node has four such threads, and the files of a directory need them, too. */
  unpackingsAtATime: 2,
  /** The thread that unpacks snappy and LZ4 ends after this time without work, and with it the memory of its largest batch. Its start takes about 30 ms. */
  codecThreadIdleMs: 30_000,
  /** How long a request waits for memory to unpack its records. Below the clients' usual 30 s. */
  unpackWaitMs: 10_000,

  /** Damaged places that an agent remembers, and those that `/readyz` lists one by one. */
  damageReports: 1_000,
  damageReasons: 20,

  /** Records of a rejected batch that are reported one by one: a client uses the first, and a batch may hold a million. */
  recordErrorsPerBatch: 1_000,

  /** HTTP reads and queries (operations/records.ts): the records of one answer, and the bytes of their keys, values and headers, because an answer is built whole. */
  recordsPerAnswer: 10_000,
  recordBytesPerAnswer: 16 * mib,
  /** Bytes that a live HTTP tail reads at a time, and so holds for a client that reads nothing. */
  tailRoundBytes: 32 * kib,
  /** The minimum that a read fetches from the log, however little it may answer. */
  readAheadBytes: 64 * kib,
  /** The bytes that one query may read from the log, and the time it may take, before it returns its progress. */
  queryScanBytes: 64 * mib,
  queryMs: 5_000,
  /** Bytes of one fetch inside a query or a tail: decoding is synchronous, so no other request runs meanwhile. */
  scanRoundBytes: 1 * mib,
  /** Partitions that a query scans side by side; a cursor carries the position of each in a URL. */
  queryPartitions: 128,
  /** Partitions that one tail follows; every event carries the position of each. */
  tailPartitions: 1_000,
  /** How long a tail without new records sleeps before it checks whether the topic has grown or was deleted. */
  tailWaitMs: 10_000,
  /** How long a record produced over HTTP may wait for a definite answer; the Kafka clients' request.timeout.ms. */
  produceOneMs: 30_000,

  /** Groups whose machines are in memory. Above it, those without members are dropped, and loaded again on demand. */
  loadedGroups: 10_000,
  groupsLoadedAtATime: 8,
  /** The members' bytes of a save that is large, and those that count as one unit of work: they become base64 in JSON. A megabyte takes 2 ms, and then 8 ms in SQLite's thread. */
  largeSaveBytes: 128 * kib,
  journalBytesPerUnit: 1 * kib,
  /** Transactional ids in one page of those that have timed out, or are not used any more. */
  transactionalIdsPerStep: 1_000,
  /** Groups whose expired offsets one transaction removes while it holds their locks. */
  expiredGroupsPerStep: 100,
  /** One step of the search for offsets that active groups no longer read: a page of rows, and one save per group in it. */
  agedTopicsPerStep: 1_000,
  /** How long a new member's first JoinGroup may wait: the member does not know its id yet, so it cannot send heartbeats. Kafka's own 5 minutes. */
  newMemberJoinTimeoutMs: 300_000,
  /** With group.leave.on.disconnect: how long a member may be without a connection. kafka-go reconnects after about 10 ms; 200 times that allows for a machine under load. */
  reconnectMs: 2_000,

  /** Recovery after a power loss: an object written longer than this before the newest commit is on the disk. Kernels hold a page for half a minute. */
  recoveryWindowMs: 300_000,
  /** Objects read side by side, each as a whole. */
  recoveryReads: 8,
  recoveryObjectsPerStep: 2_000,
  recoverySegmentsPerStep: 100_000,
  recoveryLogsPerStep: 50,

  /** Checks of the stored objects (upkeep/storage-walk.ts): bytes of one read, which is one at a time, and objects between two places to continue from. */
  checkReadBytes: 4 * mib,
  checkObjectsPerStep: 2_000,
  /** A read costs a request, however small it is, so it counts as at least this much. */
  checkReadLeastBytes: 16 * kib,
  /** Shorter pauses between reads are saved up: timers are not more exact. */
  checkPauseMs: 20,
  /** A check on request: a disk or a bucket serves consumers faster than this, and a tebibyte takes less than 5 hours. */
  checkBytesPerSecond: 64 * mib,
  /** The scrubber: 20 TiB in a month. */
  scrubBytesPerSecond: 8 * mib,
  /** Its first look is after the start: servers of tests are gone by then. */
  scrubFirstMs: 10_000,
  /** The longest wait before it looks whether a pass is due: timers overflow after 24 days. */
  scrubCheckMs: 3_600_000,
  scrubRetryMs: 60_000,

  /** Segments whose rows one step of retention removes, and logs that it looks at: other requests to the database wait meanwhile, for some milliseconds. */
  retentionSegmentsPerStep: 2_000,
  retentionLogsPerStep: 20,
  /** After a step it pauses for this many times as long as the step took: at most a fifth of the database's time is its own. */
  retentionPauses: 4,
  /** Log compaction: rows of segments in one read, and those that one swap replaces under their locks. With SQLite every commit waits meanwhile, 17 µs for each. */
  compactionSegmentsPerRead: 250,
  compactionSourcesPerSwap: 250,
  /** Partitions whose state one read returns: it reads the rows of all their segments. */
  compactionsPerRead: 20,
  /** What a pass reads: on the event loop, and in a thread, whose work bounds most passes. The event loop then reads and checks bytes for a tenth of its time. */
  compactionBytesPerSecond: 64 * mib,
  compactionThreadBytesPerSecond: 256 * mib,
  /** A pass over more bytes has a thread, which takes some 50 ms to start. The objects of a batch are few, and soon garbage. */
  compactedInTurnsBytes: 4 * mib,
  compactionThreadYoungMb: 8,
  /**
   * SQLite's page cache, for each of its two connections. The upper levels of the tree of ten million segments have 7 MB: with SQLite's default of 2 MB a look-up reads one page more, and takes 1.3 times
   * the CPU time that it takes among a million.
   */
  databaseCacheKib: 8_192,
  /** The objects of a transaction in the database's thread are few, and garbage soon after. By default V8 lets 64 MB of them collect. */
  databaseThreadYoungMb: 16,
  /** What a pass reads ahead of its work: as much as a store with 100 ms per request needs for some 80 MB/s. */
  compactionAheadBytes: 8 * mib,
  compactionReadsAhead: 8,
  /** Bytes of batches that are one unit of work: they are unpacked, their keys are hashed, and what is left is packed again. */
  compactedBytesPerUnit: 1 * kib,

  /** Merges: segments may be so large, however small the cache is, and a log with so many bytes gets an object of its own. */
  mergeSegmentLeastBytes: 1 * mib,
  mergeOwnObjectBytes: 8 * mib,
  /** An object with less of the maximum size is merged again, even if its segments are full: it would cost its readers more than 20 requests per GB. */
  mergeLargePart: 1 / 2,
  /** After time-outs of PUTs merged objects may become so much smaller than the maximum: in `lks start` as small as a full flush, which has the same time. */
  mergeLeastPart: 1 / 12,
  /** They become larger again, twice as large each time, while a full one is stored in less: the next one then takes at most 5 s of a time-out of 10 s, although its PUT is sent a second time after 3 s. */
  quickMergePutMs: 2_000,
  /** So many small segments of a log, which an earlier merge has left before a long run, stay: otherwise all that follows them would be merged for the second time. */
  mergeFewSegments: 4,
  /** Of the segments that an object of the second merge can have, so many must wait. */
  mergeDuePart: 7 / 8,
  /** Segments that have so much of the maximum size are not merged for the second time: it would save few rows, and a reader of all partitions reads the object of the first merge at once. */
  mergeFullPart: 3 / 4,
  /** … or when so many segments of it wait, as a part of those that one swap replaces: then they are smaller than 32 KiB. */
  mergeTwiceParts: 8,
  /** Partitions that have grown since the last look for merges: with more of them, it asks the database for all. */
  grownPartitions: 20_000,
  /** Rows of segments in one read. */
  mergeSegmentsPerRead: 1_000,
  /** A disk or a bucket serves clients faster than this. */
  mergeBytesPerSecond: 64 * mib,

  /** Objects that one pass of the sweep looks at, each with its bytes; segments that one step of its look reads, and its pauses, as for retention. */
  sweptObjectsPerPass: 20_000,
  sweptSegmentsPerStep: 50_000,
  sweepPauses: 4,
  /** The sweep of orphans: keys that one read of the database is asked for and one request to the store removes. S3 lists and removes so many in one request. */
  sweptKeysPerStep: 1_000,
  /** Objects of one incarnation after its last commit that a crash may leave: more than twice the flushes in flight, because the line may have stopped just before. */
  orphansAfterLastCommit: 64,
  /** The sweep of orphans halts when it would remove more than a tenth of the bytes. What one crash leaves, 8 flushes of 8 MiB, is removed in any case. */
  sweepShareOfBytes: 0.1,
  sweepAlwaysBytes: 64 * mib,
  /** Objects of the store that one pass compares with the database's, at 8 bytes each. */
  reconciledObjects: 4_000_000,
  /** Its first pass comes so long after the start: servers of tests are gone by then. */
  orphanSweepFirstMs: 600_000,
  /** Rows that one step of expiry reads or removes. */
  expiryRowsPerStep: 2_000,
  /** How long the rows of ended incarnations stay, and jobs without an agent: PUTs of theirs may land so late, and are known as theirs then. */
  endedIncarnationMs: 86_400_000,
  /** Incarnations with orphans that a pass of their sweep remembers. With more of them it forgets no incarnation. */
  incarnationsWithOrphans: 10_000,
  /** Deletions that a report of the sweep lists one by one. */
  sweepReportedDeletions: 1_000,

  topicNameLength: 249,
  partitionsPerTopic: 100_000,
  /** Partitions of all topics in one CreateTopics: each is a row, written under the cluster's lock. */
  partitionsPerRequest: 200_000,
  /** Topics that one request may create by naming them. */
  autoCreatedTopicsPerRequest: 100,

  /** Units of work (a name, a partition, a small record: a few microseconds each) after which a request yields to others (time/turns.ts): one or two milliseconds. */
  unitsPerTurn: 500,
  /** Characters of a name that count as one more unit: it is hashed twice, at 1.5 ns each. */
  charactersPerUnit: 1_000,
  /** Work that has waited for a turn more often than this is long: short work does not wait for it. */
  turnsOfShortWork: 1,
  /** A larger frame is decoded in steps. A smaller one has at most so many elements of arrays, at about 0.2 µs each. */
  decodedInTurnBytes: 16 * kib,
  /** What a decoded request takes until it is answered: for each element of its arrays, a partition with its place, its look-ups and its answer; of a small one, for each byte. */
  decodedElementBytes: 400,
  decodedBytesPerByte: 8,
  /** The part of the memory for decoded requests that large ones may hold. The rest is for small ones, which do not wait. */
  largeRequestsPart: 3 / 4,
  /** Elements of arrays that count as one unit of work when a large message is decoded or encoded. */
  elementsPerUnit: 5,
  /**
   * Batches of one Produce that are admitted in one slice. The batches of others wait for the commits of two slices, at about 50 µs for each batch. A
   * request over thousands of partitions takes more flushes for it: one for every 500 partitions instead of 1,000, where flushes have a budget.
   */
  batchesPerSlice: 250,
  /** Look-ups of offsets by time in one turn. */
  timesPerTurn: 100,
  /** Names of topics and groups in one read of the database. As many as a slice, because the rows cross from the database's thread in one piece. */
  namesPerRead: 1_000,
  /** Committed offsets that one read returns: other reads wait meanwhile. */
  offsetsPerRead: 500,
  /** A partition remembers many producers, so DescribeProducers reads few partitions at once. */
  partitionsWithProducersPerRead: 20,
  /** Committed offsets that one save of a group writes: commits wait meanwhile. */
  offsetsPerSave: 250,
  /** Bytes of records that count as one unit of work when a produced batch is checked: a few microseconds for the slowest codec. */
  openedBytesPerUnit: 4 * kib,

  /** Ids that one group has issued (MEMBER_ID_REQUIRED) and that have not joined yet: a client may request them in a loop, and each lives for a session. */
  idsHandedOutPerGroup: 10_000,

  /** Connections to other agents, over which requests of clients with stale metadata are forwarded: one for each of their connections. */
  forwardConnections: 2_000,
  /** How long another agent may take to accept one. */
  forwardConnectMs: 1_000,
  /** How long a request is held while its partition or group changes hands; then the client gets NOT_LEADER or NOT_COORDINATOR. All clients wait longer for an answer. */
  holdMs: 1_000,
  /** Between two tries of a request that is held. */
  holdPauseMs: 50,
  /** How long the owner may take to answer a forwarded request, beside what the request itself allows. */
  forwardAnswerMs: 30_000,
  /** Slots that change hands at a time, when an agent has more than its share: their clients wait for all of them. */
  slotsPerMove: 16,
  /** How long a move may wait for what was admitted before: a part of holdMs, so that the requests that wait are still forwarded. A slow store puts the move off. */
  moveSettleMs: 700,
  /** Heartbeats that a held request asks for, to learn who owns what, are at least so far apart. */
  refreshPauseMs: 25,
  /** How often an agent reads how far the partitions of other agents have grown, while consumers wait for them: what a consumer waits at most for another agent's commits, and half of it at the median. */
  followMs: 50,
  /** A lease that did not beat for this long is over: five beats, so that one slow transaction of its holder does not end it. */
  leaseMs: 5_000,
  /** Two reads of a lease that are further apart prove nothing about the time between them. */
  leaseReadGapMs: 2_000,
} as const
