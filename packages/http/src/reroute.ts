// Redirects a request for a partition of another agent, as Redis Cluster does, or forwards it if the client asks for that.
import type { Member, RecordRejection } from '@local-kafka-service/agent'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { forwarded, isForwarded } from './forward.ts'
import type { PlaneParts } from './plane.ts'
import { Problem } from './problem.ts'

type Elsewhere = Extract<RecordRejection, { kind: 'elsewhere' }>

/** 307 to the owner if its URL is known, otherwise 503, because ownership is about to settle. The body names the owner if there is one. */
export function rerouted(
  { partition, slot, leader }: Elsewhere,
  request: { readonly topic: string; readonly url: string },
  parts: PlaneParts,
): Problem {
  const what = `Partition ${partition} of topic '${request.topic}'`
  if (leader === undefined || leader === parts.agent.brokerId)
    return new Problem('notLeader', `${what} has no owner at the moment.`, { more: { partition, slot } })
  const member = memberOf(leader, parts)
  const url = member?.dataUrl ?? undefined
  const owner = {
    brokerId: leader,
    ...(member !== undefined && { agent: member.agent, kafka: `${member.host}:${member.port}` }),
    ...(url !== undefined && { url }),
  }
  const message = `${what} is owned by agent ${member?.agent ?? leader} (broker ${leader})${url === undefined ? '' : ` at ${url}`}.`
  if (url === undefined) return new Problem('notLeader', message, { more: { partition, slot, leader: owner } })
  return moved(`${url}${request.url}`, message, { partition, slot, agent: member?.agent, leader: owner })
}

/** 307: the same request belongs to another agent. */
export function moved(location: string, message: string, more: Readonly<Record<string, unknown>>): Problem {
  return new Problem('notLeader', message, { status: 307, headers: { location }, more: { error: 'Moved', ...more, location } })
}

/** The parameter `forward` of the routes that write. */
export const forwardQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    forward: {
      type: 'integer',
      enum: [0, 1],
      description:
        "1: if another agent owns the partition, this agent forwards the request and answers with the owner's answer, instead of 307.",
    },
  },
} as const

export interface ForwardQuery {
  readonly forward?: 0 | 1
}

/** The answer of the owner if the client asks this agent to forward, otherwise the redirect. Throws a Problem. */
export async function answeredElsewhere(
  rejection: Elsewhere,
  request: FastifyRequest<{ Params: { readonly topic: string }; Querystring: ForwardQuery; Body: Buffer | undefined }>,
  reply: FastifyReply,
  parts: PlaneParts,
): Promise<FastifyReply> {
  const url = rejection.leader === undefined ? undefined : memberOf(rejection.leader, parts)?.dataUrl
  const path = request.url.split('?', 1)[0] ?? request.url
  // A forwarded request is never forwarded again: the agents may disagree about the owner for a moment.
  if (request.query.forward !== 1 || isForwarded(request) || url === undefined || url === null || rejection.leader === parts.agent.brokerId)
    throw rerouted(rejection, { topic: request.params.topic, url: path }, parts)
  return await forwarded(request, reply, { url: `${url}${path}`, parts })
}

function memberOf(brokerId: number, { agent }: PlaneParts): Member | undefined {
  return [...agent.members()].find((member) => member.brokerId === brokerId)
}
