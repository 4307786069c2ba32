// The routes for operators and probes on both planes: liveness, readiness, the description of the API, and the explanation of errors.
import type { FastifyInstance, FastifyReply } from 'fastify'
import { consolePage, wantsPage } from './console-page.ts'
import { docsPage } from './docs-page.ts'
import type { PlaneName, PlaneParts } from './plane.ts'
import { Problem, type ProblemRow, problems } from './problem.ts'
import type { ServedAgent } from './served-agent.ts'

const open = { access: { operation: 'NONE', resource: 'cluster' }, operations: true } as const
const noQuery = { type: 'object', additionalProperties: false, properties: {} } as const

export function operationRoutes(app: FastifyInstance, name: PlaneName, parts: PlaneParts): void {
  const { agent } = parts

  app.get(
    '/livez',
    {
      config: open,
      schema: {
        operationId: 'livez',
        summary: 'Whether the process is alive',
        tags: ['operations'],
        querystring: noQuery,
        response: { 200: statusSchema },
      },
    },
    () => ({ status: 'ok' }),
  )

  app.get(
    '/readyz',
    {
      config: open,
      schema: {
        operationId: 'readyz',
        summary: 'Whether the agent can serve; `reasons` lists the causes if it cannot, or what is affected if it is `degraded`',
        tags: ['operations'],
        querystring: noQuery,
        response: { 200: statusSchema, 503: { ...statusSchema, description: 'Not ready; `reasons` lists the causes' } },
      },
    },
    (_request, reply) => {
      const health = agent.health()
      const reasons = [...(parts.stopping.aborted ? ['the HTTP planes are stopping'] : []), ...health.reasons]
      const ready = health.ready && !parts.stopping.aborted
      reply.code(ready ? 200 : 503).header('cache-control', 'no-store')
      return { status: !ready ? 'not ready' : reasons.length === 0 ? 'ready' : 'degraded', reasons }
    },
  )

  app.get(
    '/version',
    {
      config: open,
      schema: {
        operationId: 'version',
        summary: 'The version of the server, and where it is',
        tags: ['operations'],
        querystring: noQuery,
        response: { 200: versionSchema },
      },
    },
    () => ({
      version: parts.version,
      clusterId: agent.clusterId,
      brokerId: agent.brokerId,
      kafka: kafkaAddress(agent),
    }),
  )

  app.get('/openapi.json', { config: open, schema: { hide: true } }, async (_request, reply) =>
    raw(reply, 'application/json; charset=utf-8', JSON.stringify(await parts.describe())),
  )

  app.get('/docs', { config: open, schema: { hide: true } }, async (_request, reply) => page(reply, docsPage(await parts.describe())))

  app.get<{ Params: { readonly error: string } }>(
    '/errors/:error',
    {
      config: open,
      schema: {
        operationId: 'explainError',
        summary: 'Explain an error',
        tags: ['operations'],
        params: { type: 'object', required: ['error'], properties: { error: { type: 'string' } } },
        querystring: noQuery,
        response: { 200: errorSchema },
      },
    },
    ({ params }) => {
      const row: ProblemRow | undefined = Object.values(problems).find(({ error }) => error === params.error)
      if (row === undefined) throw new Problem('notFound', `'${params.error.slice(0, 100)}' is not an error of this API.`)
      const { error, status, kafka, meaning, hint } = row
      return { error, error_code: status, ...(kafka !== undefined && { kafka }), meaning, ...(hint !== undefined && { hint }) }
    },
  )

  if (name === 'control') {
    const { random } = agent.shared
    app.get('/', { config: open, schema: { hide: true } }, async (request, reply) => {
      if (wantsPage(request.headers.accept)) {
        const { html, headers } = await consolePage(parts.readConsolePage, { token: parts.pageToken, random })
        return raw(reply.headers(headers), 'text/html; charset=utf-8', html)
      }
      reply.header('vary', 'accept')
      return {
        name: 'Local Kafka Service',
        version: parts.version,
        topics: `${parts.urls().control}/topics`,
        produce: `${parts.urls().data}/topics/{topic}/produce/{partition}`,
        messages: `${parts.urls().data}/topics/{topic}/messages`,
        docs: `${parts.urls().control}/docs`,
        openapi: `${parts.urls().control}/openapi.json`,
      }
    })
  }
}

/** An IPv6 address is in brackets, as clients expect it. */
function kafkaAddress(agent: ServedAgent): string | null {
  for (const { brokerId, host, port } of agent.members())
    if (brokerId === agent.brokerId) return `${host.includes(':') ? `[${host}]` : host}:${port}`
  return null
}

function raw(reply: FastifyReply, type: string, text: string): FastifyReply {
  return reply
    .type(type)
    .serializer((body: unknown) => String(body))
    .send(text)
}

function page(reply: FastifyReply, html: string): FastifyReply {
  reply.headers({
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
  })
  return raw(reply, 'text/html; charset=utf-8', html)
}

const statusSchema = {
  description: 'The status',
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string' }, reasons: { type: 'array', items: { type: 'string' } } },
} as const

const versionSchema = {
  description: 'The version',
  type: 'object',
  required: ['version', 'clusterId', 'brokerId', 'kafka'],
  properties: {
    version: { type: 'string' },
    clusterId: { type: 'string' },
    brokerId: { type: 'integer' },
    kafka: {
      type: ['string', 'null'],
      description: 'The address that this agent advertises to Kafka clients; null before it has joined the cluster.',
    },
  },
} as const

const errorSchema = {
  description: 'The error',
  type: 'object',
  required: ['error', 'error_code', 'meaning'],
  properties: {
    error: { type: 'string' },
    error_code: { type: 'integer', description: 'The HTTP status.' },
    kafka: { type: 'string', description: "Kafka's name of the error." },
    meaning: { type: 'string' },
    hint: { type: 'string' },
  },
} as const
