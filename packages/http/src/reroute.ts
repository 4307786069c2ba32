// Redirects a request for a partition of another agent.
import type { RecordRejection } from '@local-kafka-service/agent'
import type { PlaneParts } from './plane.ts'
import { Problem } from './problem.ts'

/** 307 to the owner if its URL is known, otherwise 503, because ownership is about to settle. The body names the owner if there is one. */
export function rerouted(
  rejection: Extract<RecordRejection, { kind: 'elsewhere' }>,
  request: { readonly topic: string; readonly url: string },
  parts: PlaneParts,
): Problem {
  const { partition, leader } = rejection
  const what = `Partition ${partition} of topic '${request.topic}'`
  if (leader === undefined || leader === parts.agent.brokerId)
    return new Problem('notLeader', `${what} has no owner at the moment.`, { more: { partition } })
  const url = parts.dataUrlOf(leader)
  const member = [...parts.agent.members()].find(({ brokerId }) => brokerId === leader)
  const owner = {
    brokerId: leader,
    ...(member !== undefined && { agent: member.agent, kafka: `${member.host}:${member.port}` }),
    ...(url !== undefined && { url }),
  }
  const message = `${what} is owned by agent ${member?.agent ?? leader} (broker ${leader})${url === undefined ? '' : ` at ${url}`}.`
  if (url === undefined) return new Problem('notLeader', message, { more: { partition, leader: owner } })
  return new Problem('notLeader', message, {
    status: 307,
    headers: { location: `${url}${request.url}` },
    more: { partition, leader: owner },
  })
}
