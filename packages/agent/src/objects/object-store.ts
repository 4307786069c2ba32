// The FileStorage Service: the port behind which objects live in a directory, in S3 or in memory.

/**
 * An immutable store of byte strings. **A key never gets a second content**: whoever retries a put sends the same bytes, so a put that
 * lands late, twice or after a time-out changes nothing. Keys are relative: a store is opened on one prefix and never leaves it.
 * Called by the chain (put), the reader (read), the cluster file, and upkeep (list, remove).
 */
export interface ObjectStore {
  /**
   * Stores the concatenation of `body` under `key`. When it resolves, the object is as durable as the store's mode promises and every
   * later read sees it. Rejects with an ObjectStoreError; `applied: 'unknown'` means it may still land, at any later time.
   */
  put(key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void>
  /**
   * Stores the object unless the key has one: of several racers exactly one hears 'created'. Absent, or answering 'unsupported' (nothing was written),
   * where the store cannot. After a try whose fate was unknown, 'exists' may mean the caller's own object: read it and compare.
   */
  readonly putIfAbsent?: (key: string, body: readonly Uint8Array[], signal?: AbortSignal) => Promise<PutIfAbsent>
  /** Exactly `range.length` bytes from `range.start`; a shorter answer is an error ('corrupt'), never a short result. Without a range, the whole object. */
  read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array>
  /** Removes each key; one result per key, in order. A key that is not there counts as removed. */
  remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]>
  /** Objects whose key begins with `prefix`, in no promised order; with `after`, none that sorts (by bytes) at or before it. May be stale. */
  list(prefix: string, options?: { readonly after?: string; readonly signal?: AbortSignal }): AsyncIterable<ListedObject>
  /** Frees sockets and handles. Objects stay. */
  close(): Promise<void>
}

/** A store that can be forked: startKafka's `fork` and `from` stand on it. */
export interface ForkableObjects extends ObjectStore {
  /**
   * A writable store in memory that begins with what this one holds now. Neither sees what the other does from here on, and either may end first.
   * Synchronous, so that nothing happens in between.
   */
  fork(): ForkableObjects
}

/** What a fork reads through to. */
export type ReadableObjects = Pick<ObjectStore, 'read' | 'list' | 'close'>

export interface ByteRange {
  /** First byte, from 0. */
  readonly start: number
  /** Number of bytes, at least 1. */
  readonly length: number
  /** Where the object ends inside the range, answer what it has from `start` on (for the cache, whose blocks know no sizes). A start at or behind the end stays 'corrupt'. */
  readonly untilEnd?: true
}

export type PutIfAbsent = 'created' | 'exists' | 'unsupported'

export interface ListedObject {
  readonly key: string
  readonly sizeBytes: number
}

export interface RemoveResult {
  readonly key: string
  /** Absent when the key is gone. */
  readonly error?: ObjectStoreError
}

/**
 * What went wrong, as the caller needs to know it: `missing` no such object; `denied` credentials or permissions; `throttled` and `unavailable`
 * may pass; `timeout` nothing came in time; `full` no space; `corrupt` bytes that cannot be what was stored; `aborted` by the caller's signal;
 * `invalid` this request can never work (no such bucket, bad name).
 */
export type ObjectStoreErrorKind =
  | 'missing'
  | 'denied'
  | 'throttled'
  | 'unavailable'
  | 'timeout'
  | 'full'
  | 'corrupt'
  | 'aborted'
  | 'invalid'

export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError'
  readonly kind: ObjectStoreErrorKind
  /** Whether the operation can have taken (or still take) effect. Reads never have one: 'no'. */
  readonly applied: 'no' | 'unknown'

  constructor(kind: ObjectStoreErrorKind, applied: 'no' | 'unknown', message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.kind = kind
    this.applied = applied
  }
}

export function abortedError(applied: 'no' | 'unknown', what: string): ObjectStoreError {
  return new ObjectStoreError('aborted', applied, `${what}: given up by the caller`)
}

/** Worth another try with the same bytes. */
export function isTransient(error: ObjectStoreError): boolean {
  return error.kind === 'throttled' || error.kind === 'unavailable' || error.kind === 'timeout'
}
