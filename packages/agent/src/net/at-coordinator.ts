// Requests about a group or a transactional id of another agent: they are forwarded to it, so that no client notices a coordinator that has moved.
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  type Api,
  DeleteGroups,
  DescribeGroups,
  EndTxn,
  errors,
  Heartbeat,
  InitProducerId,
  JoinGroup,
  KafkaError,
  LeaveGroup,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  type RequestOf,
  SyncGroup,
  TxnOffsetCommit,
} from '@local-kafka-service/protocol'
import type { AnyHandler, Reply } from '../api/handler.ts'
import type { RequestContext } from '../api/request-context.ts'
import { fixedLimits } from '../limits.ts'
import type { Services } from '../services.ts'
import { orLate } from '../time/or-late.ts'
import { sleep } from '../time/sleep.ts'
import { errorCodesIn } from './answer-errors.ts'

/**
 * Handles a request. If this agent does not coordinate what it names, the agent that does gets it, and its answer is the client's. While a group changes hands, the request is
 * held. The handler comes first: it checks the client's rights. Rejects as the handler does.
 */
export async function handledAtCoordinator(
  handler: AnyHandler,
  request: object,
  context: RequestContext,
  services: Services,
): Promise<Reply<object>> {
  const names = namesOf.get(handler.api.key)?.(request)
  if (names === undefined || names.length === 0) return await handler.handle(request, context, services)
  const asked = { handler, request, context, services, names }
  const first = await attempt(asked)
  if (first.kind === 'here') return first.reply
  // Its clients have to learn that the agent leaves. Only a heartbeat tells them without an error that a program sees.
  if (services.owners.isLeaving && handler.api.key === Heartbeat.key) {
    await settled(asked, services.ioClock.monotonic() + fixedLimits.holdMs)
    return ended(first)
  }
  return await elsewhere(asked, first)
}

interface CoordinatedRequest {
  readonly handler: AnyHandler
  readonly request: object
  readonly context: RequestContext
  readonly services: Services
  readonly names: readonly string[]
}

/** `not here`: the reply, or the error, of this agent, which does not coordinate all names. */
type Attempt =
  | { readonly kind: 'here'; readonly reply: Reply<object> }
  | { readonly kind: 'not here'; readonly reply: Reply<object> | undefined }

async function attempt({ handler, request, context, services, names }: CoordinatedRequest): Promise<Attempt> {
  try {
    const reply = await handler.handle(request, context, services)
    if (reply.kind !== 'now' || names.every((name) => services.owners.ofName(name).mine)) return { kind: 'here', reply }
    return isNotCoordinator(reply.response) ? { kind: 'not here', reply } : { kind: 'here', reply }
  } catch (error) {
    if (!(error instanceof KafkaError) || error.code !== errors.NOT_COORDINATOR.code) throw error
    return { kind: 'not here', reply: undefined }
  }
}

function ended({ reply }: Extract<Attempt, { kind: 'not here' }>): Reply<object> {
  if (reply === undefined) throw new KafkaError('NOT_COORDINATOR')
  return reply
}

async function elsewhere(asked: CoordinatedRequest, first: Extract<Attempt, { kind: 'not here' }>): Promise<Reply<object>> {
  const { handler, request, context, services } = asked
  const { ioClock, forwarder } = services
  const untilMs = ioClock.monotonic() + fixedLimits.holdMs
  let last = first
  for (;;) {
    const to = coordinatorOf(asked)
    if (typeof to === 'number' && context.forwarded !== true) {
      const answer = await forwarder.forward(handler.api, request as RequestOf<Api>, { to, timeoutMs: answerMs(handler.api), context })
      if (answer.kind === 'lost') return lost(asked, `Agent ${to} did not answer: ${answer.why}.`)
      if (answer.kind === 'answered' && !isNotCoordinator(answer.response)) return { kind: 'now', response: answer.response }
    }
    if (to === 'several' || context.signal.aborted || ioClock.monotonic() >= untilMs) return ended(last)
    await settled(asked, untilMs)
    if (coordinatorOf(asked) === 'here') {
      const again = await attempt(asked)
      if (again.kind === 'here') return again.reply
      last = again
    } else if (context.forwarded === true) return ended(last)
  }
}

