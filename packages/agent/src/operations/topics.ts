// The operations on topics that Kafka's APIs, HTTP routes and commands share: find, create, delete, grow, and effective configs.
import { errors, type KafkaErrorName, type Outcome } from '@local-kafka-service/protocol'
import { type ConfigChanges, changedConfigs, type OwnConfigs } from '../core/config/config-changes.ts'
import type { ConfigType } from '../core/config/config-def.ts'
import { topicConfigs, topicConfigTable } from '../core/config/topic-configs.ts'
import type { TopicId } from '../core/ids.ts'
import { isInternalTopic } from '../core/internal-topics.ts'
import { fixedLimits } from '../limits.ts'
import type { DeletedTopic, Topic, Topics } from '../metadata/metadata-store.ts'
import type { EventHook } from '../observe/events.ts'
import { flag, number, type Settings } from '../settings.ts'
import type { Random } from '../time/clock.ts'
import type { Turns } from '../time/turns.ts'
import type { Catalog } from '../view/catalog.ts'
import type { Tails } from '../view/tails.ts'
import { type TopicConfigSource, topicConfig, topicConfigSources } from '../write/topic-config.ts'

export interface NewTopicRequest {
  readonly name: string
  /** -1 stands for `num.partitions`. */
  readonly partitions: number
  /** Default: 1. */
  readonly replicationFactor?: number
  readonly configs: Readonly<Record<string, string | null>>
  /** Makes all checks but changes nothing. */
  readonly dryRun: boolean
}

export interface EffectiveConfig {
  readonly name: string
  readonly value: string
  readonly source: TopicConfigSource
  readonly type: ConfigType
  readonly doc: string
  /** In order of precedence, like the synonyms of DescribeConfigs. */
  readonly synonyms: readonly { readonly name: string; readonly value: string; readonly source: TopicConfigSource }[]
}

/** The reason why an operation did nothing. */
export type Failure = Extract<Outcome<never>, { readonly kind: 'error' }>

export interface TopicOperationsParts {
  readonly topics: Topics
  readonly catalog: Catalog
  readonly tails: Tails
  readonly settings: Settings
  readonly turns: Turns
  readonly random: Random
  readonly emit: EventHook
}

export class TopicOperations {
  readonly #parts: TopicOperationsParts

  constructor(parts: TopicOperationsParts) {
    this.#parts = parts
  }

