// IncrementalAlterConfigs sets and resets single configs, and adds items to lists and removes them.
// - Versions: 0–1.
// - KIPs: 339, 226 (brokers), 1043 (groups), 714 (client metrics).
// - Left out: configs of brokers other than those of core/config/broker-configs.ts; levels of loggers; configs of groups whose protocols are not served yet.
import { IncrementalAlterConfigs, type IncrementalAlterConfigsRequest } from '@local-kafka-service/protocol'
import type { AlterConfigOp, ConfigChanges } from '../core/config/config-changes.ts'
import { type AlterationUses, alteredConfigs, rejectedAlterations, type UnknownOperation } from './config-alteration.ts'
import { handler } from './handler.ts'

export const incrementalAlterConfigs = handler({
  api: IncrementalAlterConfigs,
  access: { operation: 'ALTER_CONFIGS', resource: 'topic' },
  async handle(request, context, services: AlterationUses) {
    const alterations = request.resources.map((resource) => ({ ...resource, changes: changesOf(resource.configs) }))
    const responses = await alteredConfigs(alterations, { api: IncrementalAlterConfigs, dryRun: request.validateOnly, context, services })
    return { kind: 'now', response: { throttleTimeMs: 0, responses } }
  },
  reject: ({ resources }, error) => ({ throttleTimeMs: 0, responses: rejectedAlterations(resources, error) }),
})

/** By Kafka's numbers. */
const operations = ['SET', 'DELETE', 'APPEND', 'SUBTRACT'] as const

function changesOf(configs: IncrementalAlterConfigsRequest['resources'][number]['configs']): ConfigChanges | UnknownOperation {
  const changes: AlterConfigOp[] = []
  for (const { name, configOperation, value } of configs) {
    const operation = operations[configOperation]
    if (operation === undefined) return { kind: 'unknown operation', operation: configOperation }
    changes.push({ name, operation, value })
  }
  return { kind: 'incremental', changes }
}
