// The broker that coordinates a group or a transactional id.
import { rejection } from './client-errors.ts'
import type { ClusterClient } from './cluster-client.ts'

export interface CoordinatorBroker {
  readonly id: number
  readonly host: string
  readonly port: number
}

/** Retries for some seconds while the cluster has none. */
export async function coordinatorOf(cluster: ClusterClient, kind: 'GROUP' | 'TRANSACTION', name: string): Promise<CoordinatorBroker> {
  const { FindCoordinatorKeyTypes } = cluster.library
  const [found] = await cluster.withRetries(() => cluster.admin.findCoordinator({ keyType: FindCoordinatorKeyTypes[kind], keys: [name] }))
  if (found === undefined) throw rejection('COORDINATOR_NOT_AVAILABLE', `'${name}' has no coordinator`)
  return { id: found.nodeId, host: found.host, port: found.port }
}
