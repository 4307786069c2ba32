// The routes of the agents on the control plane: the cluster, its living agents, their end, and the map of slots.
import { errorText } from '@local-kafka-service/agent'
import type { FastifyInstance } from 'fastify'
import type { PlaneParts } from './plane.ts'
import { Problem } from './problem.ts'
import { moved } from './reroute.ts'
import { problemAnswers } from './schemas.ts'

const config = { access: { operation: 'DESCRIBE', resource: 'cluster' } } as const
const noQuery = { type: 'object', additionalProperties: false, properties: {} } as const

export function agentRoutes(app: FastifyInstance, parts: PlaneParts): void {
  const { agent } = parts
  const { owners } = agent.shared

  app.get(
    '/cluster',
    {
      config,
      schema: {
        operationId: 'showCluster',
        summary: 'Show the cluster: its id, the agent that answers, and the count of agents and slots',
        tags: ['cluster'],
        querystring: noQuery,
        response: { 200: clusterSchema, ...problemAnswers(503) },
      },
    },
    () => {
      const members = [...owners.members]
      const self = members.find(({ brokerId }) => brokerId === agent.brokerId)
      return {
        clusterId: agent.clusterId,
        brokerId: agent.brokerId,
        agent: self?.agent ?? null,
        agents: members.length,
        slots: owners.slots,
      }
    },
  )

  app.get(
    '/agents',
    {
      config,
      schema: {
        operationId: 'listAgents',
        summary: 'List the living agents, as of the last heartbeat of the one that answers',
        tags: ['cluster'],
        querystring: noQuery,
        response: { 200: agentsSchema, ...problemAnswers(503) },
      },
    },
    () => {
      const ranges = owners.ownedSlots()
      return {
        agents: [...owners.members].map(({ agent: name, brokerId, host, port, rack, controlUrl, dataUrl }) => ({
          agent: name,
          brokerId,
          kafka: `${host.includes(':') ? `[${host}]` : host}:${port}`,
          rack,
          slots: ranges.filter(({ leader }) => leader === brokerId).reduce((sum, { first, last }) => sum + last - first + 1, 0),
          answers: brokerId === agent.brokerId,
          control: controlUrl,
          data: dataUrl,
        })),
      }
    },
  )

  app.post<{ Params: { readonly agent: string } }>(
    '/agents/:agent/drain',
    {
      config: { access: { operation: 'ALTER', resource: 'cluster' } },
      schema: {
        operationId: 'drainAgent',
        summary: 'Stop an agent, as SIGTERM does: it answers what it has admitted, gives its slots to the others, and ends',
        description: 'The answer comes before the agent ends. Another agent is a 307 to its own control plane.',
        tags: ['cluster'],
        params: { type: 'object', required: ['agent'], properties: { agent: { type: 'string', minLength: 1 } } },
        querystring: noQuery,
        response: { 202: drainingSchema, ...problemAnswers(307, 404, 503) },
      },
    },
    async (request, reply) => {
      const { agent: name } = request.params
      const named = [...owners.members].find((member) => member.agent === name)
      if (named === undefined) throw new Problem('unknownAgent', `No living agent has the name '${name}'.`)
      if (named.brokerId !== agent.brokerId) {
        if (named.controlUrl === null)
          throw new Problem('unavailable', `Agent '${name}' does not serve a control plane that is known here.`)
        const message = `Agent '${name}' has its control plane at ${named.controlUrl}.`
        throw moved(`${named.controlUrl}${request.url}`, message, { agent: name })
      }
      // Its end is that of the process, which waits for this answer.
      agent.drain().catch((error: unknown) => agent.shared.emit({ kind: 'notice', message: `the drain failed: ${errorText(error)}` }))
      return await reply.code(202).send({ agent: name, state: 'draining' })
    },
  )

  app.get(
    '/slots',
    {
      config,
      schema: {
        operationId: 'listSlots',
        summary: 'Show which agent owns which slots',
        description:
          'A partition, a group and a transactional id each belong to one slot, and the agent that owns it is their leader or coordinator. The map is that of the last heartbeat of the agent that answers.',
        tags: ['cluster'],
        querystring: noQuery,
        response: { 200: slotsSchema, ...problemAnswers(503) },
      },
    },
    () => {
      const names = new Map([...owners.members].map(({ brokerId, agent: name }) => [brokerId, name]))
      return {
        slots: owners.slots,
        ranges: owners.ownedSlots().map(({ first, last, epoch, leader }) => ({
          first,
          last,
          epoch,
          brokerId: leader ?? null,
          agent: leader === undefined ? null : (names.get(leader) ?? null),
        })),
      }
    },
  )
}

const text = { type: 'string' } as const
const count = { type: 'integer' } as const
const nullableText = { type: ['string', 'null'] } as const

const clusterSchema = {
  description: 'The cluster',
  type: 'object',
  required: ['clusterId', 'brokerId', 'agent', 'agents', 'slots'],
  properties: {
    clusterId: text,
    brokerId: { ...count, description: 'Of the agent that answers.' },
    agent: { ...nullableText, description: 'The name of the agent that answers.' },
    agents: { ...count, description: 'The living agents.' },
    slots: count,
  },
} as const

const drainingSchema = {
  description: 'The agent stops',
  type: 'object',
  required: ['agent', 'state'],
  properties: { agent: text, state: { type: 'string', enum: ['draining'] } },
} as const

const agentsSchema = {
  description: 'The living agents',
  type: 'object',
  required: ['agents'],
  properties: {
    agents: {
      type: 'array',
      items: {
        type: 'object',
        required: ['agent', 'brokerId', 'kafka', 'rack', 'slots', 'answers', 'control', 'data'],
        properties: {
          agent: { ...text, description: 'Its name.' },
          brokerId: count,
          kafka: { ...text, description: 'The address that it advertises to Kafka clients.' },
          rack: { ...nullableText, description: 'Its zone, as `broker.rack` names it; null if it has none.' },
          slots: { ...count, description: 'How many slots it owns.' },
          answers: { type: 'boolean', description: 'Whether it is the one that answers.' },
          control: { ...nullableText, description: 'The URL of its control plane; null if it serves none.' },
          data: { ...nullableText, description: 'The URL of its data plane; null if it serves none.' },
        },
      },
    },
  },
} as const

const slotsSchema = {
  description: 'The map of slots',
  type: 'object',
  required: ['slots', 'ranges'],
  properties: {
    slots: { ...count, description: 'The count of slots.' },
    ranges: {
      type: 'array',
      items: {
        type: 'object',
        required: ['first', 'last', 'epoch', 'brokerId', 'agent'],
        properties: {
          first: count,
          last: count,
          epoch: { ...count, description: 'The leader epoch of the partitions in these slots.' },
          brokerId: { type: ['integer', 'null'], description: 'Of the owner; null while there is none.' },
          agent: { ...nullableText, description: 'The name of the owner.' },
        },
      },
    },
  },
} as const
