// The routes of damaged storage on the control plane: list it, check all objects, skip what is lost.
import { type DamagedPlace, fixedLimits, type StorageCheck } from '@local-kafka-service/agent'
import type { FastifyInstance } from 'fastify'
import { isoTime } from './iso-time.ts'
import type { PlaneParts } from './plane.ts'
import { Problem, problemOfCode } from './problem.ts'
import { problemAnswers } from './schemas.ts'
import { topicParams } from './topics.ts'

interface SkipBody {
  readonly partition?: number
  readonly offset?: number
  readonly apply?: boolean
}

const noQuery = { type: 'object', additionalProperties: false, properties: {} } as const

export function damageRoutes(app: FastifyInstance, { agent }: PlaneParts): void {
  const { damage } = agent.operations

  app.get(
    '/storage/damage',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'cluster' } },
      schema: {
        operationId: 'listDamage',
        summary: 'List the offsets that are known to be damaged, and those that were skipped',
        description:
          'The agent learns of damage when a client reads it, from a check of the storage, and from its scrubber. After a start the list begins empty.',
        tags: ['storage'],
        querystring: noQuery,
        response: { 200: damageSchema, ...problemAnswers(503) },
      },
    },
    async () => {
      const skipped: Awaited<ReturnType<typeof damage.skipped>>[number][] = []
      for (let page = await damage.skipped(); page.length > 0; page = await damage.skipped(page.at(-1))) {
        skipped.push(...page)
        if (skipped.length >= fixedLimits.damageReports) break
      }
      return {
        damage: damage.list().map(placeJson),
        skipped: skipped.map(({ topic, partition, offset, lastOffset, objectKey, reason, skippedAtMs }) => {
          return { topic, partition, offset, lastOffset, object: objectKey, message: reason, skippedAt: isoTime(skippedAtMs) }
        }),
      }
    },
  )

  app.post(
    '/storage/check',
    {
      config: { access: { operation: 'ALTER', resource: 'cluster' } },
      schema: {
        operationId: 'beginCheck',
        summary: 'Begin to read all stored objects and compare their checksums',
        description: 'If a check is in progress already, that one is returned. It reads one object at a time, at a limited rate.',
        tags: ['storage'],
        response: { 200: checkSchema, ...problemAnswers(503) },
      },
    },
    () => checkJson(damage.beginCheck()),
  )

  app.get(
    '/storage/check',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'cluster' } },
      schema: {
        operationId: 'showCheck',
        summary: 'Show the progress of the check, or the result of the last one',
        tags: ['storage'],
        querystring: noQuery,
        response: { 200: checkSchema, ...problemAnswers(404, 503) },
      },
    },
    () => {
      const check = damage.check()
      if (check === undefined) throw noCheck()
      return checkJson(check)
    },
  )

  app.delete(
    '/storage/check',
    {
      config: { access: { operation: 'ALTER', resource: 'cluster' } },
      schema: {
        operationId: 'stopCheck',
        summary: 'Stop the check',
        tags: ['storage'],
        querystring: noQuery,
        response: { 200: checkSchema, ...problemAnswers(404, 503) },
      },
    },
    () => {
      damage.stopCheck()
      const check = damage.check()
      if (check === undefined) throw noCheck()
      return checkJson(check)
    },
  )

  app.post<{ Params: { readonly topic: string }; Body: SkipBody }>(
    '/topics/:topic/skip-damaged',
    {
      config: { access: { operation: 'DELETE', resource: 'topic in path' } },
      schema: {
        operationId: 'skipDamaged',
        summary: 'Make consumers pass over the damaged offsets of a topic',
        description:
          'Returns a preview; `"apply": true` skips the offsets. It cannot be undone. Only damage that is known is skipped, and each place is read again first; `offset` names a place that is not known yet. The other records keep their offsets, and the stored bytes are not deleted.',
        tags: ['storage'],
        params: topicParams,
        body: skipSchema,
        response: { 200: skippedSchema, ...problemAnswers(400, 404, 503) },
      },
    },
    async ({ params, body, requestContext }) => {
      const { partition, offset, apply = false } = body
      const skipped = await damage.skip({
        topic: params.topic,
        ...(partition !== undefined && { partition }),
        ...(offset !== undefined && { offset }),
        dryRun: !apply,
        signal: requestContext.signal,
      })
      if (skipped.kind === 'error') throw problemOfCode(skipped.code, skipped.message)
      return { topic: params.topic, applied: apply, ranges: skipped.value.map(placeJson) }
    },
  )
}

