// The routes that read records on the data plane: a partition from an offset on, or a topic by key and time; as JSON, as NDJSON, or as a live tail.
import { type From, fixedLimits, type RecordFilter, type TailRecords } from '@local-kafka-service/agent'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { eventText } from './event-stream.ts'
import { httpLimits } from './limits.ts'
import { answerNewest, invalidCursor } from './newest-messages.ts'
import type { PlaneParts } from './plane.ts'
import { decodeCursor, decodePositions, encodeCursor } from './positions.ts'
import { Problem, problemOfRejection } from './problem.ts'
import { partitionParams } from './produce.ts'
import { timeOf } from './query-time.ts'
import { json, link, ndjson, stream } from './record-answer.ts'
import { recordSchema } from './record-json.ts'
import { rerouted } from './reroute.ts'
import { problemAnswers } from './schemas.ts'
import { topicParams } from './topics.ts'

interface ReadQuery {
  readonly offset?: string
  readonly limit?: number
  readonly max_bytes?: number
  readonly timeout?: number
}

interface MessagesQuery {
  readonly key?: string
  readonly text?: string
  readonly since?: string
  readonly until?: string
  readonly order?: 'asc' | 'desc'
  readonly limit?: number
  readonly cursor?: string
}

type Form = 'json' | 'ndjson' | 'events'

