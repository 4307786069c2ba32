// The routes of transactions on the control plane: list, show one with its partitions and groups, abort.
import type { TransactionDescription, TransactionListing } from '@local-kafka-service/agent'
import type { FastifyInstance } from 'fastify'
import { isoTime } from './iso-time.ts'
import type { PlaneParts } from './plane.ts'
import { problemOfCode } from './problem.ts'
import { problemAnswers } from './schemas.ts'

interface ListQuery {
  readonly state?: TransactionListing['state']
  readonly open_for_ms?: string
}

export function transactionRoutes(app: FastifyInstance, { agent }: PlaneParts): void {
  const { transactions } = agent.operations
  const { gate } = agent.shared

  app.get<{ Querystring: ListQuery }>(
    '/transactions',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'cluster' } },
      schema: {
        operationId: 'listTransactions',
        summary: 'List the transactional ids of the cluster, with the state of the newest transaction of each',
        tags: ['transactions'],
        querystring: querySchema,
        response: {
          200: {
            description: 'The transactional ids, in order',
            type: 'object',
            required: ['transactions'],
            properties: { transactions: { type: 'array', items: listingSchema } },
          },
          ...problemAnswers(400, 503),
        },
      },
    },
    async ({ query, requestContext }) => {
      const listed = await transactions.list({
        ...(query.state !== undefined && { state: query.state }),
        ...(query.open_for_ms !== undefined && { openForMs: Number(query.open_for_ms) }),
        maySee: (name) => gate.authorize(requestContext, 'DESCRIBE', { type: 'TRANSACTIONAL_ID', name }),
      })
      return { transactions: listed.map(listingJson) }
    },
  )

  app.get<{ Params: IdParams }>(
    '/transactions/:id',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'transactional id in path' } },
      schema: {
        operationId: 'showTransaction',
        summary: 'Show a transactional id, with the partitions and groups of its open transaction',
        tags: ['transactions'],
        params: idParams,
        querystring: noQuery,
        response: { 200: descriptionSchema, ...problemAnswers(404, 503) },
      },
    },
    async ({ params, requestContext }) => {
      const maySeeTopic = (name: string): boolean => gate.authorize(requestContext, 'DESCRIBE', { type: 'TOPIC', name })
      const described = await transactions.describe(params.id, { maySeeTopic })
      if (described.kind === 'error') throw problemOfCode(described.code, described.message)
      return descriptionJson(described.value)
    },
  )

  app.post<{ Params: IdParams }>(
    '/transactions/:id/abort',
    {
      config: { access: { operation: 'CLUSTER_ACTION', resource: 'cluster' } },
      schema: {
        operationId: 'abortTransaction',
        summary: 'Abort the open transaction of a transactional id, as after a time-out',
        description:
          'For a transaction that hangs: consumers of committed records wait at its first record. Its records are never visible to them, its offsets are dropped, and its producer has to go on with a new epoch. Without an open transaction nothing changes.',
        tags: ['transactions'],
        params: idParams,
        querystring: noQuery,
        response: { 200: abortedSchema, ...problemAnswers(404, 503) },
      },
    },
    async ({ params }) => {
      const aborted = await transactions.abort(params.id)
      if (aborted.kind === 'error') throw problemOfCode(aborted.code, aborted.message)
      return { transactionalId: params.id, aborted: aborted.value }
    },
  )
}

interface IdParams {
  readonly id: string
}

function listingJson({ transactionalId, state, producerId, producerEpoch, timeoutMs, beganAtMs, coordinator }: TransactionListing): object {
  return {
    transactionalId,
    state,
    producerId,
    producerEpoch,
    timeoutMs,
    startedAt: beganAtMs === undefined ? null : isoTime(beganAtMs),
    coordinator: coordinator ?? null,
  }
}

function descriptionJson(of: TransactionDescription): object {
  return { ...listingJson(of), topics: of.topics, groups: of.groups }
}

const noQuery = { type: 'object', additionalProperties: false, properties: {} } as const

const querySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    state: { type: 'string', enum: ['Empty', 'Ongoing', 'CompleteCommit', 'CompleteAbort'] },
    open_for_ms: {
      type: 'string',
      pattern: '^[0-9]{1,15}$',
      description: 'Only transactions that have been open for more than this number of milliseconds.',
    },
  },
} as const

const idParams = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string', description: 'The transactional id.' } },
} as const

const count = { type: 'integer' } as const
const text = { type: 'string' } as const

const listingProperties = {
  transactionalId: text,
  state: {
    type: 'string',
    description: 'Empty, Ongoing, CompleteCommit or CompleteAbort. There are no states between the end of a transaction and its markers.',
  },
  producerId: count,
  producerEpoch: count,
  timeoutMs: { ...count, description: "The producer's transaction.timeout.ms." },
  startedAt: { type: ['string', 'null'], description: 'When the open transaction began; null if none is open.' },
  coordinator: { type: ['integer', 'null'], description: 'The broker id of its coordinator; null while it has none.' },
} as const
const listingRequired = ['transactionalId', 'state', 'producerId', 'producerEpoch', 'timeoutMs', 'startedAt', 'coordinator'] as const
const listingSchema = { type: 'object', required: listingRequired, properties: listingProperties } as const

const descriptionSchema = {
  description: 'The transactional id',
  type: 'object',
  required: [...listingRequired, 'topics', 'groups'],
  properties: {
    ...listingProperties,
    topics: {
      type: 'array',
      description: 'The partitions of the open transaction.',
      items: {
        type: 'object',
        required: ['topic', 'partitions'],
        properties: { topic: text, partitions: { type: 'array', items: count } },
      },
    },
    groups: { type: 'array', items: text, description: 'The groups whose offsets the open transaction commits.' },
  },
} as const

const abortedSchema = {
  description: 'The transaction is over',
  type: 'object',
  required: ['transactionalId', 'aborted'],
  properties: {
    transactionalId: text,
    aborted: { type: 'boolean', description: 'False: no transaction was open.' },
  },
} as const
