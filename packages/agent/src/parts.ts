// The composition root of an agent's parts: turns a description of places into implementations, and makes sure that they belong together. It alone names implementations.

import { dirname } from 'node:path'
import type { Parts } from './agent.ts'
import { nativeCrc32c, nodeCodecs } from './codecs.ts'
import type { Copy, CopySource } from './copies.ts'
import type { ClusterId } from './core/ids.ts'
import { interceptedSql, type SqlInterceptor } from './metadata/intercepted.ts'
import type { MetadataStore } from './metadata/metadata-store.ts'
import { type OpenedMetadata, openMetadata } from './metadata/open.ts'
import type { CopyableSql, Sql } from './metadata/sql.ts'
import type { Transactions } from './metadata/transactions.ts'
import { watchedSql } from './metadata/watched.ts'
import type { HeldPort } from './net/held-port.ts'
import type { Interceptor } from './net/interceptor.ts'
import type { ListenAddress } from './net/network.ts'
import { claimPrefix } from './objects/cluster-file.ts'
import { DelayedObjects } from './objects/delayed.ts'
import { DirectoryObjects } from './objects/directory.ts'
import { InterceptedObjects, type StoreInterceptor } from './objects/intercepted.ts'
import { MeasuredObjects } from './objects/measured.ts'
import { MemoryObjects } from './objects/memory.ts'
import { type ObjectStore, ObjectStoreError } from './objects/object-store.ts'
import { RetryingObjects } from './objects/retrying.ts'
import { SharedObjects } from './objects/shared.ts'
import { WatchedObjects } from './objects/watched.ts'
import type { EventHook } from './observe/events.ts'
import { StoreWatch } from './observe/store-watch.ts'
import { type OptionalPackage, oldestVersions, presenceOf } from './optional-package.ts'
import type { InFlight } from './time/in-flight.ts'
import { MovableTime } from './time/movable-time.ts'
import { systemClock, systemRandom } from './time/system-clock.ts'
import { newUuid } from './time/uuid.ts'
import { type Recovered, recover } from './upkeep/recovery.ts'

export type ObjectsPlace =
  | { readonly kind: 'memory' }
  | { readonly kind: 'directory'; readonly path: string }
  /** Endpoint, region and credentials come from where AWS tools look for them. The prefix is without slashes at its ends. */
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string }

export type MetadataPlace =
  | { readonly kind: 'memory' }
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string }

export interface PartsDescription {
  readonly objects: ObjectsPlace
  readonly metadata: MetadataPlace
  /** Of what is kept on this machine: S3 and PostgreSQL have their own. */
  readonly durability: 'strict' | 'os' | 'memory'
  /** Every request to the object store takes so much longer. */
  readonly storeLatencyMs: number
  /** The Kafka port, which was opened before anything else; it is closed with the parts, also where they cannot be opened. */
  readonly port: HeldPort
  /** Whether threads keep the process alive. */
  readonly holdsProcess: boolean
  /** The machine may have lost power since these places were last used: what was committed last is read before anybody writes. */
  readonly afterPowerLoss: boolean
  /** Undefined: the only cluster in the database, or a new one. */
  readonly clusterId: string | undefined
  /** Time that can be moved on at will. Default: the system's. Not with PostgreSQL, which has a clock of its own. */
  readonly time?: MovableTime
  /** What it begins with, where `objects` and `metadata` are memory. */
  readonly beginsWith?: Beginning
  /** Called once, when nothing reads these places any more: after `close`, and after the end of the last fork. */
  readonly onFree?: () => void
  readonly emit: EventHook
  /** Faults, in a test. No setting and no command hands them in. */
  readonly interceptors?: Interceptors
}

/** Who sees, and may spoil, what passes between the agent and its clients and services. */
export interface Interceptors {
  readonly requests: Interceptor
  readonly store: StoreInterceptor
  readonly metadata: SqlInterceptor
}

export type Beginning = { readonly kind: 'fork'; readonly of: CopySource } | { readonly kind: 'snapshot'; readonly path: string }

