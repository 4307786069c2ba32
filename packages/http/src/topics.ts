// The routes of topics on the control plane: create, list, show, change, delete.
import { fixedLimits, number, type Topic } from '@local-kafka-service/agent'
import type { FastifyInstance } from 'fastify'
import { isoTime } from './iso-time.ts'
import { httpLimits } from './limits.ts'
import type { PlaneParts } from './plane.ts'
import { Problem, problemOfCode } from './problem.ts'
import { problemAnswers } from './schemas.ts'

interface NewTopicBody {
  readonly name: string
  readonly partitions?: number
  readonly config?: Readonly<Record<string, string | number | boolean>>
}

interface ChangedTopicBody {
  readonly config: Readonly<Record<string, string | number | boolean | null>>
  readonly dryRun?: boolean
}

export function topicRoutes(app: FastifyInstance, { agent }: PlaneParts): void {
  const { topics, records } = agent.operations
  const { settings, clock } = agent.shared

  app.post<{ Body: NewTopicBody }>(
    '/topics',
    {
      config: { access: { operation: 'CREATE', resource: 'topic in body' } },
      schema: {
        operationId: 'createTopic',
        summary: 'Create a topic',
        description:
          'The body is read as JSON, whatever the content type. Without `partitions` the topic gets the number of the setting `http.num.partitions` (100).',
        tags: ['topics'],
        body: newTopicSchema,
        response: { 200: topicSchema, ...problemAnswers(400, 409, 503) },
      },
    },
    async ({ body }) => {
      const { name, partitions } = body
      // -1 would stand for Kafka's default, which is not the default of this route.
      if (partitions !== undefined && partitions < 1)
        throw new Problem('invalidPartitions', `Number of partitions was ${partitions}: use at least 1.`)
      const configs = Object.fromEntries(Object.entries(body.config ?? {}).map(([key, value]) => [key, String(value)]))
      const made = await topics.create({ name, partitions: partitions ?? number(settings, 'http.num.partitions'), configs, dryRun: false })
      if (made.kind === 'ok') return topicJson(made.value)
      const problem = problemOfCode(made.code, made.message)
      if (problem.kind !== 'topicExists') throw problem
      const [existing] = await topics.find([name], { autoCreate: false })
      if (existing?.kind !== 'ok') throw problem
      const { partitions: has, createdAtMs } = existing.value
      throw new Problem(
        'topicExists',
        `Topic '${name}' already exists (${has} partition${has === 1 ? '' : 's'}, created ${ago(clock.now() - createdAtMs)} ago).`,
        { hint: `Use GET /topics/${name} to see it, or DELETE it first.` },
      )
    },
  )

  app.get<{ Querystring: { readonly counts?: 'records' | 'bytes' } }>(
    '/topics',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'cluster' } },
      schema: {
        operationId: 'listTopics',
        summary: 'List all topics, by name',
        tags: ['topics'],
        description:
          '`counts` adds numbers to each topic: `records`, the offsets from the start to the end of its partitions, and with `counts=bytes` also `bytes`. `bytes` adds up all segments, so ask for it rarely if logs are long. ' +
          `Only the first ${httpLimits.countedPartitions} partitions of the list are counted; topics after them have no numbers.`,
        querystring: countsQuerySchema,
        response: {
          200: {
            description: 'All topics',
            type: 'object',
            required: ['topics'],
            properties: { topics: { type: 'array', items: listedTopicSchema } },
          },
          ...problemAnswers(503),
        },
      },
    },
    async ({ query }) => {
      const all = await topics.list()
      if (query.counts === undefined) return { topics: all.map(topicJson) }
      const counted = firstTopics(all, httpLimits.countedPartitions)
      const counts = await records.counts(counted, { bytes: query.counts === 'bytes' })
      return { topics: all.map((topic, index) => ({ ...topicJson(topic), ...counts[index] })) }
    },
  )

  app.get<{ Params: { readonly topic: string }; Querystring: { readonly counts?: 'records' | 'bytes' } }>(
    '/topics/:topic',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'topic in path' } },
      schema: {
        operationId: 'showTopic',
        summary: 'Show a topic with its effective configs',
        description: '`counts` adds numbers, as in the list of topics.',
        tags: ['topics'],
        params: topicParams,
        querystring: countsQuerySchema,
        response: { 200: shownTopicSchema, ...problemAnswers(400, 404, 503) },
      },
    },
    async ({ params, query }) => {
      const [found] = await topics.find([params.topic], { autoCreate: false })
      if (found?.kind !== 'ok')
        throw found === undefined ? new Problem('unknownTopicOrPartition') : problemOfCode(found.code, found.message)
      const counted = query.counts === undefined ? [] : firstTopics([found.value], httpLimits.countedPartitions)
      const [counts] = await records.counts(counted, { bytes: query.counts === 'bytes' })
      return {
        ...topicJson(found.value),
        ...counts,
        effectiveConfig: topics.configs(found.value).map(({ name, value, source, type, doc }) => ({ name, value, source, type, doc })),
      }
    },
  )

  app.get<{ Params: { readonly topic: string }; Querystring: { readonly from?: string } }>(
    '/topics/:topic/partitions',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'topic in path' } },
      schema: {
        operationId: 'showPartitions',
        summary: "Show a topic's partitions with their offsets and bytes",
        description: `At most ${fixedLimits.namesPerRead} partitions, from the partition \`from\` on.`,
        tags: ['topics'],
        params: topicParams,
        querystring: partitionsQuerySchema,
        response: { 200: partitionsSchema, ...problemAnswers(400, 404, 503) },
      },
    },
    async ({ params, query }) => {
      const [found] = await topics.find([params.topic], { autoCreate: false })
      if (found?.kind !== 'ok')
        throw found === undefined ? new Problem('unknownTopicOrPartition') : problemOfCode(found.code, found.message)
      const page = { from: Number(query.from ?? 0), maxPartitions: fixedLimits.namesPerRead }
      return { topic: found.value.name, partitions: await records.partitions(found.value, page) }
    },
  )

  app.patch<{ Params: { readonly topic: string }; Body: ChangedTopicBody }>(
    '/topics/:topic',
    {
      config: { access: { operation: 'ALTER_CONFIGS', resource: 'topic in path' } },
      schema: {
        operationId: 'changeTopic',
        summary: 'Change configs of a topic',
        description:
          'The body is read as JSON, whatever the content type. Each config in `config` gets the value, or its default if the value is null. The others keep their values. All changes are made, or none. `"dryRun": true` makes all checks and returns the topic as it would be, but changes nothing.',
        tags: ['topics'],
        params: topicParams,
        body: changedTopicSchema,
        response: { 200: topicSchema, ...problemAnswers(400, 404, 503) },
      },
    },
    async ({ params, body }) => {
      const changes = Object.entries(body.config).map(([name, value]) =>
        value === null ? ({ name, operation: 'DELETE', value } as const) : ({ name, operation: 'SET', value: String(value) } as const),
      )
      const changed = await topics.changeConfigs({
        name: params.topic,
        changes: { kind: 'incremental', changes },
        dryRun: body.dryRun ?? false,
      })
      if (changed.kind === 'error') throw problemOfCode(changed.code, changed.message)
      return topicJson(changed.value)
    },
  )

  app.delete<{ Params: { readonly topic: string } }>(
    '/topics/:topic',
    {
      config: { access: { operation: 'DELETE', resource: 'topic in path' } },
      schema: {
        operationId: 'deleteTopic',
        summary: 'Delete a topic and all its records',
        description:
          'Returns the deleted topic. For `topic.undelete.ms` (a day) POST /topics/{id}/undelete brings it back; GET /deleted-topics lists such topics.',
        tags: ['topics'],
        params: topicParams,
        querystring: { type: 'object', additionalProperties: false, properties: {} },
        response: { 200: topicSchema, ...problemAnswers(400, 404, 503) },
      },
    },
    async ({ params }) => {
      const deleted = await topics.delete({ name: params.topic })
      if (deleted.kind === 'error') throw problemOfCode(deleted.code, deleted.message)
      return topicJson(deleted.value)
    },
  )

  app.post<{ Params: { readonly id: string } }>(
    '/topics/:id/undelete',
    {
      config: { access: { operation: 'ALTER', resource: 'cluster' } },
      schema: {
        operationId: 'undeleteTopic',
        summary: 'Bring a deleted topic back with its records',
        description:
          'Works for `topic.undelete.ms` after the deletion, while no other topic has the name. The offsets that groups had committed stay deleted. Returns the topic.',
        tags: ['topics'],
        params: {
          type: 'object',
          required: ['id'],
          properties: { id: { type: 'string', description: "The topic's id, which DELETE /topics/{topic} returned." } },
        },
        response: { 200: topicSchema, ...problemAnswers(404, 409, 503) },
      },
    },
    async ({ params }) => {
      const undeleted = await topics.undelete(params.id)
      if (undeleted.kind === 'error') throw problemOfCode(undeleted.code, undeleted.message)
      return topicJson(undeleted.value)
    },
  )
}

