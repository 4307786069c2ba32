// The routes of the agents on the control plane: the cluster, its living agents, and the map of slots.
import type { FastifyInstance } from 'fastify'
import type { PlaneParts } from './plane.ts'
import { problemAnswers } from './schemas.ts'

const config = { access: { operation: 'DESCRIBE', resource: 'cluster' } } as const
const noQuery = { type: 'object', additionalProperties: false, properties: {} } as const

export function agentRoutes(app: FastifyInstance, { agent }: PlaneParts): void {
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
        agents: [...owners.members].map(({ agent: name, brokerId, host, port }) => ({
          agent: name,
          brokerId,
          kafka: `${host.includes(':') ? `[${host}]` : host}:${port}`,
          slots: ranges.filter(({ leader }) => leader === brokerId).reduce((sum, { first, last }) => sum + last - first + 1, 0),
          answers: brokerId === agent.brokerId,
        })),
      }
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

const agentsSchema = {
  description: 'The living agents',
  type: 'object',
  required: ['agents'],
  properties: {
    agents: {
      type: 'array',
      items: {
        type: 'object',
        required: ['agent', 'brokerId', 'kafka', 'slots', 'answers'],
        properties: {
          agent: { ...text, description: 'Its name.' },
          brokerId: count,
          kafka: { ...text, description: 'The address that it advertises to Kafka clients.' },
          slots: { ...count, description: 'How many slots it owns.' },
          answers: { type: 'boolean', description: 'Whether it is the one that answers.' },
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
