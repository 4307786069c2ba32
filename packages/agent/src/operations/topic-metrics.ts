// The numbers of topics and groups for a scrape: records, bytes and lag. Each is read from the database at most every few seconds, however often it is scraped.
import { errors, KafkaError } from '@local-kafka-service/protocol'
import type { ClassicGroupState } from '../core/group/classic-messages.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Metric } from '../observe/metric.ts'
import type { Clock } from '../time/clock.ts'
import type { Turns } from '../time/turns.ts'
import type { GroupDescription, GroupOperations } from './groups.ts'
import type { TopicCounts } from './topic-counts.ts'
import type { TopicOperations } from './topics.ts'

/** Topics beyond the first by name have no metrics of their own, so that a cluster of many topics does not make a scrape large. */
export const topicsWithMetrics = 1_000
/** The partitions of those topics. */
export const partitionsWithMetrics = 50_000
/** Groups beyond the first by id have no lag: each is described by a read of its own. */
export const groupsWithLag = 200
/** Lags of a group in a topic. A group may have committed offsets in every topic, so without a bound a scrape could have a million of them. */
export const lagsWithMetrics = 10_000

/** Times after which numbers are read again, in milliseconds. Bytes add up all segments, so they are the more expensive ones. */
const countsMs = 10_000
const bytesMs = 60_000

export interface TopicMetricsParts {
  readonly topics: Pick<TopicOperations, 'list'>
  readonly records: {
    counts(topics: readonly Topic[], options: { readonly bytes: boolean }): Promise<readonly TopicCounts[]>
  }
  readonly groups: {
    list(): Promise<readonly { readonly groupId: string; readonly state: ClassicGroupState }[]>
    describe: GroupOperations['describe']
  }
  readonly clock: Pick<Clock, 'monotonic'>
  readonly turns: Turns
  /** One agent of a cluster reports its topics; each reports its own groups. */
  readonly reportsTopics: () => boolean
}

export class TopicMetrics {
  readonly #parts: TopicMetricsParts
  readonly #counts: Remembered
  readonly #bytes: Remembered
  readonly #lags: Remembered

  constructor(parts: TopicMetricsParts) {
    this.#parts = parts
    this.#counts = new Remembered(parts.clock, countsMs, () => this.#readCounts())
    this.#bytes = new Remembered(parts.clock, bytesMs, () => this.#readBytes())
    this.#lags = new Remembered(parts.clock, countsMs, () => this.#readLags())
  }

