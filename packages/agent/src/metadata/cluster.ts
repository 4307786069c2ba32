// The cluster of the database that a handle serves: openCluster finds it, or creates it with its slots.
import type { ClusterId } from '../core/ids.ts'
import { MetadataError } from './metadata-store.ts'
import { lockSchema } from './schema.ts'
import { type Body, type Call, read, unchanged } from './sql.ts'
import { type Nothing, statement } from './statement.ts'

/** The facts about its cluster that every transaction needs. */
export interface Cluster {
  /** The small number that every key begins with. */
  readonly number: number
  readonly id: ClusterId
  readonly slots: number
}

/** The input of a transaction inside one cluster. */
export interface InCluster<Input> {
  readonly cluster: Cluster
  readonly input: Input
}

/** Binds `$cluster` once for all statements of a body. */
export function inCluster<Input, T>(body: (input: Input, cluster: Cluster) => Body<T>): (bound: InCluster<Input>) => Body<T> {
  return function* ({ cluster, input }) {
    const bound = (calls: readonly Call[]): readonly Call[] => calls.map((call) => ({ ...call, cluster: cluster.number }))
    const steps = body(input, cluster)
    let step = steps.next([])
    while (!step.done) step = steps.next(yield bound(step.value))
    return { ...step.value, writes: bound(step.value.writes) }
  }
}

export interface OpenClusterInput {
  /** The cluster to serve, created if absent. Undefined: the only cluster in the database. */
  readonly clusterId?: ClusterId
  /** The id and the slot count of the cluster to create when the database holds none. */
  readonly newClusterId: ClusterId
  readonly newSlots: number
}

export type OpenClusterResult =
  | { readonly kind: 'opened'; readonly cluster: Cluster; readonly created: boolean }
  | { readonly kind: 'several'; readonly clusterIds: readonly ClusterId[] }

export function* openCluster({ clusterId, newClusterId, newSlots }: OpenClusterInput): Body<OpenClusterResult> {
  const [, clusters] = yield* read(lockSchema(), readClusters())
  const wanted = clusterId === undefined ? clusters : clusters.filter(({ id }) => id === clusterId)
  if (wanted.length > 1) return unchanged({ kind: 'several', clusterIds: wanted.map(({ id }) => id) })
  const [known] = wanted
  if (known !== undefined) return unchanged({ kind: 'opened', cluster: known, created: false })
  const cluster: Cluster = {
    number: Math.max(0, ...clusters.map(({ number }) => number)) + 1,
    id: clusterId ?? newClusterId,
    slots: newSlots,
  }
  return {
    writes: [insertCluster(cluster), insertSlots(cluster)],
    value: { kind: 'opened', cluster, created: true },
  }
}

export interface Counters {
  readonly slotsVersion: number
  readonly nextIncarnation: number
  readonly nextLog: number
  readonly nextProducerId: number
  readonly nextBrokerId: number
}

/**
 * The lock under which topics and members change. Such changes are rare, so a cluster has one lock for all of them. A transaction takes it before any other
 * row. The commit never takes it.
 */
export const lockCluster = statement<Nothing, Counters>(
  'lock cluster',
  `SELECT slots_version AS "slotsVersion", next_incarnation AS "nextIncarnation", next_log AS "nextLog", next_producer_id AS "nextProducerId",
    next_broker_id AS "nextBrokerId" FROM clusters WHERE cluster = $cluster FOR NO KEY UPDATE`,
)

/** The row that `lockCluster` read. Throws a MetadataError when the cluster's row was removed under a running agent. */
export function lockedCounters([counters]: readonly Counters[], { id }: Cluster): Counters {
  if (counters === undefined) throw new MetadataError('invalid', `Cluster ${id} is no longer in the database. Was its row deleted?`)
  return counters
}

/** Tells all agents, with their next heartbeats, that a topic or a config has changed. Under the cluster's lock. */
export const countViewChange = statement(
  'count view change',
  'UPDATE clusters SET view_version = view_version + 1 WHERE cluster = $cluster',
)

const readClusters = statement<Nothing, Cluster>(
  'read clusters',
  'SELECT cluster AS number, cluster_id AS id, slots FROM clusters ORDER BY cluster',
)

const insertCluster = statement<Cluster>(
  'insert cluster',
  `INSERT INTO clusters (cluster, cluster_id, slots, slots_version, next_incarnation, next_log, next_producer_id, next_broker_id, created_at_ms)
    VALUES ($number, $id, $slots, 1, 1, 1, 0, 1, now_ms())`,
)

const insertSlots = statement<Pick<Cluster, 'number' | 'slots'>>('insert slots', {
  // The dialects generate series of numbers differently.
  postgres:
    'INSERT INTO slots (cluster, slot, owner, epoch) SELECT $number::int, slot, NULL, 0 FROM generate_series(0, $slots::int - 1) AS slot',
  sqlite: `WITH RECURSIVE all_slots (slot) AS (SELECT 0 UNION ALL SELECT slot + 1 FROM all_slots WHERE slot + 1 < $slots)
    INSERT INTO slots (cluster, slot, owner, epoch) SELECT $number, slot, NULL, 0 FROM all_slots`,
})
