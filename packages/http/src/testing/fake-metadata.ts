// A Metadata Service in a few maps, for the tests of HTTP: one agent owns everything, nothing fails, and commits follow the port's contract.
import { changedConfigs } from '../../../agent/src/core/config/config-changes.ts'
import { topicConfigTable } from '../../../agent/src/core/config/topic-configs.ts'
import type { LogId, TopicId, TopicPartition } from '../../../agent/src/core/ids.ts'
import type {
  CommitInput,
  CommitOutcome,
  CommitResult,
  GrownPartition,
  LogIndex,
  PartitionState,
  Segment,
  Topic,
  Topics,
  Verdict,
} from '../../../agent/src/metadata/metadata-store.ts'

interface FakeLog {
  readonly segments: Segment[]
  start: number
  next: number
  maxTimestamp: number
}

export class FakeMetadata {
  readonly #topics = new Map<TopicId, Topic>()
  readonly #deleted = new Map<TopicId, Topic>()
  readonly #logs = new Map<string, FakeLog>()
  readonly #keys = new Map<
    string,
    { readonly bodyHash: string; readonly baseOffset: number; readonly partition: number; readonly timestamp: number }
  >()

  readonly topics: Topics = {
    find: async ({ names = [], topicIds = [] }) =>
      this.#all().filter(({ name, topicId }) => names.includes(name) || topicIds.includes(topicId)),
    list: async () => this.#all(),
    create: async ({ topicId, name, partitions, configs }) => {
      const known = this.#all().find((topic) => topic.name === name)
      if (known !== undefined) return { kind: 'exists', topic: known }
      const topic: Topic = { topicId, name, partitions, replicationFactor: 1, configs, createdAtMs: Date.now() }
      this.#topics.set(topicId, topic)
      return { kind: 'created', topic }
    },
    delete: async (topicId) => {
      const topic = this.#topics.get(topicId)
      if (topic === undefined) return 'unknown'
      this.#deleted.set(topicId, topic)
      this.#topics.delete(topicId)
      return 'deleted'
    },
    deleted: async () => [...this.#deleted.values()].map((topic) => ({ ...topic, deletedAtMs: topic.createdAtMs + 1 })),
    undelete: async (topicId) => {
      const topic = this.#deleted.get(topicId)
      if (topic === undefined) return { kind: 'unknown' }
      if (this.#all().some(({ name }) => name === topic.name)) return { kind: 'taken', by: topic.name }
      this.#deleted.delete(topicId)
      this.#topics.set(topicId, topic)
      return { kind: 'undeleted', topic }
    },
    grow: async ({ topicId, partitions }) => {
      const known = this.#topics.get(topicId)
      if (known === undefined) return { kind: 'unknown' }
      if (partitions <= known.partitions) return { kind: 'not more', partitions: known.partitions }
      const topic = { ...known, partitions }
      this.#topics.set(topicId, topic)
      return { kind: 'grown', topic }
    },
    changeConfigs: async ({ name, changes }) => {
      const known = this.#all().find((topic) => topic.name === name)
      const changed = changedConfigs(known?.configs ?? {}, changes, topicConfigTable)
      if (changed.kind === 'error') return { kind: 'rejected', code: changed.code, message: changed.message }
      if (known === undefined) return { kind: 'unknown' }
      const topic = { ...known, configs: changed.value }
      this.#topics.set(known.topicId, topic)
      return { kind: 'changed', topic }
    },
  }

  readonly log: LogIndex = {
    commit: async (input) => this.#commit(input),
    partitions: async (asked) => asked.map((partition) => this.#state(partition)),
    find: async (asks) =>
      asks.map((ask) => {
        const state = this.#state(ask)
        if (state === undefined) return { kind: 'unknown partition' }
        const segments = this.#log(ask).segments.filter(({ lastOffset }) => lastOffset >= ask.offset)
        return { kind: 'found', segments: segments.slice(0, ask.maxSegments), ...state }
      }),
    findByTime: async (asks) =>
      asks.map((ask) => {
        const state = this.#state(ask)
        if (state === undefined) return { kind: 'unknown partition' }
        const wanted = ask.at.kind === 'timestamp' ? ask.at.timestamp : state.maxTimestamp
        return { kind: 'found', segment: this.#log(ask).segments.find(({ maxTimestamp }) => maxTimestamp >= wanted), ...state }
      }),
    sizes: async (asked) => asked.map((partition) => this.#log(partition).segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)),
    producers: async (asked) => asked.map(() => []),
    deleteRecords: async (_owner, asks) =>
      asks.map((ask) => {
        if (this.#state(ask) === undefined) return { kind: 'unknown partition' }
        const log = this.#log(ask)
        if (ask.beforeOffset < 0 || ask.beforeOffset > log.next) return { kind: 'out of range' }
        log.start = Math.max(log.start, ask.beforeOffset)
        return { kind: 'deleted', logStartOffset: log.start }
      }),
    allocateProducerIds: async () => 0,
  }

  #all(): readonly Topic[] {
    return [...this.#topics.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  #log({ topicId, partition }: TopicPartition): FakeLog {
    const key = `${topicId}/${partition}`
    const known = this.#logs.get(key)
    if (known !== undefined) return known
    const made: FakeLog = { segments: [], start: 0, next: 0, maxTimestamp: -1 }
    this.#logs.set(key, made)
    return made
  }

  #state({ topicId, partition }: TopicPartition): PartitionState | undefined {
    if (partition >= (this.#topics.get(topicId)?.partitions ?? 0)) return undefined
    const { start, next, maxTimestamp } = this.#log({ topicId, partition })
    const watermarks = { logStartOffset: start, highWatermark: next, lastStableOffset: next }
    return { topicId, partition, ...watermarks, lastAbortOffset: -1, logId: 1 as LogId, maxTimestamp, owner: 1, epoch: 1 }
  }

  #commit({ incarnation, sequence, batches }: CommitInput): CommitOutcome {
    const grown = new Map<string, GrownPartition>()
    const verdicts = batches.map((batch): Verdict => {
      const { topicId, partition, idempotency } = batch
      if (!this.#topics.has(topicId)) return { kind: 'rejected', reason: 'UNKNOWN_TOPIC_OR_PARTITION' }
      const known = idempotency && this.#keys.get(idempotency.key)
      if (known !== undefined) {
        if (known.bodyHash !== idempotency?.bodyHash) return { kind: 'rejected', reason: 'IDEMPOTENCY_KEY_REUSED' }
        return { kind: 'duplicate', baseOffset: known.baseOffset, timestamp: known.timestamp, partition: known.partition }
      }
      const log = this.#log(batch)
      const baseOffset = log.next
      log.next += batch.offsets
      log.maxTimestamp = Math.max(log.maxTimestamp, batch.maxTimestamp)
      const segment: Segment = {
        baseOffset,
        lastOffset: log.next - 1,
        objectKey: this.keyOf({ incarnation, sequence }),
        byteStart: batch.byteStart,
        sizeBytes: batch.sizeBytes,
        maxTimestamp: batch.maxTimestamp,
      }
      log.segments.push(segment)
      const before = grown.get(`${topicId}/${partition}`)
      grown.set(`${topicId}/${partition}`, {
        topicId,
        partition,
        highWatermark: log.next,
        lastStableOffset: log.next,
        segments: [...(before?.segments ?? []), segment],
      })
      if (idempotency !== undefined)
        this.#keys.set(idempotency.key, { bodyHash: idempotency.bodyHash, timestamp: idempotency.timestamp, baseOffset, partition })
      return { kind: 'appended', baseOffset }
    })
    const result: CommitResult = { verdicts, grown: [...grown.values()] }
    return { kind: 'committed', result }
  }

  readonly keyOf: (flush: Pick<CommitInput, 'incarnation' | 'sequence'>) => string

  constructor(keyOf: FakeMetadata['keyOf']) {
    this.keyOf = keyOf
  }
}