  /** Rejects when the database does not answer. Several scrapes at a time share their reads. */
  async read(): Promise<readonly Metric[]> {
    const [counts, bytes, lags] = await Promise.all([this.#counts.read(), this.#bytes.read(), this.#lags.read()])
    return [...counts, ...bytes, ...lags]
  }

  async #readCounts(): Promise<readonly Metric[]> {
    if (!this.#parts.reportsTopics()) return []
    const all = await this.#parts.topics.list()
    const topics = measured(all)
    const counts = await this.#parts.records.counts(topics, { bytes: false })
    const samplesOf = (value: (counts: TopicCounts) => number): Metric['samples'] => samples(topics, counts, value)
    return [
      { name: 'lks_topics', help: 'Topics of the cluster.', type: 'gauge', samples: [{ labels: {}, value: all.length }] },
      {
        name: 'lks_topic_partitions',
        help: `Partitions by topic. Metrics by topic are those of the first ${topicsWithMetrics} topics by name.`,
        type: 'gauge',
        samples: topics.map(({ name, partitions }) => ({ labels: { topic: name }, value: partitions })),
      },
      {
        name: 'lks_topic_records',
        help: 'Offsets from the start to the end of all partitions of a topic.',
        type: 'gauge',
        samples: samplesOf(({ records }) => records),
      },
      {
        name: 'lks_topic_appended_total',
        help: 'Offsets that were ever appended to a topic: its rate is the rate of produced records.',
        type: 'counter',
        samples: samplesOf(({ appended }) => appended),
      },
    ]
  }

  async #readBytes(): Promise<readonly Metric[]> {
    if (!this.#parts.reportsTopics()) return []
    const topics = measured(await this.#parts.topics.list())
    const counts = await this.#parts.records.counts(topics, { bytes: true })
    const of = samples(topics, counts, ({ bytes }) => bytes)
    return [{ name: 'lks_topic_bytes', help: 'Stored bytes of a topic, at most a minute old.', type: 'gauge', samples: of }]
  }

  async #readLags(): Promise<readonly Metric[]> {
    const groups = await this.#parts.groups.list()
    const lags: Metric['samples'][number][] = []
    const members: Metric['samples'][number][] = []
    const slice = this.#parts.turns.slice()
    for (const { groupId: group } of groups.slice(0, groupsWithLag)) {
      const described = await this.#describe(group)
      if (described === undefined) continue
      members.push({ labels: { group }, value: described.members.length })
      const byTopic = new Map<string, number>()
      for (const { topic, lag } of described.partitions) {
        byTopic.set(topic, lag + (byTopic.get(topic) ?? 0))
        if (slice.spent(1)) await slice.next()
      }
      for (const [topic, lag] of byTopic) if (lags.length < lagsWithMetrics) lags.push({ labels: { group, topic }, value: lag })
    }
    return [
      { name: 'lks_groups', help: 'Groups that this agent coordinates.', type: 'gauge', samples: [{ labels: {}, value: groups.length }] },
      {
        name: 'lks_group_members',
        help: `Members by group. Metrics by group are those of the first ${groupsWithLag} groups by id.`,
        type: 'gauge',
        samples: members,
      },
      {
        name: 'lks_group_lag',
        help: `Records between the committed offsets of a group and the ends of the partitions of a topic; without a commit, all of them. At most ${lagsWithMetrics}, by group and topic.`,
        type: 'gauge',
        samples: lags,
      },
    ]
  }

  /** Undefined: it was deleted since it was listed, or has moved to another agent. */
  async #describe(groupId: string): Promise<GroupDescription | undefined> {
    try {
      const described = await this.#parts.groups.describe(groupId, { maySee: () => true })
      return described.kind === 'ok' ? described.value : undefined
    } catch (error) {
      if (error instanceof KafkaError && error.code === errors.NOT_COORDINATOR.code) return undefined
      throw error
    }
  }
}

function measured(all: readonly Topic[]): readonly Topic[] {
  let left = partitionsWithMetrics
  return all.slice(0, topicsWithMetrics).filter(({ partitions }) => {
    left -= partitions
    return left >= 0
  })
}

function samples(
  topics: readonly Topic[],
  counts: readonly TopicCounts[],
  value: (counts: TopicCounts) => number | undefined,
): Metric['samples'] {
  return topics.flatMap(({ name: topic }, index) => {
    const of = counts[index] && value(counts[index])
    return of === undefined ? [] : [{ labels: { topic }, value: of }]
  })
}

/** Metrics that stay as they are for a time. A read that fails is not remembered. */
class Remembered {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #forMs: number
  readonly #read: () => Promise<readonly Metric[]>
  #last: { readonly atMs: number; readonly metrics: Promise<readonly Metric[]> } | undefined

  constructor(clock: Pick<Clock, 'monotonic'>, forMs: number, read: () => Promise<readonly Metric[]>) {
    this.#clock = clock
    this.#forMs = forMs
    this.#read = read
  }

  read(): Promise<readonly Metric[]> {
    const nowMs = this.#clock.monotonic()
    if (this.#last !== undefined && nowMs - this.#last.atMs < this.#forMs) return this.#last.metrics
    const metrics = this.#read()
    this.#last = { atMs: nowMs, metrics }
    metrics.catch(() => {
      if (this.#last?.metrics === metrics) this.#last = undefined
    })
    return metrics
  }
}
