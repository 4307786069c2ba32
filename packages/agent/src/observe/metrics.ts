// All metrics of an agent: plain numbers, counted from events or read from the parts that own them, and named when they are scraped.
// Those of the object store and of the jobs of upkeep are in files of their own.
import type { AgentEvent } from './events.ts'
import type { Gauges } from './gauges.ts'
import { counter, gauge, type Metric, one } from './metric.ts'
import { storeMetrics } from './store-metrics.ts'
import { jobMetrics } from './upkeep-metrics.ts'

interface PerApi {
  requests: number
  seconds: number
  bytesIn: number
  bytesOut: number
}

export class Meters {
  readonly #apis = new Map<string, PerApi>()
  readonly #seals = new Map<string, number>()
  #connections = 0
  readonly #rejected = new Map<string, number>()
  readonly #gaveWay = new Map<string, number>()
  readonly #closed = new Map<string, number>()
  #protocolErrors = 0
  #defects = 0
  #flushBytes = 0
  #flushBatches = 0
  #flushPartitions = 0
  #commits = 0
  #commitSeconds = 0
  #putSeconds = 0
  #commitRetries = 0
  #lineStops = 0
  #heartbeatFailures = 0
  #corruptReads = 0
  #topicsCreated = 0
  #topicsDeleted = 0
  #removedSegments = 0
  #removedBytes = 0
  #sweptObjects = 0
  #topicsPurged = 0
  #sweptBytes = 0
  #orphansRemoved = 0
  #orphanBytes = 0
  readonly #compactions = new Map<string, number>()
  #compactionBytesRead = 0
  #compactionBytesWritten = 0
  #compactionSeconds = 0
  readonly #merges = new Map<string, number>()
  #mergeBytesRead = 0
  #mergeBytesWritten = 0
  #mergedSegments = 0
  #mergeSeconds = 0

  /** An event hook. */
  readonly count = (event: AgentEvent): void => {
    switch (event.kind) {
      case 'connection opened':
        this.#connections += 1
        return
      case 'connection rejected':
        this.#rejected.set(event.setting, (this.#rejected.get(event.setting) ?? 0) + 1)
        return
      case 'early connections rejected':
        this.#rejected.set('early connections', (this.#rejected.get('early connections') ?? 0) + event.count)
        return
      case 'gave way':
        this.#gaveWay.set(event.held, (this.#gaveWay.get(event.held) ?? 0) + 1)
        return
      case 'connection closed':
        this.#closed.set(event.cause, (this.#closed.get(event.cause) ?? 0) + 1)
        return
      case 'request':
        this.#api(event.api).bytesIn += event.sizeBytes
        return
      case 'reply': {
        const api = this.#api(event.api)
        api.requests += 1
        api.seconds += event.durationMs / 1000
        api.bytesOut += event.sizeBytes
        return
      }
      case 'protocol error':
        this.#protocolErrors += 1
        return
      case 'defect':
        this.#defects += 1
        return
      case 'sealed':
        this.#seals.set(event.trigger, (this.#seals.get(event.trigger) ?? 0) + 1)
        this.#flushBytes += event.sizeBytes
        this.#flushBatches += event.batches
        this.#flushPartitions += event.partitions
        return
      case 'stored':
        this.#putSeconds += event.durationMs / 1000
        return
      case 'committed':
        this.#commits += 1
        this.#commitSeconds += event.durationMs / 1000
        return
      case 'commit retried':
        this.#commitRetries += 1
        return
      case 'line stopped':
        this.#lineStops += 1
        return
      case 'heartbeat failed':
        this.#heartbeatFailures += 1
        return
      case 'corrupt data':
        this.#corruptReads += 1
        return
      case 'topic created':
        this.#topicsCreated += 1
        return
      case 'topic deleted':
        this.#topicsDeleted += 1
        return
      case 'records removed':
        this.#removedSegments += event.segments
        this.#removedBytes += event.bytes
        return
      case 'log compacted':
        this.#compactions.set(event.end, (this.#compactions.get(event.end) ?? 0) + 1)
        this.#compactionBytesRead += event.bytesRead
        this.#compactionBytesWritten += event.bytesWritten
        this.#compactionSeconds += event.durationMs / 1000
        return
      case 'segments merged':
        this.#merges.set(event.end, (this.#merges.get(event.end) ?? 0) + 1)
        this.#mergeBytesRead += event.bytesRead
        this.#mergeBytesWritten += event.bytesWritten
        this.#mergeSeconds += event.durationMs / 1000
        if (event.end === 'swapped') this.#mergedSegments += event.sources
        return
      case 'topics purged':
        this.#topicsPurged += event.topics
        return
      case 'topic undeleted':
        return
      case 'orphans removed':
        this.#orphansRemoved += event.objects
        this.#orphanBytes += event.bytes
        return
      case 'objects swept':
        this.#sweptObjects += event.objects
        this.#sweptBytes += event.bytes
        return
      case 'accept failed':
      case 'lease watched':
      case 'store failed':
      case 'store recovered':
      case 'registered':
      case 'fenced':
      case 'agent fenced':
      case 'store request failed':
      case 'object unreadable':
      case 'tail cut':
      case 'objects checked':
      case 'damage skipped':
      case 'storage scrubbed':
      case 'compaction failed':
      case 'sweep halted':
      case 'group changed':
      case 'offsets committed':
      case 'notice':
      case 'rejected':
        return
    }
  }

