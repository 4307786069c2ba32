// Which cluster of the database a handle serves: found, or made with its slots.
import type { ClusterId } from '../core/ids.ts'
import { lockSchema } from './schema.ts'
import { type Body, read, statement, unchanged } from './sql.ts'

/** What every verb needs to know of its cluster. */
export interface Cluster {
  /** The small number that every key begins with. */
  readonly number: number
  readonly id: ClusterId
  readonly slots: number
}

/** The input of a verb, inside one cluster. */
export interface InCluster<Input> {
  readonly cluster: Cluster
  readonly input: Input
}

export interface OpenClusterInput {
  /** This one, made when absent. Undefined: the only one there is. */
  readonly clusterId?: ClusterId
  /** The id and the slots of a cluster made because the database holds none. */
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
    writes: [insertCluster(cluster.number, cluster.id, cluster.slots), insertSlots(cluster.number, cluster.slots)],
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

const countersSelect = `SELECT slots_version AS "slotsVersion", next_incarnation AS "nextIncarnation", next_log AS "nextLog",
  next_producer_id AS "nextProducerId", next_broker_id AS "nextBrokerId" FROM clusters`

/**
 * The lock under which topics and members change: rare, so one for all of a cluster. Whoever takes it takes it before any other row.
 * The commit never does.
 */
export const lockCluster = statement<[cluster: number], Counters>('lock cluster', {
  postgres: `${countersSelect} WHERE cluster = $1 FOR NO KEY UPDATE`,
  sqlite: `${countersSelect} WHERE cluster = ?1`,
})

const readClusters = statement<[], Cluster>('read clusters', {
  postgres: 'SELECT cluster AS number, cluster_id AS id, slots FROM clusters ORDER BY cluster',
  sqlite: 'SELECT cluster AS number, cluster_id AS id, slots FROM clusters ORDER BY cluster',
})

const insertCluster = statement<[cluster: number, id: string, slots: number]>('insert cluster', {
  postgres: `INSERT INTO clusters (cluster, cluster_id, slots, slots_version, next_incarnation, next_log, next_producer_id, next_broker_id, created_at_ms)
    VALUES ($1, $2, $3, 1, 1, 1, 0, 1, now_ms())`,
  sqlite: `INSERT INTO clusters (cluster, cluster_id, slots, slots_version, next_incarnation, next_log, next_producer_id, next_broker_id, created_at_ms)
    VALUES (?1, ?2, ?3, 1, 1, 1, 0, 1, now_ms())`,
})

const insertSlots = statement<[cluster: number, slots: number]>('insert slots', {
  postgres: 'INSERT INTO slots (cluster, slot, owner, epoch) SELECT $1::int, slot, NULL, 0 FROM generate_series(0, $2::int - 1) AS slot',
  sqlite: `WITH RECURSIVE all_slots (slot) AS (SELECT 0 UNION ALL SELECT slot + 1 FROM all_slots WHERE slot + 1 < ?2)
    INSERT INTO slots (cluster, slot, owner, epoch) SELECT ?1, slot, NULL, 0 FROM all_slots`,
})
