// Long answers: records as JSON or NDJSON, and lists. A single piece is sent whole, more pieces are streamed as fast as the reader takes them.
import { Readable } from 'node:stream'
import type { LogRecord, Unreadable } from '@local-kafka-service/agent'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AnswerOnItsWay } from './answer-stream.ts'
import { httpLimits } from './limits.ts'
import { joined, recordText } from './record-text.ts'

/** One record per line. Where batches could not be decoded, one more line at the end names them, as the JSON answer does. */
export function ndjson(
  reply: FastifyReply,
  answer: AnswerOnItsWay,
  { records, unreadable }: { readonly records: readonly LogRecord[]; readonly unreadable: readonly Unreadable[] },
): Promise<FastifyReply> {
  function* lines(): Generator<string> {
    for (const record of records) {
      yield* recordText(record)
      yield '\n'
    }
    if (unreadable.length > 0) yield `${JSON.stringify({ unreadable })}\n`
  }
  return send(reply.type('application/x-ndjson; charset=utf-8'), answer, lines())
}

/** An object whose member `records` is between the members of `before` and `after`. */
export function json(
  reply: FastifyReply,
  answer: AnswerOnItsWay,
  { before, records, after }: { readonly before: object; readonly records: readonly LogRecord[]; readonly after: object },
): Promise<FastifyReply> {
  function* text(): Generator<string> {
    yield `${JSON.stringify(before).slice(0, -1)},"records":[`
    for (const [index, record] of records.entries()) {
      if (index > 0) yield ','
      yield* recordText(record)
    }
    yield `],${JSON.stringify(after).slice(1)}`
  }
  return jsonText(reply, answer, text())
}

/** The text of one JSON value, in pieces of any size. */
export function jsonText(reply: FastifyReply, answer: AnswerOnItsWay, text: Iterable<string>): Promise<FastifyReply> {
  return send(reply.type('application/json; charset=utf-8'), answer, text)
}

/** The members of a JSON list, each in a piece of its own. */
export function* listText<T>(items: Iterable<T>, jsonOf: (item: T) => object): Generator<string> {
  let separator = ''
  for (const item of items) {
    yield `${separator}${JSON.stringify(jsonOf(item))}`
    separator = ','
  }
}

/** A single piece is sent with its length; further ones are created as the reader takes them. */
async function send(reply: FastifyReply, answer: AnswerOnItsWay, text: Iterable<string>): Promise<FastifyReply> {
  const pieces = joined(text)
  const first = pieces.next()
  const second = pieces.next()
  if (second.done === true) return reply.serializer((body: unknown) => String(body)).send(first.done === true ? '' : first.value)
  function* all(): Generator<string> {
    if (first.done !== true) yield first.value
    if (second.done !== true) yield second.value
    yield* pieces
  }
  return reply.send(stream(answer.taken(all())))
}

/** Reads at most one piece ahead of its reader. */
export function stream(text: AsyncIterable<string>): Readable {
  return Readable.from(text, { objectMode: false, highWaterMark: httpLimits.streamBufferBytes })
}

/** RFC 8288: a link to the request that continues after this answer. */
export function link(reply: FastifyReply, request: FastifyRequest, change: Readonly<Record<string, string>>): void {
  const [path = '', query = ''] = request.originalUrl.split('?', 2)
  const parameters = new URLSearchParams(query)
  for (const [name, value] of Object.entries(change)) parameters.set(name, value)
  reply.header('link', `<${path}?${parameters.toString()}>; rel="next"`)
}
