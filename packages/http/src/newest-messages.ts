// The answer to a query in the order of the newest records first.
import type { NewestRecords } from '@local-kafka-service/agent'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { PlaneParts } from './plane.ts'
import { decodePositions, encodePositions } from './positions.ts'
import { Problem, problemOfRejection } from './problem.ts'
import { json, link, ndjson } from './record-answer.ts'
import { rerouted } from './reroute.ts'

interface AskedForNewest extends Pick<NewestRecords, 'filter' | 'limit' | 'signal'> {
  /** NDJSON instead of JSON. */
  readonly isLines: boolean
  readonly cursor: string | undefined
  readonly parts: PlaneParts
}

export async function answerNewest(
  request: FastifyRequest<{ Params: { readonly topic: string } }>,
  reply: FastifyReply,
  asked: AskedForNewest,
): Promise<FastifyReply> {
  const { topic } = request.params
  const { isLines, cursor, parts, ...rest } = asked
  const { records } = parts.agent.operations
  const before = cursor === undefined ? undefined : decodePositions(cursor)
  if (cursor !== undefined && before === undefined) throw invalidCursor()
  const streamed = parts.answers(request, reply.raw)
  const answer = await records.newest({ topic, memory: streamed.memory, ...(before !== undefined && { before }), ...rest })
  if (answer.kind === 'elsewhere') throw rerouted(answer, { topic, url: request.url }, parts)
  if (answer.kind !== 'walked') throw problemOfRejection(answer)
  const next = answer.before === undefined ? null : encodePositions(answer.before)
  reply.header('vary', 'accept')
  if (next !== null) link(reply, request, { cursor: next })
  if (isLines) return ndjson(reply, streamed, answer)
  const after = {
    complete: next === null,
    cursor: next,
    scanned: answer.scanned,
    ...(answer.unreadable.length > 0 && { unreadable: answer.unreadable }),
  }
  return json(reply, streamed, { before: { topic }, records: answer.records, after })
}

export function invalidCursor(): Problem {
  return new Problem(
    'badRequest',
    "The query parameter 'cursor' is not a valid cursor: use the one of an earlier answer to the same query.",
  )
}
