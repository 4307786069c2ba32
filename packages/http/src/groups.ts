// The routes of groups on the control plane: list, show with lag, move offsets, delete.
import type { GroupDescription, SeekTo, Sought } from '@local-kafka-service/agent'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { forwarded, isForwarded } from './forward.ts'
import { epochMsOf } from './iso-time.ts'
import type { PlaneParts } from './plane.ts'
import { Problem, problemOfCode } from './problem.ts'
import { jsonText, listText } from './record-answer.ts'
import { problemAnswers } from './schemas.ts'

interface SeekBody {
  readonly to?: 'start' | 'end'
  readonly time?: string
  readonly offset?: number
  readonly by?: number
  readonly topic?: string
  readonly partitions?: readonly number[]
  readonly apply?: boolean
}

export function groupRoutes(app: FastifyInstance, parts: PlaneParts): void {
  const { agent, answers } = parts
  const groupOperations = agent.operations.groups
  const { gate } = agent.shared

  app.get(
    '/groups',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'cluster' } },
      schema: {
        operationId: 'listGroups',
        summary: 'List the groups of the cluster, by id',
        tags: ['groups'],
        querystring: { type: 'object', additionalProperties: false, properties: {} },
        response: {
          200: {
            description: 'The groups',
            type: 'object',
            required: ['groups'],
            properties: { groups: { type: 'array', items: listingSchema } },
          },
          ...problemAnswers(503),
        },
      },
    },
    async () => {
      const groups = await groupOperations.listAll()
      return { groups: groups.map(({ groupId, kind, protocolType, state }) => ({ group: groupId, type: kind, state, protocolType })) }
    },
  )

  app.get<{ Params: { readonly group: string } }>(
    '/groups/:group',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'group in path' } },
      schema: {
        operationId: 'showGroup',
        summary: 'Show a group: its members and their assignments, its offsets and its lag',
        tags: ['groups'],
        params: groupParams,
        querystring: { type: 'object', additionalProperties: false, properties: {} },
        response: { 200: groupSchema, ...problemAnswers(400, 404, 503) },
      },
    },
    async (request, reply) => {
      const coordinator = coordinatorOf(request.params.group, request, parts)
      if (coordinator !== undefined) return await forwarded(request, reply, { url: coordinator, parts })
      const { params, requestContext } = request
      const maySee = (name: string): boolean => gate.authorize(requestContext, 'DESCRIBE', { type: 'TOPIC', name })
      const described = await groupOperations.describe(params.group, { maySee })
      if (described.kind === 'error') throw problemOfCode(described.code, described.message)
      return await jsonText(reply, answers(request, reply.raw), groupText(described.value))
    },
  )

  app.post<{ Params: { readonly group: string }; Body: SeekBody }>(
    '/groups/:group/seek',
    {
      config: { access: { operation: 'READ', resource: 'group in path' } },
      schema: {
        operationId: 'seekGroup',
        summary: "Move a group's offsets to the start, the end, a time or an offset, or by a number",
        description:
          'Returns a preview; `"apply": true` moves the offsets. The body has exactly one of `to`, `time`, `offset` and `by`. Without a topic the request moves all partitions of the topics in which the group has commits; with `by`, only the partitions that have one. An offset outside of a partition becomes its start or its end. The request is rejected while the group has members.',
        tags: ['groups'],
        params: groupParams,
        body: seekSchema,
        response: { 200: soughtSchema, ...problemAnswers(400, 404, 409, 503) },
      },
    },
    async (request, reply) => {
      const coordinator = coordinatorOf(request.params.group, request, parts)
      if (coordinator !== undefined) return await forwarded(request, reply, { url: coordinator, parts })
      const { params, body, requestContext } = request
      const { topic, partitions, apply = false } = body
      const sought = await groupOperations.seek({
        groupId: params.group,
        to: seekTo(body),
        ...(topic !== undefined && { topic }),
        ...(partitions !== undefined && { partitions }),
        dryRun: !apply,
        mayRead: (name) => gate.authorize(requestContext, 'READ', { type: 'TOPIC', name }),
        signal: requestContext.signal,
      })
      if (sought.kind === 'error') throw problemOfCode(sought.code, sought.message)
      return await jsonText(
        reply,
        answers(request, reply.raw),
        soughtText({ group: params.group, applied: apply, partitions: sought.value }),
      )
    },
  )

  app.delete<{ Params: { readonly group: string } }>(
    '/groups/:group',
    {
      config: { access: { operation: 'DELETE', resource: 'group in path' } },
      schema: {
        operationId: 'deleteGroup',
        summary: 'Delete a group without members, with its offsets',
        tags: ['groups'],
        params: groupParams,
        querystring: { type: 'object', additionalProperties: false, properties: {} },
        response: {
          200: { description: 'The group was deleted', type: 'object', required: ['group'], properties: { group: { type: 'string' } } },
          ...problemAnswers(400, 404, 409, 503),
        },
      },
    },
    async (request, reply) => {
      const coordinator = coordinatorOf(request.params.group, request, parts)
      if (coordinator !== undefined) return await forwarded(request, reply, { url: coordinator, parts })
      const { params } = request
      const deleted = await groupOperations.delete(params.group)
      if (deleted.kind === 'error') throw problemOfCode(deleted.code, deleted.message)
      return { group: params.group }
    },
  )
}

