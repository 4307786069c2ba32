// The FileStorage Service: the port to the objects, in a directory, in S3 or in memory.

/**
 * An immutable store of byte strings. **A key never gets a second content**: a caller that retries a put sends the same bytes, so a put that
 * lands late, twice or after a time-out changes nothing. Keys are relative: a store is opened on one prefix and never leaves it.
 * Called by the chain (put), the reader (read), the cluster file, and upkeep (list, remove).
 */
export interface ObjectStore {
  /**
   * Stores the concatenation of `body` under `key`. When it resolves, the object is as durable as the store's mode promises and every
   * later read sees it. Rejects with an ObjectStoreError; `applied: 'unknown'` means it may still land, at any later time. Once it has settled,
   * the store does not read `body` any more, and the caller may overwrite its memory. Only `CachedObjects` keeps it, and holds its slabs.
   */
  put(key: string, body: ObjectBody, signal?: AbortSignal): Promise<void>
  /**
   * Stores the object unless the key has one: of several racers exactly one receives 'created'. A store without conditional writes lacks this method or
   * answers 'unsupported' without writing. After an attempt with an unknown outcome, 'exists' may mean the caller's own object: read it and compare.
   */
  readonly putIfAbsent?: (key: string, body: readonly Uint8Array[], signal?: AbortSignal) => Promise<PutIfAbsent>
  /** Exactly `range.length` bytes from `range.start`; a shorter answer is an error ('corrupt'), never a short result. Without a range, the whole object. */
  read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array>
  /** Removes each key; one result per key, in order. An absent key counts as removed. */
  remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]>
  /** Objects whose key begins with `prefix`, in no particular order; with `after`, only keys that sort (by bytes) after it. May be stale. */
  list(prefix: string, options?: { readonly after?: string; readonly signal?: AbortSignal }): AsyncIterable<ListedObject>
  /** Frees sockets and handles. Objects stay. */
  close(): Promise<void>
}

/** A store that can be forked, for startKafka's `fork` and `from`. */
export interface ForkableObjects extends ObjectStore {
  /**
   * A writable store in memory that begins with the current objects of this one. Neither sees later changes of the other, and either may end first.
   * Synchronous, so that nothing happens in between.
   */
  fork(): ForkableObjects
}

/** The part of a store that its forks read. */
export type ReadableObjects = Pick<ObjectStore, 'read' | 'list' | 'close'>

/** A fork's lease on a store. Every object that existed when the lease began stays until it is closed. */
export interface ObjectsLease extends ReadableObjects {
  /** Another lease, for a fork of the fork: it keeps the same objects. */
  lease(): ObjectsLease
}

/** The chunks of an object, in order. */
export type ObjectBody = readonly Uint8Array[] & {
  /** The CRC-32C of all chunks, one after the other, if it is known: a store that needs it does not compute it again. */
  readonly checksum?: number
  /** The bytes that it replaces may go: the object must be on the disk when the put resolves, whatever the mode of the store is. */
  readonly mustBeDurable?: true
}

export interface ByteRange {
  /** First byte, from 0. */
  readonly start: number
  /** Number of bytes, at least 1. */
  readonly length: number
  /** If the object ends inside the range, return the bytes from `start` on (for the cache, which does not know sizes). A start at or beyond the end stays 'corrupt'. */
  readonly untilEnd?: true
  /**
   * At least `length` bytes of memory for the answer. An adapter that can do so puts the bytes at its beginning and returns a view of it. It does not write to it once the read
   * has settled.
   */
  readonly into?: Uint8Array
  /** Called before the read resolves, by an adapter that has compared the whole object with the checksum of its put: the bytes are those that were put. */
  readonly onVerified?: () => void
}

export type PutIfAbsent = 'created' | 'exists' | 'unsupported'

export interface ListedObject {
  readonly key: string
  readonly sizeBytes: number
}

export interface RemoveResult {
  readonly key: string
  /** Absent when the key is removed. */
  readonly error?: ObjectStoreError
}

/**
 * The failure, as far as the caller needs it: `missing`: no such object; `denied`: credentials or permissions; `throttled` and `unavailable`:
 * may pass; `timeout`: no answer in time; `full`: no space; `corrupt`: not the stored bytes; `aborted`: by the caller's signal;
 * `invalid`: this request can never succeed (no such bucket, bad name).
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
  /** Whether the operation may have taken effect, or may still do so. Always 'no' for reads. */
  readonly applied: 'no' | 'unknown'

  constructor(kind: ObjectStoreErrorKind, applied: 'no' | 'unknown', message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.kind = kind
    this.applied = applied
  }
}

export function abortedError(applied: 'no' | 'unknown', what: string): ObjectStoreError {
  return new ObjectStoreError('aborted', applied, `${what}: aborted by the caller`)
}

/** Whether a retry with the same bytes may succeed. */
export function isTransient(error: ObjectStoreError): boolean {
  return error.kind === 'throttled' || error.kind === 'unavailable' || error.kind === 'timeout'
}
