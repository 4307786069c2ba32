// The configs of brokers and of client metrics, as rows of the Metadata Service.
import type { ConfigChanges } from '../core/config/config-changes.ts'

/** Called by operations/broker-configs.ts and by the APIs of client metrics. */
export interface ResourceConfigs {
  /** All resources with configs of their own, by name. A primary read. */
  list(): Promise<readonly ConfiguredResource[]>
  /** Changes the configs of one resource, all or none of them. Without configs, the resource is not listed. A dry run changes nothing. */
  change(input: ChangeResourceConfigs): Promise<ChangeResourceConfigsResult>
}

/** The kinds of resources whose configs are rows of `resource_configs`. The broker with the empty name stands for all brokers. */
export type StoredResourceKind = 'client metrics' | 'broker'

export interface ConfiguredResource {
  readonly kind: StoredResourceKind
  readonly name: string
  readonly configs: Readonly<Record<string, string>>
}

export interface ChangeResourceConfigs {
  readonly kind: StoredResourceKind
  readonly name: string
  readonly changes: ConfigChanges
  readonly dryRun: boolean
}

export type ChangeResourceConfigsResult =
  | { readonly kind: 'changed' }
  | { readonly kind: 'rejected'; readonly code: number; readonly message: string | undefined }