  read(gauges: Gauges): readonly Metric[] {
    const perApi = (value: (api: PerApi) => number): Metric['samples'] =>
      [...this.#apis].map(([api, meters]) => ({ labels: { api }, value: value(meters) }))
    return [
      counter(
        'lks_requests_total',
        'Kafka requests answered.',
        perApi(({ requests }) => requests),
      ),
      counter(
        'lks_request_seconds_total',
        'Time from a request to its answer, summed.',
        perApi(({ seconds }) => seconds),
      ),
      counter(
        'lks_request_bytes_total',
        'Bytes of Kafka requests.',
        perApi(({ bytesIn }) => bytesIn),
      ),
      counter(
        'lks_reply_bytes_total',
        'Bytes of Kafka answers.',
        perApi(({ bytesOut }) => bytesOut),
      ),
      gauge('lks_connections', 'Open Kafka connections.', gauges.connections),
      counter('lks_connections_opened_total', 'Kafka connections accepted.', one(this.#connections)),
      counter(
        'lks_connections_closed_total',
        'Kafka connections closed, by the cause.',
        [...this.#closed].map(([cause, value]) => ({ labels: { cause }, value })),
      ),
      counter(
        'lks_connections_rejected_total',
        'Connections rejected, by the setting or the fixed limit that was reached: `HTTP connections`, and `early connections` before the agent was ready.',
        [...this.#rejected].map(([setting, value]) => ({ labels: { setting }, value })),
      ),
      counter(
        'lks_connections_gave_way_total',
        'Connections closed because they held a request, answers or their place without progress while others waited.',
        [...this.#gaveWay].map(([held, value]) => ({ labels: { held }, value })),
      ),
      {
        name: 'lks_memory_bytes',
        help: 'Memory that the agent holds for clients, by part.',
        type: 'gauge',
        samples: gauges.memory.map(({ part, usedBytes }) => ({ labels: { part }, value: usedBytes })),
      },
      {
        name: 'lks_memory_limit_bytes',
        help: 'The limit of each part of that memory.',
        type: 'gauge',
        samples: gauges.memory.map(({ part, limitBytes }) => ({ labels: { part }, value: limitBytes })),
      },
      {
        name: 'lks_slab_bytes',
        help: 'Memory of frames and objects that is used again, by whether something is in it.',
        type: 'gauge',
        samples: [
          { labels: { state: 'used' }, value: gauges.slabs.usedBytes },
          { labels: { state: 'free' }, value: gauges.slabs.freeBytes },
        ],
      },
      counter('lks_protocol_errors_total', 'Connections closed because of bytes that are not a valid request.', one(this.#protocolErrors)),
      counter('lks_defects_total', 'Defects: errors of the server itself.', one(this.#defects)),
      counter(
        'lks_flushes_total',
        'Flushes sealed, by what sealed them.',
        [...this.#seals].map(([trigger, value]) => ({ labels: { trigger }, value })),
      ),
      counter('lks_flush_bytes_total', 'Bytes of sealed flushes.', one(this.#flushBytes)),
      counter('lks_flush_batches_total', 'Record batches in sealed flushes.', one(this.#flushBatches)),
      counter(
        'lks_flush_partitions_total',
        'Partitions in sealed flushes: rows that their commits write; their budget lengthens the linger.',
        one(this.#flushPartitions),
      ),
      counter('lks_flush_put_seconds_total', 'Time that flushes spent in the FileStorage Service.', one(this.#putSeconds)),
      counter('lks_commits_total', 'Flushes committed.', one(this.#commits)),
      counter('lks_commit_seconds_total', 'Time that flushes spent in the Metadata Service.', one(this.#commitSeconds)),
      counter(
        'lks_commit_retries_total',
        'Commits repeated because their outcome was unknown or they were rolled back.',
        one(this.#commitRetries),
      ),
      counter('lks_line_stops_total', 'Times the chain gave up flushes.', one(this.#lineStops)),
      gauge('lks_flushes_in_flight', 'Flushes sealed and not yet answered.', gauges.flushesInFlight),
      gauge('lks_uncommitted_bytes', 'Bytes admitted and not yet committed.', gauges.uncommittedBytes),
      gauge('lks_agent_heartbeat_age_seconds', 'Time since the Metadata Service last answered a heartbeat.', gauges.heartbeatAgeSeconds),
      ...(gauges.databaseAges === undefined
        ? []
        : [
            gauge(
              'lks_postgres_oldest_xmin_age',
              'Transactions since the oldest snapshot in PostgreSQL. While it is high, vacuum cannot clean hot rows.',
              gauges.databaseAges.oldestXminAge,
            ),
            gauge(
              'lks_postgres_longest_transaction_seconds',
              'The longest transaction in PostgreSQL that this user can see.',
              gauges.databaseAges.longestTransactionMs / 1000,
            ),
          ]),
      counter('lks_heartbeat_failures_total', 'Heartbeats that the Metadata Service did not answer.', one(this.#heartbeatFailures)),
      counter('lks_corrupt_reads_total', 'Damaged places that readers found.', one(this.#corruptReads)),
      counter('lks_topics_created_total', 'Topics created by this agent.', one(this.#topicsCreated)),
      counter('lks_topics_deleted_total', 'Topics deleted by this agent.', one(this.#topicsDeleted)),
      counter(
        'lks_retention_segments_total',
        'Segments of old or deleted records that were removed from logs.',
        one(this.#removedSegments),
      ),
      counter('lks_retention_bytes_total', 'Bytes of those segments.', one(this.#removedBytes)),
      counter(
        'lks_compaction_passes_total',
        'Passes of log compaction over a partition, by how they ended.',
        [...this.#compactions].map(([end, value]) => ({ labels: { end }, value })),
      ),
      counter('lks_compaction_read_bytes_total', 'Bytes that log compaction read.', one(this.#compactionBytesRead)),
      counter('lks_compaction_written_bytes_total', 'Bytes that log compaction stored.', one(this.#compactionBytesWritten)),
      counter('lks_compaction_seconds_total', 'Time of all passes of log compaction.', one(this.#compactionSeconds)),
      gauge(
        'lks_compaction_dirty_partitions',
        'Partitions with records that log compaction has not seen.',
        gauges.compaction.dirtyPartitions,
      ),
      counter(
        'lks_merges_total',
        'Objects that merges wrote, by what came of them.',
        [...this.#merges].map(([end, value]) => ({ labels: { end }, value })),
      ),
      counter('lks_merge_read_bytes_total', 'Bytes that merges read.', one(this.#mergeBytesRead)),
      counter('lks_merge_written_bytes_total', 'Bytes that merges stored.', one(this.#mergeBytesWritten)),
      counter('lks_merged_segments_total', 'Segments that merges replaced by larger ones.', one(this.#mergedSegments)),
      counter('lks_merge_seconds_total', 'Time of all merges.', one(this.#mergeSeconds)),
      gauge('lks_merge_waiting_segments', 'Segments that no merge has taken so far, as of its last look.', gauges.merge.segments),
      gauge('lks_merge_waiting_bytes', 'The bytes of those segments.', gauges.merge.bytes),
      gauge('lks_compaction_dirty_bytes', 'The bytes of those records that log compaction may see now.', gauges.compaction.dirtyBytes),
      counter('lks_topics_purged_total', 'Deleted topics that were purged after topic.undelete.ms.', one(this.#topicsPurged)),
      counter(
        'lks_swept_objects_total',
        'Stored objects that were removed because no segment names them any more.',
        one(this.#sweptObjects),
      ),
      counter('lks_swept_bytes_total', 'Bytes of those objects.', one(this.#sweptBytes)),
      counter(
        'lks_orphans_removed_total',
        'Stored objects that were removed because no commit had named them, such as those of a crash.',
        one(this.#orphansRemoved),
      ),
      counter('lks_orphan_bytes_total', 'Bytes of those orphans.', one(this.#orphanBytes)),
      ...jobMetrics(gauges),
      gauge('lks_damaged_places', 'Runs of offsets that readers found damaged and that are not readable again.', gauges.damagedPlaces),
      gauge('lks_cache_bytes', 'Object bytes held in memory.', gauges.cache.bytes),
      counter('lks_cache_hits_total', 'Reads answered from memory.', one(gauges.cache.hits)),
      counter('lks_cache_misses_total', 'Reads that went to the object store.', one(gauges.cache.misses)),
      ...storeMetrics(gauges),
    ]
  }

  #api(name: string): PerApi {
    const known = this.#apis.get(name)
    if (known !== undefined) return known
    const made: PerApi = { requests: 0, seconds: 0, bytesIn: 0, bytesOut: 0 }
    this.#apis.set(name, made)
    return made
  }
}