export function messageRoutes(app: FastifyInstance, parts: PlaneParts): void {
  const { records } = parts.agent.operations
  const { answers } = parts
  let tailCount = 0

  app.get<{ Params: { readonly topic: string; readonly partition: number }; Querystring: ReadQuery }>(
    '/topics/:topic/messages/:partition',
    {
      config: { access: { operation: 'READ', resource: 'topic in path' } },
      schema: {
        operationId: 'readMessages',
        summary: 'Read one partition',
        description: `${forms} \`next\` is the offset for the next request; a \`Link\` header with \`rel="next"\` has its URL. A live tail starts at \`offset\`, or at the end without one; \`limit\`, \`max_bytes\` and \`timeout\` do not apply to it.`,
        tags: ['records'],
        produces: mediaTypes,
        params: partitionParams,
        querystring: readQuerySchema,
        headers: lastEventId,
        response: { 200: readAnswerSchema, ...problemAnswers(307, 400, 404, 406, 416, 503) },
      },
    },
    async (request, reply) => {
      const { topic, partition } = request.params
      const { offset, limit, max_bytes, timeout } = request.query
      const form = formOf(request.headers.accept)
      const { signal } = request.requestContext
      if (form === 'events') {
        onlyForPages({ limit, max_bytes, timeout })
        return startTail(request, reply, {
          topic,
          partition,
          from: resumed(request) ?? (offset === undefined ? 'latest' : fromOf(offset)),
          filter: {},
          signal,
        })
      }
      const answer = answers(request, reply.raw)
      const read = await records.read({
        memory: answer.memory,
        topic,
        partition,
        from: offset === undefined ? 'earliest' : fromOf(offset),
        limit: limit ?? httpLimits.recordsDefault,
        maxBytes: max_bytes ?? httpLimits.bytesDefault,
        waitMs: timeout ?? 0,
        signal,
      })
      if (read.kind === 'elsewhere') throw rerouted(read, { topic, url: request.url }, parts)
      if (read.kind !== 'records') throw problemOfRejection(read)
      reply.header('vary', 'accept')
      link(reply, request, { offset: String(read.next) })
      if (form === 'ndjson') return ndjson(reply, answer, read)
      const { logStartOffset, highWatermark } = read.watermarks
      const after = {
        next: read.next,
        logStartOffset,
        highWatermark,
        ...(read.unreadable.length > 0 && { unreadable: read.unreadable }),
      }
      return json(reply, answer, { before: { topic, partition }, records: read.records, after })
    },
  )

  app.get<{ Params: { readonly topic: string }; Querystring: MessagesQuery }>(
    '/topics/:topic/messages',
    {
      config: { access: { operation: 'READ', resource: 'topic in path' } },
      schema: {
        operationId: 'queryMessages',
        summary: 'Query all partitions',
        description:
          `${forms} The query scans all partitions in groups of ${fixedLimits.queryPartitions}, each up to its end when the scan reaches it. Within a group the older timestamp comes first, within a partition the lower offset. ` +
          `One request scans at most ${fixedLimits.queryScanBytes / 1024 / 1024} MiB and takes at most ${fixedLimits.queryMs / 1000} s: \`scanned\` shows how far it got, and \`complete\` whether the scan has finished. If it has not, repeat the request with \`cursor\` (the \`Link\` header has the URL). ` +
          'A live tail starts at `since`, or at the end without one; `until`, `limit`, `cursor` and `order` do not apply to it. ' +
          'With `order=desc` the newer timestamp comes first, within a partition the higher offset. The limits are the same; if they do not suffice to look at every partition, the answer has the newest records of those that were read, and the cursor leads to the others.',
        tags: ['records'],
        produces: mediaTypes,
        params: topicParams,
        querystring: topicQuerySchema,
        headers: lastEventId,
        response: { 200: queryAnswerSchema, ...problemAnswers(307, 400, 404, 406, 503) },
      },
    },
    async (request, reply) => {
      const { topic } = request.params
      const { key, text, since, until, order = 'asc', limit, cursor } = request.query
      const form = formOf(request.headers.accept)
      const { signal } = request.requestContext
      const nowMs = parts.agent.shared.clock.now()
      const from = since === undefined ? undefined : timeOf('since', since, nowMs)
      const filter: RecordFilter = {
        ...(key !== undefined && { key: Buffer.from(key, 'utf8') }),
        ...(from !== undefined && { since: from }),
        ...(until !== undefined && { until: timeOf('until', until, nowMs) }),
        ...(text !== undefined && { text: Buffer.from(text, 'utf8') }),
      }
      if (form === 'events') {
        onlyForPages({ until, limit, cursor, order: request.query.order })
        return startTail(request, reply, {
          topic,
          from: resumed(request) ?? (from === undefined ? 'latest' : { since: from }),
          filter,
          signal,
        })
      }
      const pageSize = limit ?? httpLimits.recordsDefault
      if (order === 'desc')
        return answerNewest(request, reply, { isLines: form === 'ndjson', filter, limit: pageSize, cursor, signal, parts })
      const at = cursor === undefined ? undefined : decodeCursor(cursor)
      if (cursor !== undefined && at === undefined) throw invalidCursor()
      const streamed = answers(request, reply.raw)
      const answer = await records.query({
        topic,
        memory: streamed.memory,
        filter,
        limit: pageSize,
        ...(at !== undefined && { cursor: at }),
        signal,
      })
      if (answer.kind === 'elsewhere') throw rerouted(answer, { topic, url: request.url }, parts)
      if (answer.kind !== 'scanned') throw problemOfRejection(answer)
      const next = answer.cursor === undefined ? null : encodeCursor(answer.cursor)
      reply.header('vary', 'accept')
      if (next !== null) link(reply, request, { cursor: next })
      if (form === 'ndjson') return ndjson(reply, streamed, answer)
      const after = {
        complete: next === null,
        cursor: next,
        scanned: answer.scanned,
        ...(answer.unreadable.length > 0 && { unreadable: answer.unreadable }),
      }
      return json(reply, streamed, { before: { topic }, records: answer.records, after })
    },
  )

  async function startTail(request: FastifyRequest, reply: FastifyReply, asked: TailRecords): Promise<FastifyReply> {
    if (parts.stopping.aborted) throw new Problem('stopping')
    if (tailCount >= httpLimits.eventStreams) throw new Problem('tooManyTails')
    tailCount += 1
    reply.raw.on('close', () => {
      tailCount -= 1
    })
    const answer = answers(request, reply.raw)
    const tail = await records.tail({ ...asked, memory: answer.memory })
    if (tail.kind === 'elsewhere') throw rerouted(tail, { topic: asked.topic, url: request.url }, parts)
    if (tail.kind !== 'tail') throw problemOfRejection(tail)
    const text = eventText(tail, {
      partition: asked.partition,
      clock: parts.agent.shared.ioClock,
      signal: asked.signal,
      requestId: request.id,
      stalled: () => answer.giveWay(`its client had read nothing of its live tail for ${httpLimits.eventStallMs / 1000} s`),
    })
    return reply
      .headers({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // The end of the stream closes the connection: otherwise a stop would wait for an idle client.
        connection: 'close',
        vary: 'accept',
        'x-accel-buffering': 'no',
      })
      .send(stream(answer.taken(text)))
  }
}

/** The form with the highest weight in Accept, the first one if several have it; JSON for any type. */
function formOf(accept: string | undefined): Form {
  if (accept === undefined || accept === '') return 'json'
  let best: { readonly form: Form; readonly weight: number } | undefined
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const form = formsByType.get(type)
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
    if (form !== undefined && weight > 0 && (best === undefined || weight > best.weight)) best = { form, weight }
  }
  if (best === undefined) throw new Problem('notAcceptable')
  return best.form
}

