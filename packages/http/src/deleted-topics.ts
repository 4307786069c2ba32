// The route that lists deleted topics that can be brought back, on the control plane.
import type { DeletedTopic } from '@local-kafka-service/agent'
import type { FastifyInstance } from 'fastify'
import { isoTime } from './iso-time.ts'
import type { PlaneParts } from './plane.ts'
import { problemAnswers } from './schemas.ts'

export function deletedTopicsRoute(app: FastifyInstance, { agent }: PlaneParts): void {
  const { topics } = agent.operations

  app.get(
    '/deleted-topics',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'cluster' } },
      schema: {
        operationId: 'listDeletedTopics',
        summary: 'List the deleted topics that can be brought back, the newest deletion first',
        description: 'POST /topics/{id}/undelete brings one back with its records. At most 1,000 are listed.',
        tags: ['topics'],
        querystring: { type: 'object', additionalProperties: false, properties: {} },
        response: { 200: answerSchema, ...problemAnswers(503) },
      },
    },
    async () => ({ topics: (await topics.deleted()).map(deletedTopicJson) }),
  )
}

function deletedTopicJson({ name, topicId, partitions, deletedAtMs, purgeAtMs }: DeletedTopic & { readonly purgeAtMs: number }): object {
  return { name, id: topicId, partitions, deletedAt: isoTime(deletedAtMs), purgeAt: isoTime(purgeAtMs) }
}

const time = { type: 'string', format: 'date-time' } as const

const answerSchema = {
  description: 'The deleted topics',
  type: 'object',
  required: ['topics'],
  properties: {
    topics: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'id', 'partitions', 'deletedAt', 'purgeAt'],
        properties: {
          name: { type: 'string' },
          id: { type: 'string' },
          partitions: { type: 'integer' },
          deletedAt: time,
          purgeAt: { ...time, description: 'From then on it cannot be brought back.' },
        },
      },
    },
  },
} as const
