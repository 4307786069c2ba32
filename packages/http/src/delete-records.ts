// The route that deletes the oldest records of a partition, on the control plane.
import type { FastifyInstance } from 'fastify'
import type { PlaneParts } from './plane.ts'
import { Problem, problemOfCode } from './problem.ts'
import { problemAnswers } from './schemas.ts'
import { topicParams } from './topics.ts'

interface DeleteRecordsBody {
  readonly partition: number
  readonly beforeOffset: number
}

export function deleteRecordsRoute(app: FastifyInstance, { agent }: PlaneParts): void {
  const { topics, recordDeletion } = agent.operations

  app.post<{ Params: { readonly topic: string }; Body: DeleteRecordsBody }>(
    '/topics/:topic/delete-records',
    {
      config: { access: { operation: 'DELETE', resource: 'topic in path' } },
      schema: {
        operationId: 'deleteRecords',
        summary: 'Delete the records of a partition before an offset',
        description:
          'From the answer on, no client finds them; their storage is released later. It cannot be undone. If the records are deleted already, nothing changes.',
        tags: ['topics'],
        params: topicParams,
        body: bodySchema,
        response: { 200: answerSchema, ...problemAnswers(400, 404, 409, 416, 503) },
      },
    },
    async ({ params, body }) => {
      const { partition, beforeOffset } = body
      const [found] = await topics.find([params.topic], { autoCreate: false })
      if (found?.kind !== 'ok')
        throw found === undefined ? new Problem('unknownTopicOrPartition') : problemOfCode(found.code, found.message)
      const ask = { topic: found.value, partition, beforeOffset: beforeOffset === -1 ? ('high watermark' as const) : beforeOffset }
      const outcome = await recordDeletion.deleteOne(ask)
      if (outcome.kind === 'error') throw problemOfCode(outcome.code, outcome.message)
      return { topic: params.topic, partition, logStartOffset: outcome.value }
    },
  )
}

const bodySchema = {
  type: 'object',
  required: ['partition', 'beforeOffset'],
  additionalProperties: false,
  properties: {
    partition: { type: 'integer', minimum: 0, examples: [0] },
    beforeOffset: {
      type: 'integer',
      minimum: -1,
      description: 'The first offset to keep; -1 deletes all records that the partition has now.',
    },
  },
} as const

const answerSchema = {
  description: 'The partition',
  type: 'object',
  required: ['topic', 'partition', 'logStartOffset'],
  properties: {
    topic: { type: 'string' },
    partition: { type: 'integer' },
    logStartOffset: { type: 'integer', description: 'The first offset that the partition has now.' },
  },
} as const
