// The configs of resources other than topics, as rows. All changes are made under the cluster's lock.
import { brokerConfigTable } from '../core/config/broker-configs.ts'
import { clientMetricsConfigTable } from '../core/config/client-metrics-configs.ts'
import { type ConfigTable, changedConfigs } from '../core/config/config-changes.ts'
import { countViewChange, lockCluster } from './cluster.ts'
import type { ChangeResourceConfigs, ChangeResourceConfigsResult, ConfiguredResource, StoredResourceKind } from './metadata-store.ts'
import { type Body, read, unchanged } from './sql.ts'
import { type Nothing, statement } from './statement.ts'

const tables: Readonly<Record<StoredResourceKind, ConfigTable>> = {
  'client metrics': clientMetricsConfigTable,
  broker: brokerConfigTable,
}

export function* listResourceConfigs(_input: Record<never, never>): Body<readonly ConfiguredResource[]> {
  const [rows] = yield* read(readResourceConfigs())
  const resources = rows.map(({ kind, name, configs }) => ({ kind, name, configs: JSON.parse(configs) as ConfiguredResource['configs'] }))
  return unchanged(resources.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
}

/** Repeating the changes gives the same configs, so a call whose outcome was unknown can be repeated. */
export function* changeResourceConfigs({ kind, name, changes, dryRun }: ChangeResourceConfigs): Body<ChangeResourceConfigsResult> {
  const [, [row]] = yield* read(lockCluster(), readConfigsOfResource({ kind, name }))
  const own = row === undefined ? {} : (JSON.parse(row.configs) as ConfiguredResource['configs'])
  const changed = changedConfigs(own, changes, tables[kind])
  if (changed.kind === 'error') return unchanged({ kind: 'rejected', code: changed.code, message: changed.message })
  if (dryRun) return unchanged({ kind: 'changed' })
  const empty = Object.keys(changed.value).length === 0
  const write = empty ? removeResourceConfigs({ kind, name }) : setResourceConfigs({ kind, name, configs: JSON.stringify(changed.value) })
  return { writes: [write, countViewChange()], value: { kind: 'changed' } }
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface ResourceKey {
  readonly kind: StoredResourceKind
  readonly name: string
}

const readResourceConfigs = statement<Nothing, ResourceKey & { readonly configs: string }>(
  'read resource configs',
  'SELECT kind, name, configs FROM resource_configs WHERE cluster = $cluster',
)

const readConfigsOfResource = statement<ResourceKey, { readonly configs: string }>(
  'read configs of resource',
  'SELECT configs FROM resource_configs WHERE cluster = $cluster AND kind = $kind AND name = $name',
)

const setResourceConfigs = statement<ResourceKey & { readonly configs: string }>(
  'set resource configs',
  `INSERT INTO resource_configs (cluster, kind, name, configs) VALUES ($cluster, $kind, $name, $configs)
    ON CONFLICT (cluster, kind, name) DO UPDATE SET configs = excluded.configs`,
)

const removeResourceConfigs = statement<ResourceKey>(
  'remove resource configs',
  'DELETE FROM resource_configs WHERE cluster = $cluster AND kind = $kind AND name = $name',
)