export interface OpenedParts {
  readonly parts: Parts
  /** For the agent's `listen`: where the port really is. */
  readonly listen: readonly ListenAddress[]
  /** What a recovery found. Undefined: there was no reason for one. */
  readonly recovered: Extract<Recovered, { kind: 'recovered' }> | undefined
  /** What a fork begins with. Undefined: the metadata is in PostgreSQL, and cannot be copied. */
  readonly copies: CopySource | undefined
  /** Writes everything that is committed into one file, as copies.ts says. Only where there are copies. */
  snapshot(path: string): Promise<void>
  /** Closes both services, and the port where no agent has taken it over. The agent that stands on them must have ended. */
  close(): Promise<void>
}

/**
 * Why the places cannot be used together. `store`: the object store does not answer as it must, its ObjectStoreError is the cause; `used prefix`: the
 * database is fresh or empty and the prefix is not; `unreadable objects`: they were committed as durable, and nothing was changed; `package`: the client
 * library that a place needs, `packageName`, is not installed or too old;
 * `… snapshot`: the file to begin with is none that can be used, and was not written to.
 */
export class PartsError extends Error {
  override readonly name = 'PartsError'
  readonly kind:
    | 'missing snapshot'
    | 'foreign snapshot'
    | 'damaged snapshot'
    | 'newer snapshot'
    | 'store'
    | 'another cluster'
    | 'used prefix'
    | 'newer format'
    | 'damaged cluster file'
    | 'unreadable objects'
    | 'no objects'
    | 'package'

  readonly packageName: OptionalPackage | undefined

  constructor(kind: PartsError['kind'], message: string, options?: { readonly cause?: unknown; readonly packageName?: OptionalPackage }) {
    super(message, options)
    this.kind = kind
    this.packageName = options?.packageName
  }
}

/**
 * Opens both services, and claims the prefix for the cluster before anybody writes there. Rejects with a PartsError, or the MetadataError of a database
 * that cannot be used; nothing is left open then.
 */
export async function openParts(description: PartsDescription): Promise<OpenedParts> {
  try {
    return await openServices(description)
  } catch (error) {
    await description.port.close()
    throw error
  }
}

async function openServices(description: PartsDescription): Promise<OpenedParts> {
  const { emit, port, time, interceptors } = description
  const places = await openPlaces(description)
  const stores = new StoreWatch({ emit, clock: systemClock })
  const measured = new MeasuredObjects(inTheWay(places.objects, stores, description), systemClock, time?.inFlight)
  // What an interceptor spoils is tried again as S3 is: that is what it is for.
  const retried = places.remote || interceptors !== undefined
  const objects = retried ? new RetryingObjects(measured, { clock: systemClock, random: systemRandom }) : measured
  let opened: MetadataStore | undefined
  try {
    const metadata = await openMetadataIn(places.sql, stores, { ...description, clusterId: places.clusterId ?? description.clusterId })
    opened = metadata
    await claim(objects, metadata)
    const { sql, remote } = places
    const copies = isCopyable(sql) ? { clusterId: metadata.clusterId, objects: places.objects, sql, remote } : undefined
    const recovered = await recovery(description, { objects, metadata, fresh: metadata.created })
    return {
      parts: {
        clock: time?.clock ?? systemClock,
        ...(time && { ioClock: systemClock, sessionClock: time.sessions }),
        random: systemRandom,
        network: port.network,
        objects,
        metadata,
        codecs: nodeCodecs,
        crc32c: nativeCrc32c,
        emit,
        storeMeters: () => measured.meters(),
        stores,
        ...(interceptors && { interceptor: interceptors.requests }),
      },
      listen: port.addresses,
      recovered,
      copies,
      async snapshot(path) {
        if (copies === undefined) throw new RangeError('PostgreSQL cannot be copied')
        const { writeSnapshot } = await import('./copies.ts')
        await writeSnapshot(copies, path, { unique: newUuid(systemRandom), createdAtMs: systemClock.now() })
      },
      async close() {
        try {
          await port.close()
          await metadata.close()
        } finally {
          await objects.close()
          if (!(places.objects instanceof SharedObjects)) description.onFree?.()
        }
      },
    }
  } catch (error) {
    await opened?.close()
    await objects.close()
    throw error
  }
}

