// Topics and their own configs, as rows of the Metadata Service.
import type { ConfigChanges } from '../core/config/config-changes.ts'
import type { TopicId } from '../core/ids.ts'

export interface Topic {
  readonly topicId: TopicId
  readonly name: string
  readonly partitions: number
  /** As the client asked for it. The object store replicates, whatever it is. */
  readonly replicationFactor: number
  /** Only the configs that were set for this topic, by Kafka's config names. */
  readonly configs: Readonly<Record<string, string>>
  /** Milliseconds since the epoch, by the database's clock. */
  readonly createdAtMs: number
}

/** Called by operations/topics.ts. */
export interface Topics {
  /** Live topics; absent ones are missing from the answer. */
  find(asked: { readonly names?: readonly string[]; readonly topicIds?: readonly TopicId[] }): Promise<readonly Topic[]>
  /** All live topics, in order of their names. */
  list(): Promise<readonly Topic[]>
  /** Creates the topic and its partitions. `collides`: a live topic's name differs from this one only by `.` and `_`, which Kafka forbids. A dry run changes nothing. */
  create(input: NewTopic): Promise<CreateTopicResult>
  /** Soft deletion: from this transaction on the topic is not found and no commit appends to it. Absent topic: `unknown`. */
  delete(topicId: TopicId): Promise<'deleted' | 'unknown'>
  /** Brings a deleted topic back with its records, unless its purge has begun; committed offsets stay removed. `taken`: another topic has the name, or one that collides with it. */
  undelete(topicId: TopicId): Promise<UndeleteTopicResult>
  /** The newest deleted topics whose purge has not begun, the newest deletion first; at most `fixedLimits.namesPerRead`. A primary read. */
  deleted(): Promise<readonly DeletedTopic[]>
  /** Adds partitions up to `partitions`; never fewer. */
  grow(input: { readonly topicId: TopicId; readonly partitions: number; readonly dryRun: boolean }): Promise<GrowTopicResult>
  /** Changes the topic's own configs, all or none of them. The transaction checks the changes against the stored configs. A dry run changes nothing. */
  changeConfigs(input: ChangeTopicConfigs): Promise<ChangeTopicConfigsResult>
}

export interface ChangeTopicConfigs {
  readonly name: string
  readonly changes: ConfigChanges
  readonly dryRun: boolean
}

export type ChangeTopicConfigsResult =
  | { readonly kind: 'changed'; readonly topic: Topic }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'rejected'; readonly code: number; readonly message: string | undefined }

export interface NewTopic {
  readonly topicId: TopicId
  readonly name: string
  readonly partitions: number
  /** Default: 1. */
  readonly replicationFactor?: number
  readonly configs: Readonly<Record<string, string>>
  readonly dryRun: boolean
}

export type CreateTopicResult =
  | { readonly kind: 'created'; readonly topic: Topic }
  | { readonly kind: 'exists'; readonly topic: Topic }
  | { readonly kind: 'collides'; readonly with: string }

/** Can be brought back until its purge begins. */
export interface DeletedTopic extends Topic {
  /** By the database's clock. */
  readonly deletedAtMs: number
}

export type UndeleteTopicResult =
  | { readonly kind: 'undeleted'; readonly topic: Topic }
  | { readonly kind: 'taken'; readonly by: string }
  /** No deleted topic has this id: it was never deleted, or it is purged. */
  | { readonly kind: 'unknown' }

export type GrowTopicResult =
  | { readonly kind: 'grown'; readonly topic: Topic }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'not more'; readonly partitions: number }
