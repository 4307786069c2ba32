// AlterConfigs replaces all configs of a resource: those that the request does not name get their defaults.
// - Versions: 0–2.
// - KIPs: 133. Clients have used IncrementalAlterConfigs (KIP-339) since Kafka 2.3.
// - Left out: see IncrementalAlterConfigs.
import { AlterConfigs } from '@local-kafka-service/protocol'
import { type AlterationUses, alteredConfigs, rejectedAlterations } from './config-alteration.ts'
import { handler } from './handler.ts'

export const alterConfigs = handler({
  api: AlterConfigs,
  access: { operation: 'ALTER_CONFIGS', resource: 'topic' },
  async handle(request, context, services: AlterationUses) {
    const alterations = request.resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      changes: { kind: 'full', configs } as const,
    }))
    const responses = await alteredConfigs(alterations, { api: AlterConfigs, dryRun: request.validateOnly, context, services })
    return { kind: 'now', response: { throttleTimeMs: 0, responses } }
  },
  reject: ({ resources }, error) => ({ throttleTimeMs: 0, responses: rejectedAlterations(resources, error) }),
})
