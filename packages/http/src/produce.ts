// Produce one record on the data plane: the raw bytes `key:value`, whatever the content type.
import { number } from '@local-kafka-service/agent'
import type { FastifyInstance } from 'fastify'
import { rerouted } from './elsewhere.ts'
import { httpLimits } from './limits.ts'
import type { PlaneParts } from './plane.ts'
import { Problem, problemOfRefusal } from './problem.ts'
import { problemAnswers } from './schemas.ts'
import { topicParams } from './topics.ts'

export function produceRoutes(app: FastifyInstance, parts: PlaneParts): void {
  const { records, settings } = parts.agent.services

  app.post<{ Params: { readonly topic: string; readonly partition: number }; Body: Buffer | undefined }>(
    '/topics/:topic/produce/:partition',
    {
      bodyLimit: number(settings, 'http.produce.max.bytes'),
      config: { access: { operation: 'WRITE', resource: 'topic in path' } },
      schema: {
        operationId: 'produceOne',
        summary: 'Produce one record',
        description:
          'The body is the raw bytes `key:value`, whatever the content type: it is split at the first colon; without a colon the key is null. ' +
          'The answer comes when the record is stored. With an `Idempotency-Key` a repeated request is stored once and gets the first answer again, with `Idempotent-Replay: true`. ' +
          "curl's `-d @file` drops line ends; `--data-binary @file` keeps them.",
        tags: ['records'],
        params: partitionParams,
        querystring: { type: 'object', additionalProperties: false, properties: {} },
        headers: {
          type: 'object',
          properties: {
            'idempotency-key': {
              type: 'string',
              description: `1 to ${httpLimits.idempotencyKeyLength} printable ASCII characters, plain or in double quotes.`,
            },
          },
        },
        consumes: ['application/octet-stream'],
        response: {
          200: {
            description: 'Where the record is',
            headers: {
              'Idempotent-Replay': {
                type: 'string',
                enum: ['true'],
                description: 'There when an earlier request with this key stored the record.',
              },
            },
            type: 'object',
            required: ['topic', 'partition', 'offset', 'timestamp'],
            properties: {
              topic: { type: 'string' },
              partition: { type: 'integer' },
              offset: { type: 'integer' },
              timestamp: { type: 'integer', description: 'Milliseconds since the epoch.' },
            },
          },
          ...problemAnswers(307, 400, 404, 413, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { topic, partition } = request.params
      const idempotencyKey = keyOf(request.headers['idempotency-key'])
      const produced = await records.produceOne({
        topic,
        partition,
        ...split(request.body ?? new Uint8Array(0)),
        ...(idempotencyKey !== undefined && { idempotencyKey }),
        signal: request.requestContext.signal,
      })
      switch (produced.kind) {
        case 'appended':
          if (produced.replayed) reply.header('idempotent-replay', 'true')
          return { topic, partition: produced.partition, offset: produced.offset, timestamp: produced.timestamp }
        case 'key reused':
          throw new Problem('keyReused')
        case 'elsewhere':
          throw rerouted(produced, { topic, url: request.url }, parts)
        case 'out of range':
        case 'damaged':
        case 'error':
          throw problemOfRefusal(produced)
      }
    },
  )
}

export const partitionParams = {
  type: 'object',
  required: ['topic', 'partition'],
  properties: { ...topicParams.properties, partition: { type: 'integer', minimum: 0 } },
} as const

const colon = 0x3a

function split(body: Uint8Array): { readonly key: Uint8Array | null; readonly value: Uint8Array } {
  const at = body.indexOf(colon)
  return at < 0 ? { key: null, value: body } : { key: body.subarray(0, at), value: body.subarray(at + 1) }
}

/** The draft of the IETF has the key as a quoted string; most clients send it plain. */
function keyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  const text = Array.isArray(header) ? header.join(', ') : header
  const key = /^"([^"\\]*)"$/.exec(text)?.[1] ?? text
  if (!/^[\x20-\x7e]+$/.test(key) || key.includes('"') || key.length > httpLimits.idempotencyKeyLength) {
    throw new Problem(
      'badRequest',
      `The header 'Idempotency-Key' must be 1 to ${httpLimits.idempotencyKeyLength} printable ASCII characters, plain or in double quotes.`,
    )
  }
  return key
}