const formsByType: ReadonlyMap<string, Form> = new Map([
  ['application/json', 'json'],
  ['application/*', 'json'],
  ['*/*', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['text/event-stream', 'events'],
])

function fromOf(offset: string): From {
  if (offset === 'earliest' || offset === 'latest') return offset
  if (/^\d{1,16}$/.test(offset)) return { offset: Math.min(Number(offset), Number.MAX_SAFE_INTEGER) }
  if (/^-[1-9]\d{0,15}$/.test(offset)) return { last: Math.min(-Number(offset), Number.MAX_SAFE_INTEGER) }
  throw new Problem(
    'badRequest',
    "The query parameter 'offset' must be a whole number, 'earliest', 'latest', or -N for the last N offsets.",
  )
}

/** The positions of an earlier tail that was interrupted. */
function resumed(request: FastifyRequest): ReturnType<typeof decodePositions> {
  const id = request.headers['last-event-id']
  if (id === undefined || id === '') return undefined
  const positions = typeof id === 'string' ? decodePositions(id) : undefined
  if (positions === undefined)
    throw new Problem('badRequest', "The header 'Last-Event-ID' is not a valid event id: use the last one that was received.")
  return positions
}

function onlyForPages(given: Readonly<Record<string, unknown>>): void {
  const name = Object.keys(given).find((candidate) => given[candidate] !== undefined)
  if (name !== undefined) throw new Problem('badRequest', `The query parameter '${name}' does not apply to a live tail.`)
}

const mediaTypes = ['application/json', 'application/x-ndjson', 'text/event-stream']
const forms =
  'Returns JSON; one record per line with `Accept: application/x-ndjson`; or a live tail with `Accept: text/event-stream`, which resumes from `Last-Event-ID`. Keys and values that are not UTF-8 are base64, and are marked.'

const lastEventId = {
  type: 'object',
  properties: { 'last-event-id': { type: 'string', description: 'For a live tail: the `id` of the last event received.' } },
} as const

const limitSchema = {
  type: 'integer',
  minimum: 1,
  maximum: fixedLimits.recordsPerAnswer,
  description: `The largest number of records in the answer; the default is ${httpLimits.recordsDefault}.`,
} as const

const readQuerySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    offset: { type: 'string', description: 'A number, `earliest` (the default), `latest`, or `-N` for the last N offsets.' },
    limit: limitSchema,
    max_bytes: {
      type: 'integer',
      minimum: 1,
      maximum: fixedLimits.recordBytesPerAnswer,
      description: `The limit for keys, values and headers as JSON; the default is ${httpLimits.bytesDefault}. The answer has at least one record, even if it is larger.`,
    },
    timeout: {
      type: 'integer',
      minimum: 0,
      maximum: httpLimits.readWaitMs,
      description: 'Milliseconds to wait for the first record; the default is 0.',
    },
  },
} as const

const topicQuerySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    key: { type: 'string', description: 'Only records with exactly this key.' },
    text: {
      type: 'string',
      minLength: 1,
      description: 'Only records with this text in the key, the value or the value of a header, in the same case.',
    },
    since: {
      type: 'string',
      description:
        'Only records from this time on: milliseconds since the epoch, ISO 8601 with a zone, or a time before now: `30s`, `5m`, `1h`, `7d`.',
    },
    until: { type: 'string', description: 'Only records before this time.' },
    order: {
      type: 'string',
      enum: ['asc', 'desc'],
      description:
        '`desc` begins with the newest records of all partitions and goes back; `asc` is the default. Does not apply to a live tail.',
    },
    limit: limitSchema,
    cursor: { type: 'string', description: 'The cursor of an earlier answer. The other parameters must be the same as in its request.' },
  },
} as const

const unreadableSchema = {
  type: 'array',
  description: 'Batches that could not be decoded; present if there are any.',
  items: {
    type: 'object',
    required: ['partition', 'from', 'to', 'message'],
    properties: { partition: { type: 'integer' }, from: { type: 'integer' }, to: { type: 'integer' }, message: { type: 'string' } },
  },
} as const

const readAnswerSchema = {
  description: 'The records',
  type: 'object',
  required: ['topic', 'partition', 'records', 'next', 'logStartOffset', 'highWatermark'],
  properties: {
    topic: { type: 'string' },
    partition: { type: 'integer' },
    records: { type: 'array', items: recordSchema },
    next: { type: 'integer', description: 'The offset for the next request.' },
    logStartOffset: { type: 'integer' },
    highWatermark: { type: 'integer' },
    unreadable: unreadableSchema,
  },
} as const

const queryAnswerSchema = {
  description: 'The records found so far',
  type: 'object',
  required: ['topic', 'records', 'complete', 'cursor', 'scanned'],
  properties: {
    topic: { type: 'string' },
    records: { type: 'array', items: recordSchema },
    complete: { type: 'boolean', description: 'Whether the scan has finished.' },
    cursor: { type: ['string', 'null'] },
    scanned: {
      type: 'array',
      description: 'The offsets that this request scanned: from `from` to `to`, exclusive; `end` was the end of the partition.',
      items: {
        type: 'object',
        required: ['partition', 'from', 'to', 'end'],
        properties: { partition: { type: 'integer' }, from: { type: 'integer' }, to: { type: 'integer' }, end: { type: 'integer' } },
      },
    },
    unreadable: unreadableSchema,
  },
} as const
