// Configs of topics and brokers: reads their values and sources, and changes them.
import type { describeConfigsV4 } from '@platformatic/kafka'
import { UserError } from 'local-kafka-service/internal/user-error'
import type { ClusterClient } from './cluster-client.ts'
import { clusterState } from './cluster-metadata.ts'

export const resourceKinds = ['topic', 'broker'] as const
export type ResourceKind = (typeof resourceKinds)[number]

export interface ConfigResource {
  readonly kind: ResourceKind
  readonly name: string
}

export interface ConfigEntry {
  readonly name: string
  /** Null: not set, or sensitive. */
  readonly value: string | null
  readonly source: ConfigSource
  readonly readOnly: boolean
  readonly sensitive: boolean
  readonly doc: string | undefined
}

/** Short names of Kafka's config sources, by number. */
const sources = ['unknown', 'topic', 'broker', 'all brokers', 'broker file', 'default', 'broker logger', 'client metrics', 'group'] as const
export type ConfigSource = (typeof sources)[number]

export function isSet({ source }: ConfigEntry): boolean {
  return source !== 'default'
}

/** In the order of their names. `keys`: null for all. */
export async function describeConfigs(
  cluster: ClusterClient,
  resource: ConfigResource,
  keys: readonly string[] | null,
): Promise<readonly ConfigEntry[]> {
  await checkBroker(cluster, resource)
  const asked = {
    resourceType: typeOf(cluster, resource.kind),
    resourceName: resource.name,
    configurationKeys: keys === null ? null : [...keys],
  }
  const described = await cluster.withRetries(() => cluster.admin.describeConfigs({ resources: [asked], includeDocumentation: true }))
  return described.flatMap(({ configs }) => configs.map(configOf)).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

export interface ConfigChange {
  readonly name: string
  /** Undefined: reset to the default. */
  readonly value: string | undefined
}

/** Changes all configs of all resources, or none if the cluster rejects one. Throws a UserError when the cluster cannot. */
export async function alterConfigs(
  cluster: ClusterClient,
  resources: readonly ConfigResource[],
  changes: readonly ConfigChange[],
): Promise<void> {
  const { IncrementalAlterConfigOperationTypes: operations } = cluster.library
  if (!cluster.serves('IncrementalAlterConfigs'))
    throw new UserError('LKS-4006', {
      what: 'configs cannot be changed on this cluster',
      why: 'it does not serve IncrementalAlterConfigs',
      fix: ['set them when you create a topic: lks topic create NAME -c key=value', 'list the served APIs: lks cluster info --apis'],
    })
  for (const resource of resources) await checkBroker(cluster, resource)
  const configs = changes.map(({ name, value }) =>
    value === undefined ? { name, configOperation: operations.DELETE } : { name, configOperation: operations.SET, value },
  )
  const asked = resources.map(({ kind, name }) => ({ resourceType: typeOf(cluster, kind), resourceName: name, configs }))
  // Kafka changes each resource that it accepts, whatever it says about the others.
  if (asked.length > 1) await cluster.withRetries(() => cluster.admin.incrementalAlterConfigs({ resources: asked, validateOnly: true }))
  await cluster.withRetries(() => cluster.admin.incrementalAlterConfigs({ resources: asked }))
}

/** The library sends the request to the broker itself, and reports an unknown broker as unreachable. */
async function checkBroker(cluster: ClusterClient, { kind, name }: ConfigResource): Promise<void> {
  if (kind !== 'broker') return
  const { brokers } = await clusterState(cluster, [])
  if (!brokers.some(({ id }) => String(id) === name))
    throw new UserError('LKS-4007', {
      what: `the cluster has no broker ${name}`,
      why: `it has ${brokers.map(({ id }) => id).join(', ')}`,
      fix: ['list the brokers: lks cluster info'],
    })
}

function configOf({
  name,
  value,
  configSource,
  readOnly,
  isSensitive,
  documentation,
}: describeConfigsV4.DescribeConfigsResponseConfig): ConfigEntry {
  return {
    name,
    value: isSensitive ? null : (value ?? null),
    source: sources[configSource] ?? 'unknown',
    readOnly,
    sensitive: isSensitive,
    doc: documentation ?? undefined,
  }
}

function typeOf({ library: { ConfigResourceTypes } }: ClusterClient, kind: ResourceKind): 2 | 4 {
  return kind === 'topic' ? ConfigResourceTypes.TOPIC : ConfigResourceTypes.BROKER
}
