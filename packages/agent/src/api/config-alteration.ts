// Changes to the configs of the resources of one request, as AlterConfigs and IncrementalAlterConfigs share them.
import { type Api, errors, type Outcome } from '@local-kafka-service/protocol'
import { type ConfigChanges, changedConfigs } from '../core/config/config-changes.ts'
import { groupConfigTable } from '../core/config/group-configs.ts'
import type { Services } from '../services.ts'
import { failure, mayTouch } from './access.ts'
import { cluster } from './authorized-operations.ts'
import { configResources } from './config-sources.ts'
import { mayTouchGroup } from './group-access.ts'
import { reportRejection } from './rejection.ts'
import type { RequestContext } from './request-context.ts'

export type AlterationUses = Pick<Services, 'turns' | 'topics' | 'resources' | 'brokerConfigs' | 'gate' | 'owners' | 'emit'>

export interface Alteration {
  readonly resourceType: number
  readonly resourceName: string
  /** The request may have an operation that Kafka does not have. */
  readonly changes: ConfigChanges | UnknownOperation
}

export interface UnknownOperation {
  readonly kind: 'unknown operation'
  readonly operation: number
}

export interface AlterationResult {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly resourceType: number
  readonly resourceName: string
}

interface AlterationQuery {
  readonly api: Api
  readonly dryRun: boolean
  readonly context: RequestContext
  readonly services: AlterationUses
}

/** One result for each alteration, in their order. A resource that occurs twice is rejected at each place, and nothing of it changes. */
export async function alteredConfigs(alterations: readonly Alteration[], query: AlterationQuery): Promise<AlterationResult[]> {
  const places = new Map<string, number>()
  for (const alteration of alterations) places.set(keyOf(alteration), (places.get(keyOf(alteration)) ?? 0) + 1)
  const slice = query.services.turns.slice()
  const results: AlterationResult[] = []
  for (const alteration of alterations) {
    if (slice.spent(1)) await slice.next()
    const { resourceType, resourceName } = alteration
    const outcome =
      places.get(keyOf(alteration)) === 1
        ? await altered(alteration, query)
        : failure('INVALID_REQUEST', 'Each resource must appear at most once.')
    if (outcome.kind === 'error') reportRejection(query.api, { ...outcome, subject: subjectOf(alteration) }, query)
    const errorCode = outcome.kind === 'ok' ? 0 : outcome.code
    const errorMessage = outcome.kind === 'ok' ? null : (outcome.message ?? null)
    results.push({ errorCode, errorMessage, resourceType, resourceName })
  }
  return results
}

/** The answer when the whole request is rejected. */
export function rejectedAlterations(
  resources: readonly { readonly resourceType: number; readonly resourceName: string }[],
  { code, message }: { readonly code: number; readonly message: string | null },
): AlterationResult[] {
  return resources.map(({ resourceType, resourceName }) => ({ errorCode: code, errorMessage: message, resourceType, resourceName }))
}

async function altered({ resourceType, resourceName: name, changes }: Alteration, query: AlterationQuery): Promise<Outcome<unknown>> {
  if (changes.kind === 'unknown operation') return unknownOperation(resourceType, changes)
  const { dryRun, context, services } = query
  switch (resourceType) {
    case configResources.TOPIC:
      if (!mayTouch(name, 'ALTER_CONFIGS', query)) return failure('TOPIC_AUTHORIZATION_FAILED', 'Topic authorization failed.')
      if (name === '') return failure('INVALID_REQUEST', 'Default topic resources are not allowed.')
      return services.topics.changeConfigs({ name, changes, dryRun })
    case configResources.GROUP:
      if (!mayTouchGroup(name, { operation: 'ALTER_CONFIGS', context, services })) return failure('GROUP_AUTHORIZATION_FAILED')
      if (name === '') return failure('INVALID_REQUEST', 'Default group resources are not allowed.')
      // No config of a group can be set, so there is nothing to store.
      return changedConfigs({}, changes, groupConfigTable)
    case configResources.CLIENT_METRICS:
      if (!services.gate.authorize(context, 'ALTER_CONFIGS', cluster)) return failure('CLUSTER_AUTHORIZATION_FAILED')
      if (name === '') return failure('INVALID_REQUEST', "Subscription name can't be empty")
      return clientMetricsChange(await services.resources.change({ kind: 'client metrics', name, changes, dryRun }))
    case configResources.BROKER:
      if (!services.gate.authorize(context, 'ALTER_CONFIGS', cluster)) return failure('CLUSTER_AUTHORIZATION_FAILED')
      return await ofBroker({ name, changes, dryRun }, services)
    case configResources.BROKER_LOGGER:
      if (!services.gate.authorize(context, 'ALTER_CONFIGS', cluster)) return failure('CLUSTER_AUTHORIZATION_FAILED')
      return failure('INVALID_CONFIG', "The levels of this server's log cannot be changed at run time.")
    default:
      return failure('INVALID_REQUEST', `Unknown resource type ${resourceType}`)
  }
}

/** Kafka's controller, which decides about the other resources, has a code and no text for it. */
function unknownOperation(resourceType: number, { operation }: UnknownOperation): Outcome<never> {
  return resourceType === configResources.BROKER
    ? failure('INVALID_REQUEST', `Unknown operations type ${operation}`)
    : { kind: 'error', code: errors.UNKNOWN_SERVER_ERROR.code }
}

function clientMetricsChange(result: Awaited<ReturnType<Services['resources']['change']>>): Outcome<unknown> {
  if (result.kind === 'changed') return { kind: 'ok', value: undefined }
  return { kind: 'error', code: result.code, ...(result.message !== undefined && { message: result.message }) }
}

/** The empty name stands for all brokers. */
async function ofBroker(
  { name, changes, dryRun }: { readonly name: string; readonly changes: ConfigChanges; readonly dryRun: boolean },
  { owners, brokerConfigs }: Pick<AlterationUses, 'owners' | 'brokerConfigs'>,
): Promise<Outcome<unknown>> {
  if (name === '') return await brokerConfigs.change({ of: 'all brokers', changes, dryRun })
  if (!/^[+-]?\d+$/.test(name)) return failure('INVALID_REQUEST', `Node id must be an integer, but it is: ${name}`)
  if (Number(name) !== owners.brokerId)
    return failure('INVALID_REQUEST', `Unexpected broker id, expected ${owners.brokerId}, but received ${name}`)
  return await brokerConfigs.change({ of: 'this broker', changes, dryRun })
}

function keyOf({ resourceType, resourceName }: Pick<Alteration, 'resourceType' | 'resourceName'>): string {
  return `${resourceType} ${resourceName}`
}

function subjectOf({ resourceType, resourceName }: Alteration): string {
  const kind = Object.entries(configResources).find(([, number]) => number === resourceType)?.[0] ?? `resource of type ${resourceType}`
  return `${kind.toLowerCase().replace('_', ' ')} '${resourceName}'`
}
