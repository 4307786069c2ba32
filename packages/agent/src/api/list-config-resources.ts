// ListConfigResources lists the resources that have configs: topics, brokers, and subscriptions of client metrics.
// - Versions: 0–1; version 0 lists client metrics only.
// - KIPs: 1000, 1142.
// - Left out: groups, which have no configs of their own here; loggers.
import { errors, ListConfigResources } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import { mayTouch } from './access.ts'
import { configResources } from './config-sources.ts'
import { handler } from './handler.ts'

type Uses = Pick<Services, 'topics' | 'resources' | 'owners' | 'gate'>

export const listConfigResources = handler({
  api: ListConfigResources,
  access: { operation: 'DESCRIBE_CONFIGS', resource: 'cluster' },
  async handle(request, context, services: Uses) {
    const known: readonly number[] = Object.values(configResources)
    const asked = context.apiVersion === 0 ? [configResources.CLIENT_METRICS] : request.resourceTypes
    if (asked.some((type) => !known.includes(type)))
      return { kind: 'now', response: { throttleTimeMs: 0, errorCode: errors.UNSUPPORTED_VERSION.code, configResources: [] } }
    const wanted = new Set(asked.length === 0 ? known : asked)
    const stored = wanted.has(configResources.CLIENT_METRICS) ? await services.resources.list() : []
    const metrics = stored.filter(({ kind }) => kind === 'client metrics')
    const topics = wanted.has(configResources.TOPIC) ? await services.topics.list() : []
    const seen = topics.filter(({ name }) => mayTouch(name, 'DESCRIBE', { context, services }))
    return {
      kind: 'now',
      response: {
        throttleTimeMs: 0,
        errorCode: 0,
        configResources: [
          ...metrics.map(({ name }) => ({ resourceName: name, resourceType: configResources.CLIENT_METRICS })),
          ...(wanted.has(configResources.BROKER)
            ? [{ resourceName: String(services.owners.brokerId), resourceType: configResources.BROKER }]
            : []),
          ...seen.map(({ name }) => ({ resourceName: name, resourceType: configResources.TOPIC })),
        ],
      },
    }
  },
  reject: (_request, { code }) => ({ throttleTimeMs: 0, errorCode: code, configResources: [] }),
})