function topicJson({ name, topicId, partitions, configs, createdAtMs }: Topic): object {
  return { name, id: topicId, partitions, config: configs, createdAt: isoTime(createdAtMs) }
}

/** A rounded duration for people. */
function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 120 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

export const topicParams = {
  type: 'object',
  required: ['topic'],
  properties: { topic: { type: 'string', description: "The topic's name." } },
} as const

const newTopicSchema = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', examples: ['hello'] },
    partitions: { type: 'integer', description: 'At least 1.' },
    config: {
      type: 'object',
      description: "Topic configs under Kafka's names.",
      additionalProperties: { type: ['string', 'number', 'boolean'] },
    },
  },
} as const

const changedTopicSchema = {
  type: 'object',
  required: ['config'],
  additionalProperties: false,
  properties: {
    config: {
      type: 'object',
      description: "Topic configs under Kafka's names; null resets a config to its default.",
      additionalProperties: { type: ['string', 'number', 'boolean', 'null'] },
      examples: [{ 'max.message.bytes': 2_000_000, 'min.insync.replicas': null }],
    },
    dryRun: { type: 'boolean', default: false },
  },
} as const

const topicProperties = {
  name: { type: 'string' },
  id: { type: 'string', description: "The topic's id in Kafka's text form. An id is never reused." },
  partitions: { type: 'integer' },
  config: { type: 'object', description: 'The configs that were set for this topic.', additionalProperties: { type: 'string' } },
  createdAt: { type: 'string', format: 'date-time' },
} as const
const topicRequired = ['name', 'id', 'partitions', 'config', 'createdAt'] as const