/** The same request at the agent that coordinates the group; undefined if it is this one, or not known. */
function coordinatorOf(group: string, request: Pick<FastifyRequest, 'headers' | 'url'>, { agent }: PlaneParts): string | undefined {
  const { mine, leader } = agent.shared.owners.ofName(group)
  if (mine || leader === undefined || leader === agent.brokerId || isForwarded(request)) return undefined
  const url = [...agent.members()].find(({ brokerId }) => brokerId === leader)?.controlUrl
  return url === undefined || url === null ? undefined : `${url}${request.url}`
}

/** In pieces: a group may have very many partitions. */
function* groupText(of: GroupDescription): Generator<string> {
  const head = {
    group: of.groupId,
    type: 'classic',
    state: of.state,
    protocolType: of.protocolType,
    protocol: of.protocolName === '' ? null : of.protocolName,
    generation: of.generation,
    leader: of.leader === '' ? null : of.leader,
    lag: of.lag,
  }
  yield `${JSON.stringify(head).slice(0, -1)},"members":[`
  yield* listText(of.members, ({ memberId, groupInstanceId, clientId, clientHost, subscription, assignment }) => ({
    member: memberId,
    instance: groupInstanceId,
    clientId,
    host: clientHost.replace(/^\//, ''),
    topics: subscription ?? null,
    assignment: assignment ?? null,
  }))
  yield '],"partitions":['
  yield* listText(of.partitions, ({ topic, partition, committed, start, end, lag, memberId }) => ({
    topic,
    partition,
    offset: committed?.offset ?? null,
    metadata: committed?.metadata ?? null,
    start,
    end,
    lag,
    member: memberId ?? null,
  }))
  yield ']}'
}

function* soughtText({
  partitions,
  ...head
}: {
  readonly group: string
  readonly applied: boolean
  readonly partitions: readonly Sought[]
}): Generator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"partitions":[`
  yield* listText(partitions, ({ topic, partition, from, to, end }) => ({ topic, partition, from: from ?? null, to, end, lag: end - to }))
  yield ']}'
}

function seekTo({ to, time, offset, by }: SeekBody): SeekTo {
  const places: readonly (SeekTo | undefined)[] = [
    to,
    time === undefined ? undefined : { time: epochMs(time) },
    offset === undefined ? undefined : { offset },
    by === undefined ? undefined : { by },
  ]
  const [place, ...more] = places.filter((one) => one !== undefined)
  if (place === undefined || more.length > 0) throw new Problem('badRequest', 'The body must have exactly one of to, time, offset and by.')
  return place
}

function epochMs(time: string): number {
  const ms = epochMsOf(time)
  if (ms === undefined)
    throw new Problem('badRequest', "The member 'time' must be an ISO 8601 date, or date and time with its zone: 2026-01-31T12:00:00Z.")
  return ms
}

const groupParams = {
  type: 'object',
  required: ['group'],
  properties: { group: { type: 'string', description: "The group's id." } },
} as const

const count = { type: 'integer' } as const
const text = { type: 'string' } as const
const nullableText = { type: ['string', 'null'] } as const
const nullableCount = { type: ['integer', 'null'] } as const

const listingProperties = {
  group: { type: 'string', description: "The group's id." },
  type: { type: 'string', description: 'The group protocol: classic.' },
  state: { type: 'string', description: 'Empty, PreparingRebalance, CompletingRebalance or Stable.' },
  protocolType: { type: 'string', description: 'consumer, or the protocol type of other members; empty until a member has joined.' },
} as const
const listingRequired = ['group', 'type', 'state', 'protocolType'] as const
const listingSchema = { type: 'object', required: listingRequired, properties: listingProperties } as const

const memberSchema = {
  type: 'object',
  required: ['member', 'instance', 'clientId', 'host', 'topics', 'assignment'],
  properties: {
    member: { type: 'string', description: "The member's id." },
    instance: { ...nullableText, description: 'The instance id of a static member.' },
    clientId: text,
    host: text,
    topics: {
      type: ['array', 'null'],
      items: text,
      description: 'The subscription; null unless the member is a consumer in a stable group.',
    },
    assignment: {
      type: ['array', 'null'],
      items: {
        type: 'object',
        required: ['topic', 'partitions'],
        properties: { topic: text, partitions: { type: 'array', items: count } },
      },
      description: 'The assigned partitions; null unless the member is a consumer.',
    },
  },
} as const

const groupSchema = {
  description: 'The group',
  type: 'object',
  required: [...listingRequired, 'protocol', 'generation', 'leader', 'members', 'partitions', 'lag'],
  properties: {
    ...listingProperties,
    protocol: { ...nullableText, description: 'The assignor that the members agreed on.' },
    generation: count,
    leader: nullableText,
    members: { type: 'array', items: memberSchema },
    partitions: {
      type: 'array',
      description: 'All partitions of the topics in which the group has commits, and all assigned partitions.',
      items: {
        type: 'object',
        required: ['topic', 'partition', 'offset', 'metadata', 'start', 'end', 'lag', 'member'],
        properties: {
          topic: text,
          partition: count,
          offset: { ...nullableCount, description: 'The committed offset, or null without one.' },
          metadata: nullableText,
          start: count,
          end: count,
          lag: { ...count, description: 'The number of offsets from the committed offset to the end; without one, from the start.' },
          member: { ...nullableText, description: 'The member to which the partition is assigned.' },
        },
      },
    },
    lag: { type: 'integer', description: 'The sum over all these partitions; 0 only if every record was read.' },
  },
} as const

const seekSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    to: { type: 'string', enum: ['start', 'end'] },
    time: {
      type: 'string',
      description: 'The first record that is not older, or the end if there is none.',
      examples: ['2026-01-31T12:00:00Z'],
    },
    offset: { type: 'integer', minimum: 0 },
    by: { type: 'integer', description: 'The distance from the committed offset: -10 goes back by ten.' },
    topic: { type: 'string', description: 'The default is all topics in which the group has commits.' },
    partitions: { type: 'array', items: { type: 'integer' }, description: 'Partitions of the topic; the default is all of them.' },
    apply: { type: 'boolean', default: false, description: 'Move the offsets; otherwise the answer is a preview.' },
  },
} as const

const soughtSchema = {
  description: 'The new offsets of the group',
  type: 'object',
  required: ['group', 'applied', 'partitions'],
  properties: {
    group: text,
    applied: { type: 'boolean', description: 'False for a preview.' },
    partitions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['topic', 'partition', 'from', 'to', 'end', 'lag'],
        properties: {
          topic: text,
          partition: count,
          from: { ...nullableCount, description: 'The offset that was committed before.' },
          to: count,
          end: count,
          lag: count,
        },
      },
    },
  },
} as const
