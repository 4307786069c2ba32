// The objects of a snapshot file: rows of pieces, written once and then only read (docs/snapshot-format.md).
import { DatabaseSync } from 'node:sqlite'
import { joinChunks } from '../join-chunks.ts'
import { checkKey, checkPrefix } from '../keys.ts'
import { abortedError, type ByteRange, type ListedObject, type ObjectStore, ObjectStoreError, type RemoveResult } from '../object-store.ts'

/** The size of the blocks that a reader requests, because SQLite reads a row whole. Readers don't depend on it. */
const pieceBytes = 512 * 1024

/** Adds objects to a snapshot in the making, one after another. Rejects as the store does, or with SQLite's error. */
export async function addSnapshotObjects(path: string, keys: Iterable<string>, from: Pick<ObjectStore, 'read'>): Promise<void> {
  const database = new DatabaseSync(path)
  try {
    database.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
      CREATE TABLE snapshot_objects (key text NOT NULL, start integer NOT NULL, bytes blob NOT NULL, PRIMARY KEY (key, start)); BEGIN`)
    const insert = database.prepare('INSERT INTO snapshot_objects (key, start, bytes) VALUES (?, ?, ?)')
    for (const key of keys) {
      const bytes = await from.read(key)
      for (let start = 0; start === 0 || start < bytes.length; start += pieceBytes)
        insert.run(key, start, bytes.subarray(start, start + pieceBytes))
    }
    database.exec('COMMIT')
  } finally {
    database.close()
  }
}

interface Piece {
  readonly start: number
  readonly bytes: Uint8Array
}

/** Reads on demand: the file stays open until `close`. Puts and removals are rejected as denied. */
export class SnapshotObjects implements ObjectStore {
  readonly #database: DatabaseSync

  /** The file must have been inspected before. Throws SQLite's error. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true })
  }

  put(key: string): Promise<void> {
    return Promise.reject(readOnly(`put ${key}`))
  }

  async read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    checkKey(key)
    if (signal?.aborted === true) throw abortedError('no', `read ${key}`)
    try {
      return this.#read(key, range)
    } catch (error) {
      throw unreadable(`read ${key}`, error)
    }
  }

  remove(): Promise<readonly RemoveResult[]> {
    return Promise.reject(readOnly('remove'))
  }

  async *list(prefix: string, options: { readonly after?: string; readonly signal?: AbortSignal } = {}): AsyncIterable<ListedObject> {
    checkPrefix(prefix)
    const rows = this.#database
      .prepare('SELECT key, max(start + length(bytes)) AS sizeBytes FROM snapshot_objects WHERE key >= ? AND key > ? GROUP BY key')
      .iterate(prefix, options.after ?? '')
    for (const row of rows) {
      // The cast is at the border of the database: the statement names these columns. ASCII keys sort by bytes, so the prefix is one range.
      const object = row as unknown as ListedObject
      if (!object.key.startsWith(prefix)) return
      if (options.signal?.aborted === true) throw abortedError('no', `list ${prefix}`)
      yield { key: object.key, sizeBytes: object.sizeBytes }
    }
  }

  close(): Promise<void> {
    this.#database.close()
    return Promise.resolve()
  }

  #read(key: string, range: ByteRange | undefined): Uint8Array {
    const size = this.#sizeOf(key)
    if (size === undefined) throw new ObjectStoreError('missing', 'no', `read ${key}: no such object`)
    const { start, length } = range ?? { start: 0, length: size }
    const end = range?.untilEnd === true ? Math.min(start + length, size) : start + length
    if (end > size || (range !== undefined && start >= end))
      throw new ObjectStoreError('corrupt', 'no', `read ${key}: the object has ${size} bytes, requested were ${start} to ${start + length}`)
    return joinChunks(
      this.#pieces(key, start, end).map((piece) => piece.bytes.subarray(Math.max(0, start - piece.start), end - piece.start)),
    )
  }

  #sizeOf(key: string): number | undefined {
    const row = this.#database
      .prepare('SELECT start + length(bytes) AS size FROM snapshot_objects WHERE key = ? ORDER BY start DESC LIMIT 1')
      .get(key)
    return row === undefined ? undefined : Number(row.size)
  }

  /** The pieces that hold the range, in order. */
  #pieces(key: string, start: number, end: number): readonly Piece[] {
    const rows = this.#database
      .prepare(`SELECT start, bytes FROM snapshot_objects WHERE key = ? AND start < ? AND start >= coalesce(
        (SELECT start FROM snapshot_objects WHERE key = ? AND start <= ? ORDER BY start DESC LIMIT 1), 0) ORDER BY start`)
      .all(key, end, key, start)
    // The cast is at the border of the database: the statement names these columns.
    return rows as unknown as readonly Piece[]
  }
}

/** On a file that it could open before, SQLite fails only if the file is damaged or its disk fails. */
function unreadable(what: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_SQLITE_ERROR') return error
  return new ObjectStoreError('corrupt', 'no', `${what}: ${error.message}`, { cause: error })
}

function readOnly(what: string): ObjectStoreError {
  return new ObjectStoreError('denied', 'no', `${what}: a snapshot is read-only`)
}