/**
 * The other agent may still do what was asked. An offset that is committed late must not replace one that the client has committed since then, so the connection of a
 * commit ends, as after a Produce: requests keep their order only within one.
 */
function lost({ handler, request, context }: CoordinatedRequest, message: string): Reply<object> {
  const { code } = errors.COORDINATOR_NOT_AVAILABLE
  const isCommit = handler.api.key === OffsetCommit.key || handler.api.key === TxnOffsetCommit.key
  return { kind: 'now', response: handler.reject(request, { code, message }, context.apiVersion), thenClose: isCommit }
}

/** Waits until this agent has given what it was about to give, or else reads again who owns what. */
async function settled({ names, services, context }: CoordinatedRequest, untilMs: number): Promise<void> {
  const { owners, membership, ioClock } = services
  const moving = names.map((name) => owners.movingName(name)).find((one) => one !== undefined)
  const wait = moving ?? membership.refresh()
  await orLate(wait, { clock: ioClock, afterMs: Math.max(0, untilMs - ioClock.monotonic()) }, undefined)
  if (moving === undefined && context.forwarded !== true) await sleep(ioClock, fixedLimits.holdPauseMs)
}

/** The broker id of the agent that coordinates all names. */
function coordinatorOf({ names, services: { owners } }: CoordinatedRequest): number | 'here' | 'several' | 'none' {
  let found: number | 'here' | 'none' | undefined
  for (const name of names) {
    const { mine, leader } = owners.ofName(name)
    const of = mine ? 'here' : leader === undefined || leader === owners.brokerId ? 'none' : leader
    if (found !== undefined && found !== of) return 'several'
    found = of
  }
  return found ?? 'none'
}

function isNotCoordinator(response: object): boolean {
  return errorCodesIn(response)?.has(errors.NOT_COORDINATOR.code) === true || isRejectedTransaction(response)
}

/** Its errors have another name than those of all other answers. */
function isRejectedTransaction(response: object): boolean {
  const { resultsByTopicV3AndBelow: topics } = response as { readonly resultsByTopicV3AndBelow?: AddedPartitions | null }
  return topics?.[0]?.resultsByPartition[0]?.partitionErrorCode === errors.NOT_COORDINATOR.code
}

type AddedPartitions = readonly { readonly resultsByPartition: readonly { readonly partitionErrorCode: number }[] }[]

/** A member's wait for the others may take as long as a new member's first one. */
function answerMs({ key }: Api): number {
  const waits = key === JoinGroup.key || key === SyncGroup.key
  return fixedLimits.forwardAnswerMs + (waits ? fixedLimits.newMemberJoinTimeoutMs : 0)
}

/** The groups and transactional ids of a request, by API. */
const namesOf: ReadonlyMap<number, (request: object) => readonly string[]> = new Map([
  named(JoinGroup, ({ groupId }) => [groupId]),
  named(SyncGroup, ({ groupId }) => [groupId]),
  named(Heartbeat, ({ groupId }) => [groupId]),
  named(LeaveGroup, ({ groupId }) => [groupId]),
  named(OffsetCommit, ({ groupId }) => [groupId]),
  named(OffsetFetch, ({ groupId, groups }) => (groups.length > 0 ? groups.map((group) => group.groupId) : [groupId])),
  named(OffsetDelete, ({ groupId }) => [groupId]),
  named(DescribeGroups, ({ groups }) => groups),
  named(DeleteGroups, ({ groupsNames }) => groupsNames),
  named(TxnOffsetCommit, ({ groupId }) => [groupId]),
  named(InitProducerId, ({ transactionalId }) => (transactionalId === null ? [] : [transactionalId])),
  named(AddPartitionsToTxn, ({ v3AndBelowTransactionalId }) => (v3AndBelowTransactionalId === '' ? [] : [v3AndBelowTransactionalId])),
  named(AddOffsetsToTxn, ({ transactionalId }) => [transactionalId]),
  named(EndTxn, ({ transactionalId }) => [transactionalId]),
])

function named<A extends Api>(
  { key }: A,
  names: (request: RequestOf<A>) => readonly string[],
): readonly [number, (request: object) => readonly string[]] {
  // The cast: dispatch has decoded the request of this API.
  return [key, (request) => names(request as RequestOf<A>)]
}