  /** In the order of `names`. The database is read for names that the catalog does not have. `autoCreate` creates missing topics, if the setting allows it. */
  async find(names: readonly string[], options: { readonly autoCreate: boolean }): Promise<readonly Outcome<Topic>[]> {
    const { catalog, settings, turns } = this.#parts
    const slice = turns.slice()
    // Of its own: the catalog may be cleared at any moment.
    const known = new Map<string, Outcome<Topic>>()
    const missing: string[] = []
    for (const name of new Set(names)) {
      const topic = catalog.byName(name)
      const error = nameError(name)
      if (topic !== undefined) known.set(name, { kind: 'ok', value: topic })
      else if (error !== undefined) known.set(name, failed('INVALID_TOPIC_EXCEPTION', error))
      else missing.push(name)
      if (slice.spent(1)) await slice.next()
    }
    for await (const found of this.#read(missing, (page) => ({ names: page })))
      for (const topic of found) known.set(topic.name, { kind: 'ok', value: topic })
    if (options.autoCreate && flag(settings, 'auto.create.topics.enable')) {
      let made = 0
      const others: string[] = []
      for (const name of missing) {
        if (known.has(name)) continue
        if (++made > fixedLimits.autoCreatedTopicsPerRequest) break
        const outcome = await this.#create({ name, partitions: -1, configs: {}, dryRun: false }, true)
        if (outcome.kind === 'error' && outcome.code === errors.TOPIC_ALREADY_EXISTS.code) others.push(name)
        else known.set(name, outcome)
      }
      for await (const found of this.#read(others, (page) => ({ names: page })))
        for (const topic of found) known.set(topic.name, { kind: 'ok', value: topic })
    }
    const outcomes: Outcome<Topic>[] = []
    for (const name of names) {
      outcomes.push(known.get(name) ?? noTopic(name))
      if (slice.spent(1)) await slice.next()
    }
    return outcomes
  }

  /** The names that have a topic, read from the database, not from the catalog. */
  async living(names: readonly string[]): Promise<ReadonlySet<string>> {
    const living = new Set<string>()
    for await (const found of this.#read(names, (page) => ({ names: page }))) for (const { name } of found) living.add(name)
    return living
  }

  /** A primary read into the catalog, in pages; other work runs between them. */
  async *#read(
    wanted: readonly string[],
    asked: (page: readonly string[]) => Parameters<Topics['find']>[0],
  ): AsyncIterable<readonly Topic[]> {
    const { topics, catalog, turns } = this.#parts
    const slice = turns.slice()
    for (let at = 0; at < wanted.length; at += fixedLimits.namesPerRead) {
      const page = wanted.slice(at, at + fixedLimits.namesPerRead)
      const { generation } = catalog
      const found = await topics.find(asked(page))
      catalog.publish(found, generation)
      yield found
      if (slice.spent(page.length)) await slice.next()
    }
  }

  async findById(topicIds: readonly TopicId[]): Promise<readonly Outcome<Topic>[]> {
    const { catalog, turns } = this.#parts
    const slice = turns.slice()
    const known = new Map<TopicId, Topic>()
    const missing: TopicId[] = []
    for (const topicId of new Set(topicIds)) {
      const topic = catalog.byId(topicId)
      if (topic === undefined) missing.push(topicId)
      else known.set(topicId, topic)
    }
    for await (const found of this.#read(missing, (page) => ({ topicIds: page })))
      for (const topic of found) known.set(topic.topicId, topic)
    const outcomes: Outcome<Topic>[] = []
    for (const topicId of topicIds) {
      const topic = known.get(topicId)
      outcomes.push(
        topic === undefined ? failed('UNKNOWN_TOPIC_ID', `There is no topic with id ${topicId}.`) : { kind: 'ok', value: topic },
      )
      if (slice.spent(1)) await slice.next()
    }
    return outcomes
  }

  /** All topics in order of name: a primary read. */
  async list(): Promise<readonly Topic[]> {
    const { topics, catalog } = this.#parts
    const { generation } = catalog
    const all = await topics.list()
    catalog.replace(all, generation)
    return all
  }

  /** A topic that exists is TOPIC_ALREADY_EXISTS, whatever else is wrong with the request: clients that create their topics at every start rely on it. */
  async create(asked: NewTopicRequest): Promise<Outcome<Topic>> {
    const outcome = await this.#create(asked, false)
    if (outcome.kind === 'ok' || outcome.code === errors.TOPIC_ALREADY_EXISTS.code) return outcome
    return this.unlessExists(asked.name, outcome)
  }

  /** The error of a topic that is not created; TOPIC_ALREADY_EXISTS takes precedence, as in Kafka. */
  async unlessExists(name: string, failure: Failure): Promise<Failure> {
    if (nameError(name) !== undefined) return failure
    const { topics, catalog } = this.#parts
    const { generation } = catalog
    const found = await topics.find({ names: [name] })
    catalog.publish(found, generation)
    return found.length === 0 ? failure : alreadyExists(name)
  }

  async #create(asked: NewTopicRequest, auto: boolean): Promise<Outcome<Topic>> {
    const { topics, catalog, settings, random, emit } = this.#parts
    const error = nameError(asked.name)
    if (error !== undefined) return failed('INVALID_TOPIC_EXCEPTION', error)
    // Kafka creates these itself: until then they are unknown, and creating one fails here with Kafka's error for __cluster_metadata.
    if (isInternalTopic(asked.name))
      return auto
        ? failed(
            'UNKNOWN_TOPIC_OR_PARTITION',
            `There is no topic '${asked.name}': this server keeps the contents of internal topics in its database.`,
          )
        : failed('INVALID_REQUEST', `Creation of internal topic ${asked.name} is prohibited.`)
    const partitions = asked.partitions === -1 ? number(settings, 'num.partitions') : asked.partitions
    if (!Number.isInteger(partitions) || partitions < 1)
      return failed('INVALID_PARTITIONS', 'Number of partitions was set to an invalid non-positive value.')
    if (partitions > fixedLimits.partitionsPerTopic)
      return failed(
        'INVALID_PARTITIONS',
        `Number of partitions was ${partitions}: use at most ${fixedLimits.partitionsPerTopic} per topic.`,
      )
    const configs = configsOfNewTopic(asked.configs)
    if (configs.kind === 'error') return configs
    const { generation } = catalog
    const result = await topics.create({
      topicId: newTopicId(random),
      name: asked.name,
      partitions,
      ...(asked.replicationFactor !== undefined && { replicationFactor: asked.replicationFactor }),
      configs: configs.value,
      dryRun: asked.dryRun,
    })
    switch (result.kind) {
      case 'created':
        if (!asked.dryRun) {
          catalog.publish([result.topic], generation)
          emit({ kind: 'topic created', name: asked.name, partitions, auto })
        }
        return { kind: 'ok', value: result.topic }
      case 'exists':
        catalog.publish([result.topic], generation)
        return alreadyExists(asked.name)
      case 'collides':
        return failed('INVALID_TOPIC_EXCEPTION', `Topic '${asked.name}' collides with existing topic: ${result.with}`)
    }
  }

  async delete(topic: { readonly name: string } | { readonly topicId: TopicId }): Promise<Outcome<Topic>> {
    const { topics, catalog, tails, emit } = this.#parts
    // Read from the database, not from the catalog: another agent may have created the name again.
    const [found] = await topics.find('name' in topic ? { names: [topic.name] } : { topicIds: [topic.topicId] })
    if (found === undefined) {
      return 'name' in topic ? noTopic(topic.name) : failed('UNKNOWN_TOPIC_ID', `There is no topic with id ${topic.topicId}.`)
    }
    const deleted = await topics.delete(found.topicId)
    catalog.forget(found.topicId)
    tails.forget(({ topicId }) => topicId === found.topicId)
    if (deleted === 'unknown') return noTopic(found.name)
    emit({ kind: 'topic deleted', name: found.name })
    return { kind: 'ok', value: found }
  }

  /** The deleted topics that can be brought back, the newest deletion first; from `purgeAtMs` on they cannot. A primary read. */
  async deleted(): Promise<readonly (DeletedTopic & { readonly purgeAtMs: number })[]> {
    const { topics, settings } = this.#parts
    const undeleteMs = number(settings, 'topic.undelete.ms')
    return (await topics.deleted()).map((topic) => ({ ...topic, purgeAtMs: topic.deletedAtMs + undeleteMs }))
  }

  /** Brings a deleted topic back with its records, but without the offsets that groups had committed. */
  async undelete(topicId: TopicId): Promise<Outcome<Topic>> {
    const { topics, catalog, emit } = this.#parts
    const { generation } = catalog
    const result = await topics.undelete(topicId)
    switch (result.kind) {
      case 'undeleted':
        catalog.publish([result.topic], generation)
        emit({ kind: 'topic undeleted', name: result.topic.name })
        return { kind: 'ok', value: result.topic }
      case 'taken':
        return failed('TOPIC_ALREADY_EXISTS', `Topic '${result.by}' has the name now.`)
      case 'unknown':
        return failed(
          'UNKNOWN_TOPIC_ID',
          `No deleted topic with id ${topicId} can be brought back. GET /deleted-topics and lks topic list --deleted show those that can, with their ids.`,
        )
    }
  }

  async grow(asked: { readonly name: string; readonly partitions: number; readonly dryRun: boolean }): Promise<Outcome<Topic>> {
    const { topics, catalog } = this.#parts
    const [found] = await topics.find({ names: [asked.name] })
    if (found === undefined) return noTopic(asked.name)
    if (asked.partitions > fixedLimits.partitionsPerTopic)
      return failed(
        'INVALID_PARTITIONS',
        `Number of partitions was ${asked.partitions}: use at most ${fixedLimits.partitionsPerTopic} per topic.`,
      )
    const { generation } = catalog
    const result = await topics.grow({ topicId: found.topicId, partitions: asked.partitions, dryRun: asked.dryRun })
    switch (result.kind) {
      case 'grown':
        if (!asked.dryRun) catalog.publish([result.topic], generation)
        return { kind: 'ok', value: result.topic }
      case 'unknown':
        return noTopic(asked.name)
      case 'not more':
        return failed(
          'INVALID_PARTITIONS',
          asked.partitions === result.partitions
            ? `Topic already has ${result.partitions} partition(s).`
            : `The topic ${asked.name} currently has ${result.partitions} partition(s); ${asked.partitions} would not be an increase.`,
        )
    }
  }

  /** Changes the topic's own configs, all or none of them. This agent acts on the new values from here on. */
  async changeConfigs(asked: {
    readonly name: string
    readonly changes: ConfigChanges
    readonly dryRun: boolean
  }): Promise<Outcome<Topic>> {
    const { topics, catalog } = this.#parts
    const error = nameError(asked.name)
    if (error !== undefined) return failed('INVALID_TOPIC_EXCEPTION', error)
    const { generation } = catalog
    const result = await topics.changeConfigs(asked)
    switch (result.kind) {
      case 'changed':
        if (!asked.dryRun) catalog.publish([result.topic], generation)
        return { kind: 'ok', value: result.topic }
      case 'unknown':
        return failed('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${asked.name}' does not exist.`)
      case 'rejected':
        return { kind: 'error', code: result.code, ...(result.message !== undefined && { message: result.message }) }
    }
  }

  /** Every config of a topic, with its effective value and the source of the value. */
  configs(topic: Topic): readonly EffectiveConfig[] {
    const { settings } = this.#parts
    return topicConfigs.map(({ name, type, doc }) => {
      const { value, source } = topicConfig(topic.configs, settings, name)
      return { name, value, source, type, doc, synonyms: topicConfigSources(topic.configs, settings, name) }
    })
  }
}

/** The violation of Kafka's rules for names, in Kafka's text; undefined when the name is legal. */
export function nameError(name: string): string | undefined {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed'
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed`
  if (name.length > fixedLimits.topicNameLength)
    return `Topic name is invalid: the length of '${name}' is longer than the max allowed length ${fixedLimits.topicNameLength}`
  if (!/^[a-zA-Z0-9._-]+$/.test(name))
    return `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  return undefined
}

/** Kafka reports a null in a new topic with a text and a code of its own. */
function configsOfNewTopic(asked: NewTopicRequest['configs']): Outcome<OwnConfigs> {
  const configs = Object.entries(asked).map(([name, value]) => ({ name, value }))
  const nulls = configs.filter(({ value }) => value === null)
  if (nulls.length > 0)
    return failed('INVALID_CONFIG', `Null value not supported for topic configs: ${nulls.map(({ name }) => name).join(',')}`)
  return changedConfigs({}, { kind: 'full', configs }, topicConfigTable)
}

function alreadyExists(name: string): ReturnType<typeof failed> {
  return failed('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
}

function noTopic(name: string): Outcome<never> {
  return failed('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic '${name}'.`)
}

function newTopicId(random: Random): TopicId {
  // A UUID of version 4 (RFC 9562), as in Kafka. An id that begins with '-' looks like a flag on a command line, so another one is drawn; Kafka does the same.
  for (;;) {
    const bytes = Buffer.from(random.bytes(16))
    bytes[6] = (bytes.readUInt8(6) & 0x0f) | 0x40
    bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80
    const text = bytes.toString('base64url')
    if (!text.startsWith('-')) return text
  }
}

function failed(error: KafkaErrorName, message: string): { readonly kind: 'error'; readonly code: number; readonly message: string } {
  return { kind: 'error', code: errors[error].code, message }
}