/** Both services, as they are: neither measured nor delayed yet. */
interface Places extends Omit<Copy, 'sql' | 'clusterId'> {
  readonly sql: Sql<Transactions> | CopyableSql<Transactions>
  /** The cluster of a copy. */
  readonly clusterId?: ClusterId
}

/** Rejects when one of them cannot be reached or used. */
async function openPlaces(description: PartsDescription): Promise<Places> {
  const { objects: place, durability, emit, beginsWith, onFree, time } = description
  const now = (): number => (time?.clock ?? systemClock).now()
  if (beginsWith !== undefined) return watched(await openCopy(beginsWith, now), time?.inFlight)
  let store: ObjectStore
  try {
    store = await openStore(place, durability, emit)
  } catch (error) {
    throw asPartsError(error)
  }
  const objects = store instanceof MemoryObjects ? store : new SharedObjects(store, onFree)
  try {
    return watched({ objects, sql: await openSql(description, now), remote: place.kind === 's3' }, time?.inFlight)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function openCopy(of: Beginning, now: () => number): Promise<Copy> {
  const copies = await import('./copies.ts')
  if (of.kind === 'fork') return await copies.fork(of.of, { unique: newUuid(systemRandom), now })
  const opened = await copies.openSnapshot(of.path, now)
  if (opened.kind !== 'opened') throw new PartsError(`${opened.kind} snapshot`, opened.why)
  return opened.copy
}

/** Where time can be moved, it waits for what the database is doing. */
function watched(places: Places, inFlight: InFlight | undefined): Places {
  if (inFlight === undefined) return places
  const { sql } = places
  return {
    ...places,
    sql: {
      ...(isCopyable(sql) && { copyInto: (target) => sql.copyInto(target) }),
      run: (...run) => inFlight.during(sql.run(...run)),
      close: () => sql.close(),
    },
  }
}

function isCopyable(sql: Sql<Transactions>): sql is CopyableSql<Transactions> {
  return 'copyInto' in sql
}

/** The latency that was asked for, the faults, and the watch of a disk. */
function inTheWay(store: ObjectStore, stores: StoreWatch, { objects: place, storeLatencyMs, interceptors }: PartsDescription): ObjectStore {
  const late = storeLatencyMs === 0 ? store : new DelayedObjects(store, systemClock, { latencyMs: storeLatencyMs })
  const spoilt = interceptors === undefined ? late : new InterceptedObjects(late, systemClock, interceptors.store)
  return place.kind === 'directory' ? new WatchedObjects(spoilt, stores, dirname(place.path)) : spoilt
}

/** Time for `PartsDescription.time`, which begins so many milliseconds ahead of the system's. */
export function movableTime(options: { readonly aheadMs?: number } = {}): MovableTime {
  return new MovableTime(systemClock, options)
}

async function openStore(place: ObjectsPlace, durability: PartsDescription['durability'], emit: EventHook): Promise<ObjectStore> {
  switch (place.kind) {
    case 'memory':
      return new MemoryObjects()
    case 'directory':
      return new DirectoryObjects(place.path, {
        durability: durability === 'strict' ? 'strict' : 'os',
        onNotice: (message) => emit({ kind: 'notice', message }),
      })
    case 's3': {
      requirePackage('@aws-sdk/client-s3')
      const { openS3 } = await import('./objects/s3.ts')
      const store = await openS3({ bucket: place.bucket, prefix: place.prefix })
      try {
        await store.checkBucket()
      } catch (error) {
        await store.close()
        throw error
      }
      return store
    }
  }
}

async function openMetadataIn(
  opened: Sql<Transactions>,
  stores: StoreWatch,
  { metadata: place, clusterId, interceptors }: PartsDescription,
): Promise<OpenedMetadata> {
  const spoilt = interceptors === undefined ? opened : interceptedSql(opened, systemClock, interceptors.metadata)
  const sql =
    place.kind === 'memory' ? spoilt : watchedSql(spoilt, stores, place.kind === 'sqlite' ? dirname(place.path) : 'the PostgreSQL database')
  try {
    return await openMetadata(sql, {
      clusterId: clusterId as ClusterId | undefined,
      newClusterId: newUuid(systemRandom) as ClusterId,
      clock: systemClock,
    })
  } catch (error) {
    await sql.close()
    throw error
  }
}

async function openSql(
  { metadata, durability, holdsProcess, time, emit }: PartsDescription,
  now: () => number,
): Promise<Sql<Transactions>> {
  switch (metadata.kind) {
    case 'memory': {
      const { openSqlite } = await import('./metadata/sqlite.ts')
      return openSqlite({ path: ':memory:', durability: 'memory', now })
    }
    case 'sqlite': {
      const { path } = metadata
      const shared = time && { aheadMs: time.shared }
      if (durability === 'strict') {
        const { openSqliteWorker } = await import('./metadata/sqlite-client.ts')
        return await openSqliteWorker({ path, durability, holdsProcess, ...shared })
      }
      const { openSqliteInTurn } = await import('./metadata/sqlite-in-turn.ts')
      return await openSqliteInTurn({ path, holdsProcess, onNotice: (message) => emit({ kind: 'notice', message }), ...shared })
    }
    case 'postgres': {
      requirePackage('pg')
      const { openPostgres } = await import('./metadata/postgres.ts')
      return await openPostgres({ url: metadata.url })
    }
  }
}

/** Whoever stays on one machine need not have the clients of S3 and PostgreSQL. */
function requirePackage(name: OptionalPackage): void {
  const presence = presenceOf(name)
  switch (presence.kind) {
    case 'usable':
      return
    case 'missing':
      throw new PartsError('package', `it is not installed, for only this store needs it; npm install ${name} brings it`, {
        packageName: name,
      })
    case 'too old':
      throw new PartsError('package', `${presence.version} is installed, and ${oldestVersions[name]} or newer is needed`, {
        packageName: name,
      })
  }
}

/** Nothing may be written under a prefix that is not the cluster's own. */
async function claim(objects: ObjectStore, metadata: MetadataStore): Promise<void> {
  let claimed: Awaited<ReturnType<typeof claimPrefix>>
  try {
    claimed = await claimPrefix(objects, { clusterId: metadata.clusterId, createdAtMs: systemClock.now() })
  } catch (error) {
    throw asPartsError(error)
  }
  const { file } = claimed
  switch (claimed.kind) {
    case 'ours':
      return
    case 'newer format':
      throw new PartsError('newer format', `cluster.json asks for readers of format ${file.minimumReader}`)
    case 'another cluster': {
      // A database without topics is one that was made just now, or by an earlier start that was refused here: what is missing is the other one.
      const empty = (await metadata.topics.list()).length === 0
      throw empty
        ? new PartsError('used prefix', `cluster.json there names the cluster ${file.clusterId}`)
        : new PartsError(
            'another cluster',
            `cluster.json there names the cluster ${file.clusterId}, the metadata database serves ${metadata.clusterId}`,
          )
    }
  }
}

/** Only a directory of this machine can be torn: S3 answers when it has the bytes. What was made just now has nothing to read. */
async function recovery(
  { objects: place, durability, afterPowerLoss, emit }: PartsDescription,
  { objects, metadata, fresh }: { readonly objects: ObjectStore; readonly metadata: MetadataStore; readonly fresh: boolean },
): Promise<OpenedParts['recovered']> {
  if (!afterPowerLoss || fresh || place.kind !== 'directory') return undefined
  const parts = { objects, recovery: metadata.recovery, crc32c: nativeCrc32c, clock: systemClock, emit }
  let recovered: Recovered
  try {
    recovered = await recover(parts, durability === 'strict' ? 'refuse' : 'cut')
  } catch (error) {
    throw asPartsError(error)
  }
  if (recovered.kind === 'recovered') return recovered
  if (recovered.kind === 'no objects') throw new PartsError('no objects', 'the metadata database knows of some, and not one is there')
  const { unreadable } = recovered
  const [first] = unreadable
  throw new PartsError('unreadable objects', `${unreadable.length} of the newest, the first is ${first?.key}: ${first?.why}`)
}

function asPartsError(error: unknown): unknown {
  if (!(error instanceof ObjectStoreError)) return error
  return new PartsError(error.kind === 'corrupt' ? 'damaged cluster file' : 'store', error.message, { cause: error })
}
