// Adds the routes of each plane.
import type { FastifyInstance } from 'fastify'
import { activityRoutes } from './activity.ts'
import { agentRoutes } from './agents.ts'
import { compactTopicRoute } from './compact-topic.ts'
import { damageRoutes } from './damage.ts'
import { deleteRecordsRoute } from './delete-records.ts'
import { deletedTopicsRoute } from './deleted-topics.ts'
import { groupRoutes } from './groups.ts'
import { messageRoutes } from './messages.ts'
import { metricsRoute } from './metrics.ts'
import { operationRoutes } from './operations.ts'
import { type PlaneName, type PlaneParts, plane } from './plane.ts'
import { produceRoutes } from './produce.ts'
import { produceLinesRoute } from './produce-lines.ts'
import { topicRoutes } from './topics.ts'
import { transactionRoutes } from './transactions.ts'
import { upkeepRoutes } from './upkeep.ts'

/** `prepare` runs before the first route is added, for hooks that must see all routes. */
export function planeWithRoutes(
  name: PlaneName,
  parts: PlaneParts,
  prepare?: (app: FastifyInstance) => Promise<void>,
): Promise<FastifyInstance> {
  return ready(name, plane(name, parts), parts, prepare)
}

async function ready(
  name: PlaneName,
  app: FastifyInstance,
  parts: PlaneParts,
  prepare?: (app: FastifyInstance) => Promise<void>,
): Promise<FastifyInstance> {
  await prepare?.(app)
  const json = app.getDefaultJsonParser('error', 'error')
  switch (name) {
    case 'control':
      // A request without a route is answered with 404, whatever its body.
      app.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) =>
        request.is404 ? done(null) : json(request, String(body), done),
      )
      topicRoutes(app, parts)
      deletedTopicsRoute(app, parts)
      deleteRecordsRoute(app, parts)
      compactTopicRoute(app, parts)
      groupRoutes(app, parts)
      transactionRoutes(app, parts)
      damageRoutes(app, parts)
      agentRoutes(app, parts)
      upkeepRoutes(app, parts)
      activityRoutes(app, parts)
      break
    case 'data':
      app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
      produceRoutes(app, parts)
      produceLinesRoute(app, parts)
      messageRoutes(app, parts)
      break
  }
  metricsRoute(app, parts)
  operationRoutes(app, name, parts)
  await app.ready()
  return app
}
