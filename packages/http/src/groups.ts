// Groups on the control plane: list, show with lag, move their offsets, delete.
import type { GroupDescription, SeekTo } from '@local-kafka-service/agent'
import type { FastifyInstance } from 'fastify'
import { epochMsOf } from './iso-time.ts'
import type { PlaneParts } from './plane.ts'
import { Problem, problemOfCode } from './problem.ts'
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

export function groupRoutes(app: FastifyInstance, { agent }: PlaneParts): void {
  const { groupOperations, gate } = agent.services

  app.get(
    '/groups',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'cluster' } },
      schema: {
        operationId: 'listGroups',
        summary: 'List the groups that this agent coordinates, by id',
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
      const groups = await groupOperations.list()
      return { groups: groups.map(({ groupId, kind, protocolType, state }) => ({ group: groupId, type: kind, state, protocolType })) }
    },
  )

  app.get<{ Params: { readonly group: string } }>(
    '/groups/:group',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'group in path' } },
      schema: {
        operationId: 'showGroup',
        summary: 'Show a group: its members and what they read, its offsets, and how far they are behind',
        tags: ['groups'],
        params: groupParams,
        querystring: { type: 'object', additionalProperties: false, properties: {} },
        response: { 200: groupSchema, ...problemAnswers(400, 404, 503) },
      },
    },
    async ({ params, requestContext }) => {
      const maySee = (name: string): boolean => gate.authorize(requestContext, 'DESCRIBE', { type: 'TOPIC', name })
      const described = await groupOperations.describe(params.group, { maySee })
      if (described.kind === 'error') throw problemOfCode(described.code, described.message)
      return groupJson(described.value)
    },
  )

  app.post<{ Params: { readonly group: string }; Body: SeekBody }>(
    '/groups/:group/seek',
    {
      config: { access: { operation: 'READ', resource: 'group in path' } },
      schema: {
        operationId: 'seekGroup',
        summary: "Move a group's offsets: to the start, the end, a time or an offset, or by so many",
        description:
          'Answers what would be; with `"apply": true` it is done. Exactly one of `to`, `time`, `offset` and `by` is given. Without a topic it moves all partitions of the topics of which the group has committed any; with `by`, those that are committed. Offsets outside of a partition become its start or its end. Refused while the group has members.',
        tags: ['groups'],
        params: groupParams,
        body: seekSchema,
        response: { 200: soughtSchema, ...problemAnswers(400, 404, 409, 503) },
      },
    },
    async ({ params, body, requestContext }) => {
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
      return {
        group: params.group,
        applied: apply,
        partitions: sought.value.map((one) => ({
          topic: one.topic,
          partition: one.partition,
          from: one.from ?? null,
          to: one.to,
          end: one.end,
          lag: one.end - one.to,
        })),
      }
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
          200: { description: 'The group is gone', type: 'object', required: ['group'], properties: { group: { type: 'string' } } },
          ...problemAnswers(400, 404, 409, 503),
        },
      },
    },
    async ({ params }) => {
      const deleted = await groupOperations.delete(params.group)
      if (deleted.kind === 'error') throw problemOfCode(deleted.code, deleted.message)
      return { group: params.group }
    },
  )
}

function groupJson(of: GroupDescription): object {
  return {
    group: of.groupId,
    type: 'classic',
    state: of.state,
    protocolType: of.protocolType,
    protocol: of.protocolName === '' ? null : of.protocolName,
    generation: of.generation,
    leader: of.leader === '' ? null : of.leader,
    members: of.members.map(({ memberId, groupInstanceId, clientId, clientHost, subscription, assignment }) => ({
      member: memberId,
      instance: groupInstanceId,
      clientId,
      host: clientHost.replace(/^\//, ''),
      topics: subscription ?? null,
      assignment: assignment ?? null,
    })),
    partitions: of.partitions.map(({ topic, partition, committed, start, end, lag, memberId }) => ({
      topic,
      partition,
      offset: committed?.offset ?? null,
      metadata: committed?.metadata ?? null,
      start,
      end,
      lag,
      member: memberId ?? null,
    })),
    lag: of.lag,
  }
}

function seekTo({ to, time, offset, by }: SeekBody): SeekTo {
  const places: readonly (SeekTo | undefined)[] = [
    to,
    time === undefined ? undefined : { time: epochMs(time) },
    offset === undefined ? undefined : { offset },
    by === undefined ? undefined : { by },
  ]
  const [place, ...more] = places.filter((one) => one !== undefined)
  if (place === undefined || more.length > 0) throw new Problem('badRequest', 'Exactly one of to, time, offset and by must be given.')
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
  type: { type: 'string', description: 'The protocol that runs in it: classic.' },
  state: { type: 'string', description: 'Empty, PreparingRebalance, CompletingRebalance or Stable.' },
  protocolType: { type: 'string', description: 'consumer, or what else its members are; empty while nobody has joined yet.' },
} as const
const listingRequired = ['group', 'type', 'state', 'protocolType'] as const
const listingSchema = { type: 'object', required: listingRequired, properties: listingProperties } as const

const memberSchema = {
  type: 'object',
  required: ['member', 'instance', 'clientId', 'host', 'topics', 'assignment'],
  properties: {
    member: { type: 'string', description: "The member's id." },
    instance: { ...nullableText, description: 'Of a static member.' },
    clientId: text,
    host: text,
    topics: { type: ['array', 'null'], items: text, description: 'What it subscribes to; null unless it is a consumer in a stable group.' },
    assignment: {
      type: ['array', 'null'],
      items: {
        type: 'object',
        required: ['topic', 'partitions'],
        properties: { topic: text, partitions: { type: 'array', items: count } },
      },
      description: 'What it reads; null unless it is a consumer.',
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
      description: 'All partitions of each topic of which the group has committed any, and those that its members read.',
      items: {
        type: 'object',
        required: ['topic', 'partition', 'offset', 'metadata', 'start', 'end', 'lag', 'member'],
        properties: {
          topic: text,
          partition: count,
          offset: { ...nullableCount, description: 'The committed offset: where the group goes on. Null without one.' },
          metadata: nullableText,
          start: count,
          end: count,
          lag: { ...count, description: 'The offsets from there to the end; without a committed offset, from the start.' },
          member: { ...nullableText, description: 'Who reads it.' },
        },
      },
    },
    lag: { type: 'integer', description: 'Of all these partitions; 0 only where nothing is unread.' },
  },
} as const

const seekSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    to: { type: 'string', enum: ['start', 'end'] },
    time: { type: 'string', description: 'The first record that is not older, else the end.', examples: ['2026-01-31T12:00:00Z'] },
    offset: { type: 'integer', minimum: 0 },
    by: { type: 'integer', description: 'From the committed offset: -10 is ten back.' },
    topic: { type: 'string', description: 'Without one, all topics of which the group has committed any.' },
    partitions: { type: 'array', items: { type: 'integer' }, description: 'Of the topic; all without them.' },
    apply: { type: 'boolean', default: false, description: 'Do it; without it the answer is a preview.' },
  },
} as const

const soughtSchema = {
  description: 'Where the group goes on',
  type: 'object',
  required: ['group', 'applied', 'partitions'],
  properties: {
    group: text,
    applied: { type: 'boolean', description: 'False: this was a preview.' },
    partitions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['topic', 'partition', 'from', 'to', 'end', 'lag'],
        properties: {
          topic: text,
          partition: count,
          from: { ...nullableCount, description: 'What was committed before.' },
          to: count,
          end: count,
          lag: count,
        },
      },
    },
  },
} as const
