// What this agent did in the last minutes, on the control plane: the requests of its Kafka clients, and the life of the last objects.
import { type RecentFlush, type RequestRow, recentMinutes } from '@local-kafka-service/agent'
import type { FastifyInstance } from 'fastify'
import { isoTime } from './iso-time.ts'
import type { PlaneParts } from './plane.ts'
import { problemAnswers } from './schemas.ts'

const config = { access: { operation: 'DESCRIBE', resource: 'cluster' } } as const

export function activityRoutes(app: FastifyInstance, { agent }: PlaneParts): void {
  const { requests, flushes } = agent.recent

  app.get<{ Querystring: { readonly minutes?: string } }>(
    '/requests',
    {
      config,
      schema: {
        operationId: 'listRequests',
        summary: 'Show which Kafka clients sent which requests to this agent, how long the answers took, and which errors they had',
        description:
          'The most frequent requests are first. A Fetch and a JoinGroup may wait for data or members: that is part of their time.',
        tags: ['operations'],
        querystring: minutesSchema,
        response: { 200: requestsSchema, ...problemAnswers(400, 503) },
      },
    },
    ({ query }) => {
      const minutes = Number(query.minutes ?? '5')
      return { minutes, requests: requests.read(minutes).map(requestJson) }
    },
  )

  app.get(
    '/flushes',
    {
      config,
      schema: {
        operationId: 'listFlushes',
        summary: 'Show the last flushes of this agent: how long each object was open, was being stored, and was being committed',
        tags: ['operations'],
        querystring: { type: 'object', additionalProperties: false, properties: {} },
        response: { 200: flushesSchema, ...problemAnswers(503) },
      },
    },
    () => ({ flushes: flushes.read().map(flushJson) }),
  )
}

function requestJson({ p50Ms, p99Ms, errors, ...row }: RequestRow): object {
  return {
    ...row,
    p50Ms: finite(p50Ms),
    p99Ms: finite(p99Ms),
    errors: errors.map(({ error, count: times, subject, message, lastAtMs }) => ({
      error,
      count: times,
      subject: subject ?? null,
      message: message ?? null,
      lastAt: isoTime(lastAtMs),
    })),
  }
}

/** JSON has no Infinity. */
function finite(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null
}

function flushJson({ sealedAtMs, storeMs, waitMs, commitMs, failure, ...flush }: RecentFlush): object {
  const phases = { storeMs: storeMs ?? null, waitMs: waitMs ?? null, commitMs: commitMs ?? null, failure: failure ?? null }
  return { ...flush, sealedAt: isoTime(sealedAtMs), ...phases }
}

const count = { type: 'integer' } as const
const text = { type: 'string' } as const
const nullableText = { type: ['string', 'null'] } as const
const ms = { type: 'number' } as const
const nullableMs = { type: ['number', 'null'] } as const
const time = { type: 'string', format: 'date-time' } as const

const minutesSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    minutes: {
      type: 'string',
      pattern: `^([1-9]|${recentMinutes})$`,
      default: '5',
      description: `How many minutes back, from 1 to ${recentMinutes}. The present minute counts as one.`,
    },
  },
} as const

const requestsSchema = {
  description: 'The requests of the last minutes',
  type: 'object',
  required: ['minutes', 'requests'],
  properties: {
    minutes: count,
    requests: {
      type: 'array',
      items: {
        type: 'object',
        required: ['clientId', 'others', 'api', 'requests', 'bytesIn', 'bytesOut', 'meanMs', 'p50Ms', 'p99Ms', 'maxMs', 'errors'],
        properties: {
          clientId: { ...nullableText, description: 'Its first 255 characters. Null: the requests have none, or `others` is true.' },
          others: {
            type: 'boolean',
            description: 'These are the requests beyond the first 200 clients, or the first 1,000 rows, of a minute.',
          },
          api: { ...text, description: "Kafka's name of the request." },
          requests: count,
          bytesIn: count,
          bytesOut: count,
          meanMs: ms,
          p50Ms: {
            ...ms,
            type: ['number', 'null'],
            description: 'The upper bound of the interval that holds the median. Null: above 30 s.',
          },
          p99Ms: { ...ms, type: ['number', 'null'], description: 'The same for the 99th percentile.' },
          maxMs: ms,
          errors: {
            type: 'array',
            items: {
              type: 'object',
              required: ['error', 'count', 'subject', 'message', 'lastAt'],
              properties: {
                error: { ...text, description: "Kafka's name of the error." },
                count: { ...count, description: 'A request about several partitions may have it several times.' },
                subject: { ...nullableText, description: 'What the last one was about, if the server reported it.' },
                message: { ...nullableText, description: 'Why, if the server reported it.' },
                lastAt: time,
              },
            },
          },
        },
      },
    },
  },
} as const

const flushesSchema = {
  description: 'The last flushes, the newest first',
  type: 'object',
  required: ['flushes'],
  properties: {
    flushes: {
      type: 'array',
      items: {
        type: 'object',
        required: [
          'sequence',
          'trigger',
          'sizeBytes',
          'batches',
          'partitions',
          'sealedAt',
          'openMs',
          'storeMs',
          'waitMs',
          'commitMs',
          'failure',
        ],
        properties: {
          sequence: { ...count, description: 'Its place in the line of commits.' },
          trigger: { ...text, description: 'Why it was sealed: `size`, `time`, `idle`, `waiting` (producers waited for it) or `drain`.' },
          sizeBytes: count,
          batches: count,
          partitions: count,
          sealedAt: { ...time, description: 'When its object was sealed.' },
          openMs: { ...ms, description: 'How long the object took in batches.' },
          storeMs: { ...nullableMs, description: 'How long the store took to put it. Null: it is still being stored.' },
          waitMs: { ...nullableMs, description: 'How long it waited for the commits before it.' },
          commitMs: { ...nullableMs, description: 'How long its commit took. Null: it is not committed yet.' },
          failure: { ...nullableText, description: 'Why it was abandoned. Its producers send the records again.' },
        },
      },
    },
  },
} as const
