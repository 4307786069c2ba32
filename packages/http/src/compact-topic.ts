// The route that compacts a topic now, on the control plane.
import type { FastifyInstance } from 'fastify'
import type { PlaneParts } from './plane.ts'
import { problemOfCode } from './problem.ts'
import { problemAnswers } from './schemas.ts'
import { topicParams } from './topics.ts'

export function compactTopicRoute(app: FastifyInstance, { agent }: PlaneParts): void {
  const { compaction } = agent.operations

  app.post<{ Params: { readonly topic: string } }>(
    '/topics/:topic/compact',
    {
      config: { access: { operation: 'ALTER', resource: 'topic in path' } },
      schema: {
        operationId: 'compactTopic',
        summary: 'Compact a topic now',
        description:
          'Of each key, the last record is left. Records that are active or not dirty enough are compacted, too, but not those younger than min.compaction.lag.ms. The answer comes when the pass is done. If the connection ends before it, the pass ends after its present step, and the next one goes on.',
        tags: ['topics'],
        params: topicParams,
        response: { 200: answerSchema, ...problemAnswers(400, 404, 409, 503) },
      },
    },
    async ({ params, requestContext }) => {
      const outcome = await compaction.compact(params.topic, requestContext.signal)
      if (outcome.kind === 'error') throw problemOfCode(outcome.code, outcome.message)
      return { topic: params.topic }
    },
  )
}

const answerSchema = {
  description: 'The topic is compacted',
  type: 'object',
  required: ['topic'],
  properties: { topic: { type: 'string' } },
} as const
