// cluster.json names the cluster that owns a prefix. A cluster starts only on its own prefix, so no two clusters overwrite or sweep each other's objects.
import type { ClusterId } from '../core/ids.ts'
import { type ObjectStore, ObjectStoreError } from './object-store.ts'

export interface ClusterFile {
  readonly clusterId: ClusterId
  /** The format of everything under the prefix: keys and objects. */
  readonly format: number
  /** The oldest format that a reader must support to use the prefix. */
  readonly minimumReader: number
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number
}

export type PrefixClaim =
  | { readonly kind: 'ours'; readonly file: ClusterFile }
  | { readonly kind: 'another cluster'; readonly file: ClusterFile }
  /** Written by a newer version: `minimumReader` is above `clusterFormat`. */
  | { readonly kind: 'newer format'; readonly file: ClusterFile }

export const clusterFileKey = 'cluster.json'
/** The format that this code writes, and the newest that it reads. */
export const clusterFormat = 1

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * Claims the prefix for this cluster unless another one has it. In a store with conditional writes, when two clusters start at the same time
 * exactly one gets it. Elsewhere the file is written and read back: two clusters that start within the same moment may then both believe they have it, until
 * the next start of one; even so their keys differ by the cluster id. Rejects with an ObjectStoreError: 'corrupt' when the file is not a cluster file.
 */
export async function claimPrefix(
  store: ObjectStore,
  { clusterId, createdAtMs, signal }: { readonly clusterId: ClusterId; readonly createdAtMs: number; readonly signal?: AbortSignal },
): Promise<PrefixClaim> {
  const there = await readClusterFile(store, signal)
  if (there !== undefined) return judge(there, clusterId)
  const file: ClusterFile = { clusterId, format: clusterFormat, minimumReader: clusterFormat, createdAtMs }
  const body = [new TextEncoder().encode(`${JSON.stringify(file)}\n`)]
  const created = (await store.putIfAbsent?.(clusterFileKey, body, signal)) ?? 'unsupported'
  if (created === 'unsupported') await store.put(clusterFileKey, body, signal)
  // The file is read back in every case: 'exists' may be our own file after a lost answer, and a store that ignores the condition always answers 'created'.
  const written = await readClusterFile(store, signal)
  if (written === undefined)
    throw new ObjectStoreError('corrupt', 'unknown', `${clusterFileKey} was written, but the store does not have it`)
  return judge(written, clusterId)
}

/** Undefined if there is none. Rejects with 'corrupt' if it exists but cannot be read: such a prefix must not be used. */
export async function readClusterFile(store: ObjectStore, signal?: AbortSignal): Promise<ClusterFile | undefined> {
  let bytes: Uint8Array
  try {
    bytes = await store.read(clusterFileKey, undefined, signal)
  } catch (error) {
    if (error instanceof ObjectStoreError && error.kind === 'missing') return undefined
    throw error
  }
  const file = parse(new TextDecoder().decode(bytes))
  if (file === undefined) throw new ObjectStoreError('corrupt', 'no', `${clusterFileKey} is not a cluster file: ${bytes.length} bytes`)
  return file
}

function judge(file: ClusterFile, clusterId: ClusterId): PrefixClaim {
  if (file.minimumReader > clusterFormat) return { kind: 'newer format', file }
  return { kind: file.clusterId === clusterId ? 'ours' : 'another cluster', file }
}

function parse(text: string): ClusterFile | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof json !== 'object' || json === null) return undefined
  const { clusterId, format, minimumReader, createdAtMs } = json as Partial<Record<keyof ClusterFile, unknown>>
  if (typeof clusterId !== 'string' || !uuid.test(clusterId)) return undefined
  if (!isCount(format) || !isCount(minimumReader) || !isCount(createdAtMs)) return undefined
  return { clusterId, format, minimumReader, createdAtMs }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