const topicSchema = { description: 'The topic', type: 'object', required: topicRequired, properties: topicProperties } as const

/** The topics from the start of the list whose partitions are at most this many. */
function firstTopics(all: readonly Topic[], maxPartitions: number): readonly Topic[] {
  let partitions = 0
  const end = all.findIndex((topic) => (partitions += topic.partitions) > maxPartitions)
  return end === -1 ? all : all.slice(0, end)
}

const countsQuerySchema = {
  type: 'object',
  additionalProperties: false,
  properties: { counts: { type: 'string', enum: ['records', 'bytes'] } },
} as const

const partitionsQuerySchema = {
  type: 'object',
  additionalProperties: false,
  // Text: bodies of this plane are not coerced, so neither are queries.
  properties: { from: { type: 'string', pattern: '^\\d{1,9}$', description: 'The first partition. Default: 0.' } },
} as const

const countProperties = {
  records: {
    type: 'integer',
    description:
      'With `counts`: the offsets from the start to the end of all partitions. Compaction and markers of transactions leave offsets without a record.',
  },
  bytes: { type: 'integer', description: 'With `counts=bytes`: the stored bytes.' },
} as const

const listedTopicSchema = {
  type: 'object',
  required: topicRequired,
  properties: { ...topicProperties, ...countProperties },
} as const

const partitionsSchema = {
  description: 'The partitions',
  type: 'object',
  required: ['topic', 'partitions'],
  properties: {
    topic: { type: 'string' },
    partitions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['partition', 'logStartOffset', 'highWatermark', 'lastStableOffset', 'bytes', 'newest'],
        properties: {
          partition: { type: 'integer' },
          logStartOffset: { type: 'integer' },
          highWatermark: { type: 'integer' },
          lastStableOffset: { type: 'integer' },
          bytes: { type: 'integer', description: 'The stored bytes.' },
          newest: {
            type: ['integer', 'null'],
            description: 'The largest timestamp, in milliseconds since the epoch; null without records.',
          },
        },
      },
    },
  },
} as const

const shownTopicSchema = {
  description: 'The topic',
  type: 'object',
  required: [...topicRequired, 'effectiveConfig'],
  properties: {
    ...topicProperties,
    ...countProperties,
    effectiveConfig: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'value', 'source', 'type', 'doc'],
        properties: {
          name: { type: 'string' },
          value: { type: 'string' },
          source: { type: 'string', description: 'The source of the value, with the names of DescribeConfigs.' },
          type: { type: 'string' },
          doc: { type: 'string', description: 'What the config does.' },
        },
      },
    },
  },
} as const
