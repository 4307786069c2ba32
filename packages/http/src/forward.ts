// Sends a request once more, to the agent that owns its partition, and answers with what that agent answers.
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { httpLimits } from './limits.ts'
import type { PlaneParts } from './plane.ts'
import { Problem } from './problem.ts'

const forwardedHeader = 'x-lks-forwarded'
/** What the owner needs to know of the request, and what its client learns of the answer. */
const requestHeaders = ['idempotency-key']
const answerHeaders = ['content-type', 'idempotent-replay', 'retry-after', 'location']

/** Another agent has forwarded the request. */
export function isForwarded({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return headers[forwardedHeader] !== undefined
}

/**
 * Answers with the owner's answer. Throws a Problem: `notLeader` if the owner cannot be reached, so nothing was done; `timedOut` if its answer did not come, so
 * the outcome is unknown.
 */
export async function forwarded(
  request: Pick<FastifyRequest, ForwardedParts>,
  reply: FastifyReply,
  { url, parts }: { readonly url: string; readonly parts: PlaneParts },
): Promise<FastifyReply> {
  const answer = await exchange(request, { url, parts })
  for (const name of answerHeaders) {
    const value = answer.headers[name]
    if (value !== undefined) reply.header(name, value)
  }
  return reply.code(answer.status).send(answer.body)
}

type ForwardedParts = 'method' | 'headers' | 'saysJson' | 'body' | 'requestContext'

/** The body as it was sent, or the JSON that it was parsed to. */
function bytesOf(body: unknown): Uint8Array | undefined {
  if (body === undefined || body === null || body instanceof Uint8Array) return body ?? undefined
  return Buffer.from(JSON.stringify(body))
}

interface OwnersAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

function exchange(
  { method, headers, saysJson, body: parsed, requestContext }: Pick<FastifyRequest, ForwardedParts>,
  { url, parts }: { readonly url: string; readonly parts: PlaneParts },
): Promise<OwnersAnswer> {
  const body = bytesOf(parsed)
  // Not an import: see servers.ts.
  const { request } = process.getBuiltinModule('node:http')
  const { ioClock } = parts.agent.shared
  const { promise, resolve, reject } = Promise.withResolvers<OwnersAnswer>()
  let sent = false
  const failed = (why: string): Problem =>
    sent
      ? new Problem('timedOut', `The agent at ${url} did not answer (${why}): the records may be stored.`)
      : new Problem('notLeader', `The agent at ${url} cannot be reached (${why}).`)
  const outgoing = request(url, {
    method,
    agent: false,
    signal: requestContext.signal,
    headers: {
      [forwardedHeader]: '1',
      ...(body !== undefined && { 'content-length': String(body.length) }),
      ...(saysJson && { 'content-type': 'application/json' }),
      ...Object.fromEntries(requestHeaders.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]))),
    },
  })
  const late = ioClock.after(httpLimits.forwardMs, () => outgoing.destroy(new Error(`no answer in ${httpLimits.forwardMs / 1000} s`)))
  outgoing.on('socket', (socket) => socket.once('connect', () => (sent = true)))
  outgoing.on('error', (error) => reject(failed(error.message)))
  outgoing.on('response', (incoming) => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    incoming.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      sizeBytes += chunk.length
      if (sizeBytes > httpLimits.forwardedAnswerBytes) outgoing.destroy(new Error('its answer is too large'))
    })
    incoming.on('error', (error) => reject(failed(error.message)))
    incoming.on('end', () => resolve({ status: incoming.statusCode ?? 502, headers: incoming.headers, body: Buffer.concat(chunks) }))
  })
  outgoing.end(body)
  return promise.finally(() => late.cancel())
}
