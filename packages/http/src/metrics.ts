// The metrics for Prometheus, on both planes: those of the process, and those of topics and groups as long as the database answers.
import { KafkaError, MetadataError, type Metric, orLate } from '@local-kafka-service/agent'
import type { FastifyInstance } from 'fastify'
import type { PlaneParts } from './plane.ts'
import { prometheusText, prometheusType } from './prometheus.ts'
import type { ServedAgent } from './served-agent.ts'

/** Prometheus gives a scrape 10 s, and needs the metrics of the process most while the database is slow. */
const topicMetricsMs = 2_000

export function metricsRoute(app: FastifyInstance, { agent }: PlaneParts): void {
  app.get(
    '/metrics',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'cluster' }, operations: true },
      schema: {
        operationId: 'metrics',
        summary: 'Metrics in the text format of Prometheus',
        tags: ['operations'],
        produces: ['text/plain'],
        response: { 200: { description: 'Prometheus text', type: 'string' } },
      },
    },
    async (_request, reply) => {
      const text = await prometheusText([...agent.metrics(), ...(await topicMetrics(agent))], agent.shared.turns)
      return reply
        .type(prometheusType)
        .serializer((body: unknown) => String(body))
        .send(text)
    },
  )
}

/** With one that says whether the others are there. */
async function topicMetrics({ operations, shared }: ServedAgent): Promise<readonly Metric[]> {
  const found = await orLate(readOrAway(operations), { clock: shared.ioClock, afterMs: topicMetricsMs }, undefined)
  const isUp: Metric = {
    name: 'lks_topic_metrics_up',
    help: '1 if the scrape has the metrics of topics and groups; 0 if the Metadata Service did not answer in time.',
    type: 'gauge',
    samples: [{ labels: {}, value: found === undefined ? 0 : 1 }],
  }
  return [isUp, ...(found ?? [])]
}

async function readOrAway({ topicMetrics: metrics }: ServedAgent['operations']): Promise<readonly Metric[] | undefined> {
  try {
    return await metrics.read()
  } catch (error) {
    if (error instanceof MetadataError || error instanceof KafkaError) return undefined
    throw error
  }
}
