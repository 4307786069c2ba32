// Copies of a cluster's stores: the fork, which is in memory, and the snapshot, which is a file.
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ClusterId } from './core/ids.ts'
import { MetadataError } from './metadata/metadata-store.ts'
import { beginSnapshot, inspectSnapshot } from './metadata/snapshot.ts'
import type { CopyableSql } from './metadata/sql.ts'
import { fileName, memoryName, openSqlite } from './metadata/sqlite.ts'
import type { Transactions } from './metadata/transactions.ts'
import { addSnapshotObjects, SnapshotObjects } from './objects/adapters/snapshot-objects.ts'
import type { ForkableObjects } from './objects/object-store.ts'
import { SharedObjects } from './objects/wrappers/shared.ts'

/** Both services of one cluster, as the source of a copy. */
export interface CopySource {
  readonly clusterId: ClusterId
  readonly objects: ForkableObjects
  readonly sql: CopyableSql<Transactions>
  /** `objects` reads over a network, so a fork retries, too. */
  readonly remote: boolean
}

export type Copy = CopySource

/** Milliseconds since the epoch, by the clock of the copy. */
export type Now = () => number

/**
 * A writable copy in memory of the committed state. Objects are copied before or in the same turn as the metadata: every object was stored before its
 * commit, and none of the copy's objects is removed while the copy lives. Rejects with a MetadataError; nothing is left open then.
 */
export async function fork(source: CopySource, { unique, now }: { readonly unique: string; readonly now: Now }): Promise<Copy> {
  const { clusterId, remote } = source
  const name = memoryName(unique)
  const sql = openSqlite({ path: name, durability: 'memory', now })
  // No await may come between these two: if both are in memory, they copy the same moment.
  const copied = source.sql.copyInto(name)
  const objects = source.objects.fork()
  try {
    await copied
    return { clusterId, objects, sql, remote }
  } catch (error) {
    await sql.close()
    await objects.close()
    throw error
  }
}

export type OpenedSnapshot =
  | { readonly kind: 'opened'; readonly copy: Copy }
  | { readonly kind: 'missing' | 'foreign' | 'damaged' | 'newer'; readonly why: string }

/** A writable copy in memory of a snapshot; it reads objects from the file on demand. The file is never written to. */
export async function openSnapshot(path: string, now: Now): Promise<OpenedSnapshot> {
  const file = inspectSnapshot(path)
  if (file.kind === 'newer') return { kind: 'newer', why: `it needs a reader of format ${file.minimumReader}` }
  if (file.kind !== 'snapshot') return file
  let sql: CopyableSql<Transactions>
  try {
    sql = openSqlite({ path: ':memory:', durability: 'memory', now, snapshot: path })
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error
    return { kind: 'damaged', why: error.message }
  }
  const below = new SharedObjects(new SnapshotObjects(path))
  const objects = below.fork()
  await below.close()
  return { kind: 'opened', copy: { clusterId: file.clusterId, objects, sql, remote: false } }
}

/**
 * Writes the committed state into one file, under another name first: either the complete file gets its name, or the earlier file stays. Rejects with a
 * MetadataError, an ObjectStoreError, or the file system's error.
 */
export async function writeSnapshot(
  source: CopySource,
  path: string,
  { unique, createdAtMs }: { readonly unique: string; readonly createdAtMs: number },
): Promise<void> {
  const unfinished = `${path}.~${unique}`
  const copied = source.sql.copyInto(fileName(unfinished))
  const objects = source.objects.fork()
  try {
    await copied
    const keys = beginSnapshot(unfinished, { clusterId: source.clusterId, createdAtMs })
    await addSnapshotObjects(unfinished, keys, objects)
    await flushToDisk(unfinished, 'r+')
    await rename(unfinished, path)
    // Windows cannot sync a folder.
    if (process.platform !== 'win32') await flushToDisk(dirname(path), 'r')
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  } finally {
    await objects.close()
  }
}

async function flushToDisk(path: string, flags: 'r' | 'r+'): Promise<void> {
  const handle = await open(path, flags)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
