// The route that produces one record on the data plane: the raw bytes `key:value`, or JSON that is labelled as JSON, which is a value without a key.
import { number } from '@local-kafka-service/agent'
import type { FastifyInstance } from 'fastify'
import { httpLimits } from './limits.ts'
import type { PlaneParts } from './plane.ts'
import { Problem, problemOfRejection } from './problem.ts'
import { keyJson } from './record-json.ts'
import { answeredElsewhere, type ForwardQuery, forwardQuery } from './reroute.ts'
import { problemAnswers } from './schemas.ts'
import { topicParams } from './topics.ts'

export function produceRoutes(app: FastifyInstance, parts: PlaneParts): void {
  const { records } = parts.agent.operations
  const { settings } = parts.agent.shared

  app.post<{ Params: { readonly topic: string; readonly partition: number }; Querystring: ForwardQuery; Body: Buffer | undefined }>(
    '/topics/:topic/produce/:partition',
    {
      bodyLimit: number(settings, 'http.produce.max.bytes'),
      config: { access: { operation: 'WRITE', resource: 'topic in path' } },
      schema: {
        operationId: 'produceOne',
        summary: 'Produce one record',
        description:
          'The body is the raw bytes `key:value`. It is split at the first colon, and the answer shows the key; without a colon the key is null. ' +
          'A JSON body with `Content-Type: application/json` is a value without a key. Other content types have no effect. ' +
          'The server answers when the record is stored. With an `Idempotency-Key` a repeated request stores the record only once and gets the first answer again, with `Idempotent-Replay: true`. ' +
          "curl's `-d @file` removes line breaks; `--data-binary @file` keeps them.",
        tags: ['records'],
        params: partitionParams,
        querystring: forwardQuery,
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
            description: 'The place of the record',
            headers: {
              'Idempotent-Replay': {
                type: 'string',
                enum: ['true'],
                description: 'Present when an earlier request with this key stored the record.',
              },
            },
            type: 'object',
            required: ['topic', 'partition', 'offset', 'timestamp', 'key'],
            properties: {
              topic: { type: 'string' },
              partition: { type: 'integer' },
              offset: { type: 'integer' },
              timestamp: { type: 'integer', description: 'Milliseconds since the epoch.' },
              key: { type: ['string', 'null'], description: 'The key: the part of the body before the first colon.' },
              keyEncoding: { type: 'string', enum: ['base64'] },
            },
          },
          ...problemAnswers(307, 400, 404, 413, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { topic, partition } = request.params
      const idempotencyKey = keyOf(request.headers['idempotency-key'])
      const body = request.body ?? new Uint8Array(0)
      const record = request.saysJson && isJson(body) ? { key: null, value: body } : split(body)
      const produced = await records.produceOne({
        topic,
        partition,
        ...record,
        ...(idempotencyKey !== undefined && { idempotencyKey }),
        signal: request.requestContext.signal,
        producer: request.socket,
      })
      switch (produced.kind) {
        case 'appended':
          if (produced.replayed) reply.header('idempotent-replay', 'true')
          return { topic, partition: produced.partition, offset: produced.offset, timestamp: produced.timestamp, ...keyJson(record.key) }
        case 'key reused':
          throw new Problem('keyReused')
        case 'elsewhere':
          return await answeredElsewhere(produced, request, reply, parts)
        case 'out of range':
        case 'damaged':
        case 'error':
          throw problemOfRejection(produced)
      }
    },
  )
}

export const partitionParams = {
  type: 'object',
  required: ['topic', 'partition'],
  properties: { ...topicParams.properties, partition: { type: 'integer', minimum: 0 } },
} as const

/** `key:value` is never valid JSON, so the content type alone does not decide. */
function isJson(body: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString())
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

const colon = 0x3a

function split(body: Uint8Array): { readonly key: Uint8Array | null; readonly value: Uint8Array } {
  const at = body.indexOf(colon)
  return at < 0 ? { key: null, value: body } : { key: body.subarray(0, at), value: body.subarray(at + 1) }
}

/** In the IETF draft the key is a quoted string; most clients send it without quotes. */
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