function noCheck(): Problem {
  return new Problem('notFound', 'No check has run since the start of this agent.', { hint: 'POST /storage/check begins one.' })
}

function placeJson({ topic, partition, offset, lastOffset, objectKey, damageKind, message }: DamagedPlace): object {
  return { topic, partition, offset, lastOffset, object: objectKey, kind: damageKind, message }
}

function checkJson({ state, startedAtMs, endedAtMs, objects, bytes, damagedObjects, harmlessObjects, message }: StorageCheck): object {
  return {
    state,
    startedAt: isoTime(startedAtMs),
    endedAt: endedAtMs === undefined ? null : isoTime(endedAtMs),
    objects,
    bytes,
    damagedObjects,
    harmlessObjects,
    message: message ?? null,
  }
}

const text = { type: 'string' } as const
const count = { type: 'integer' } as const
const progress = { type: 'object', required: ['checked', 'total'], properties: { checked: count, total: count } } as const

const rangeProperties = {
  topic: text,
  partition: count,
  offset: { ...count, description: 'The first offset of the range.' },
  lastOffset: count,
  object: { ...text, description: 'The key of the stored object.' },
  message: { ...text, description: 'Describes the damage to the bytes.' },
} as const
const rangeRequired = ['topic', 'partition', 'offset', 'lastOffset', 'object', 'message'] as const

const placeSchema = {
  type: 'object',
  required: [...rangeRequired, 'kind'],
  properties: { ...rangeProperties, kind: { ...text, description: 'missing, cut off, or changed.' } },
} as const

const damageSchema = {
  description: 'The damaged and the skipped offsets',
  type: 'object',
  required: ['damage', 'skipped'],
  properties: {
    damage: { type: 'array', items: placeSchema, description: 'Clients that read these offsets receive an error.' },
    skipped: {
      type: 'array',
      description: 'Clients pass over these offsets.',
      items: {
        type: 'object',
        required: [...rangeRequired, 'skippedAt'],
        properties: { ...rangeProperties, skippedAt: { type: 'string', format: 'date-time' } },
      },
    },
  },
} as const

const checkSchema = {
  description: 'The check',
  type: 'object',
  required: ['state', 'startedAt', 'endedAt', 'objects', 'bytes', 'damagedObjects', 'harmlessObjects', 'message'],
  properties: {
    state: { ...text, description: 'running, complete, failed (a store did not answer), or stopped.' },
    startedAt: { type: 'string', format: 'date-time' },
    endedAt: { type: ['string', 'null'], format: 'date-time' },
    objects: { ...progress, description: 'The total is that of the start.' },
    bytes: progress,
    damagedObjects: { ...count, description: 'Objects that are missing or differ from what was committed.' },
    harmlessObjects: { ...count, description: 'Those of them whose damage affects no record, or only skipped ones.' },
    message: { type: ['string', 'null'], description: 'The reason of a failure.' },
  },
} as const

const skipSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    partition: { type: 'integer', minimum: 0, description: 'The default is all partitions.' },
    offset: { type: 'integer', minimum: 0, description: 'Only the damage at this offset; needs `partition`.' },
    apply: { type: 'boolean', default: false, description: 'Skip the offsets; otherwise the answer is a preview.' },
  },
} as const

const skippedSchema = {
  description: 'The skipped ranges',
  type: 'object',
  required: ['topic', 'applied', 'ranges'],
  properties: {
    topic: text,
    applied: { type: 'boolean', description: 'False for a preview.' },
    ranges: { type: 'array', items: placeSchema },
  },
} as const
