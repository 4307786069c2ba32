// The metadata of a snapshot file: an SQLite database with the tables of the Metadata Service, and a row that describes the snapshot (docs/snapshot-format.md).
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type { ClusterId, IncarnationId, Nonce, ObjectKey, Sequence } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'

/** The format that this code writes, and the newest that it reads. The tables have their own version: an older one is migrated in the copy. */
export const snapshotFormat = 1
/** The oldest format version that can read the output of this code. */
const minimumReaderVersion = 1
/** `LKSS`, in the application id of the SQLite file. */
const applicationId = 0x4c4b5353

export type SnapshotFile =
  | { readonly kind: 'snapshot'; readonly clusterId: ClusterId; readonly createdAtMs: number }
  | { readonly kind: 'newer'; readonly minimumReader: number }
  | { readonly kind: 'missing' | 'foreign' | 'damaged'; readonly why: string }

/** Determines whether a file is a snapshot. Changes nothing, and reads only its head. */
export function inspectSnapshot(path: string): SnapshotFile {
  let database: DatabaseSync | undefined
  try {
    const stat = statSync(path)
    if (!stat.isFile()) return { kind: 'foreign', why: 'it is not a regular file' }
    database = new DatabaseSync(path, { readOnly: true })
    const number = (pragma: string): number => Number(Object.values(database?.prepare(`PRAGMA ${pragma}`).get() ?? {})[0])
    if (number('application_id') !== applicationId) return { kind: 'foreign', why: 'it is an SQLite database, but not a snapshot' }
    const row = database
      .prepare('SELECT minimum_reader AS minimumReader, cluster_id AS clusterId, created_at_ms AS createdAtMs FROM snapshot')
      .get()
    // The casts: a row under our application id is ours, and a damaged one shows by its types.
    const { minimumReader, clusterId, createdAtMs } = (row ?? {}) as Partial<Record<string, unknown>>
    if (typeof minimumReader !== 'number' || typeof clusterId !== 'string' || typeof createdAtMs !== 'number')
      return { kind: 'damaged', why: 'its row in the table snapshot cannot be read' }
    if (minimumReader > snapshotFormat) return { kind: 'newer', minimumReader }
    const expected = number('page_count') * number('page_size')
    if (stat.size !== expected) return { kind: 'damaged', why: `it should have ${expected} bytes but has ${stat.size}` }
    return { kind: 'snapshot', clusterId: clusterId as ClusterId, createdAtMs }
  } catch (error) {
    return whyUnreadable(error)
  } finally {
    database?.close()
  }
}

/** Turns a copy of a database into a snapshot that still lacks its objects, and returns their keys: every object with a segment. */
export function beginSnapshot(
  path: string,
  { clusterId, createdAtMs }: { readonly clusterId: ClusterId; readonly createdAtMs: number },
): readonly ObjectKey[] {
  const database = new DatabaseSync(path)
  try {
    database.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA application_id = ${applicationId};
      CREATE TABLE snapshot (one integer PRIMARY KEY, format integer NOT NULL, minimum_reader integer NOT NULL, cluster_id text NOT NULL, created_at_ms integer NOT NULL)`)
    database.prepare('INSERT INTO snapshot VALUES (1, ?, ?, ?, ?)').run(snapshotFormat, minimumReaderVersion, clusterId, createdAtMs)
    // The cast is at the border of the database: the statement names these columns.
    const rows = database
      .prepare(`SELECT DISTINCT s.incarnation, s.sequence, i.nonce FROM segments AS s
        JOIN incarnations AS i ON i.cluster = s.cluster AND i.incarnation = s.incarnation
        JOIN clusters AS c ON c.cluster = s.cluster WHERE c.cluster_id = ? ORDER BY s.incarnation, s.sequence`)
      .all(clusterId) as unknown as readonly { readonly incarnation: IncarnationId; readonly sequence: Sequence; readonly nonce: Nonce }[]
    return rows.map(({ incarnation, sequence, nonce }) => objectKey(clusterId, { id: incarnation, nonce }, sequence))
  } finally {
    database.close()
  }
}

/**
 * Copies the tables of the Metadata Service from a snapshot into an empty database, after SQLite has checked each table. The file is opened for
 * reading only. Throws SQLite's error, or DamagedSnapshot.
 */
export function copySnapshot(into: DatabaseSync, path: string): void {
  into.prepare('ATTACH ? AS snapshot').run(`${pathToFileURL(path).href}?mode=ro`)
  try {
    // The cast is at the border of the database. SQLite's own tables and those that only a snapshot has are left out.
    const things = into
      .prepare(`SELECT type, name, sql FROM snapshot.sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND tbl_name NOT IN ('snapshot', 'snapshot_objects') ORDER BY type DESC`)
      .all() as unknown as readonly { readonly type: 'table' | 'index'; readonly name: string; readonly sql: string }[]
    into.exec('BEGIN')
    for (const { type, name, sql } of things) {
      into.exec(sql)
      if (type === 'index') continue
      const quoted = `"${name.replaceAll('"', '""')}"`
      const [found] = Object.values(into.prepare(`PRAGMA snapshot.quick_check(${quoted})`).get() ?? {})
      if (found !== 'ok') throw new DamagedSnapshot(String(found))
      // `*` is safe here: the same statement created both tables.
      into.exec(`INSERT INTO main.${quoted} SELECT * FROM snapshot.${quoted}`)
    }
    into.exec('COMMIT')
  } finally {
    if (into.isTransaction) into.exec('ROLLBACK')
    into.exec('DETACH snapshot')
  }
}

/** SQLite's check found damage in a table of the file. */
export class DamagedSnapshot extends Error {
  override readonly name = 'DamagedSnapshot'
}

function whyUnreadable(error: unknown): SnapshotFile {
  const { code, errcode, message } = error as { readonly code?: string; readonly errcode?: number; readonly message?: string }
  const why = message ?? String(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing', why }
  if (code !== 'ERR_SQLITE_ERROR') return { kind: 'missing', why }
  // SQLite's primary result codes: not a database, or not possible to open.
  const primary = (errcode ?? 0) & 0xff
  if (primary === 26) return { kind: 'foreign', why: 'it is not an SQLite database' }
  return primary === 14 || primary === 3 ? { kind: 'missing', why } : { kind: 'damaged', why }
}
