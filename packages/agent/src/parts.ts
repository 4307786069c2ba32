// The composition root of an agent's parts: it turns a description of places into implementations and checks that they belong together. Only this file names implementations.
// It is longer than other files because it is one thing: nothing else may name implementations.

import { dirname } from 'node:path'
import type { Parts } from './agent-parts.ts'
import { nativeCrc32c, nodeCodecs, remoteCodecs, remotePackers } from './codecs.ts'
import type { Copy, CopySource } from './copies.ts'
import type { ClusterId } from './core/ids.ts'
import { codecThreadOfProcess } from './memory/codec-thread.ts'
import { interceptedSql, type SqlInterceptor } from './metadata/intercepted.ts'
import type { MetadataStore } from './metadata/metadata-store.ts'
import { type OpenedMetadata, openMetadata } from './metadata/open.ts'
import type { PostgresSql } from './metadata/postgres.ts'
import type { CopyableSql, Sql } from './metadata/sql.ts'
import type { Transactions } from './metadata/transactions.ts'
import { watchedSql } from './metadata/watched.ts'
import type { HeldPort } from './net/held-port.ts'
import type { Interceptor } from './net/interceptor.ts'
import type { ListenAddress } from './net/network.ts'
import { MemoryObjects } from './objects/adapters/memory.ts'
import { claimPrefix } from './objects/cluster-file.ts'
import { type ObjectStore, ObjectStoreError } from './objects/object-store.ts'
import { highestTimeline, recordTimeline } from './objects/timeline-files.ts'
import { delayedObjects } from './objects/wrappers/delayed.ts'
import { interceptedObjects, type StoreInterceptor } from './objects/wrappers/intercepted.ts'
import { MeasuredObjects } from './objects/wrappers/measured.ts'
import { RetryingObjects } from './objects/wrappers/retrying.ts'
import { SharedObjects } from './objects/wrappers/shared.ts'
import { watchedObjects } from './objects/wrappers/watched.ts'
import type { EventHook } from './observe/events.ts'
import { StoreWatch } from './observe/store-watch.ts'
import { type OptionalPackage, oldestVersions, presenceOf } from './optional-package.ts'
import type { InFlight } from './time/in-flight.ts'
import { MovableTime } from './time/movable-time.ts'
import { systemClock, systemRandom } from './time/system-clock.ts'
import { newUuid } from './time/uuid.ts'
import { compactionThread } from './upkeep/compaction-thread.ts'
import { type Recovered, recover } from './upkeep/recovery.ts'

export type ObjectsPlace =
  | { readonly kind: 'memory' }
  | { readonly kind: 'directory'; readonly path: string }
  /** Endpoint, region and credentials come from the places of the AWS tools. The prefix has no slashes at its ends. */
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string }

export type MetadataPlace =
  | { readonly kind: 'memory' }
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string }

export interface PartsDescription {
  readonly objects: ObjectsPlace
  readonly metadata: MetadataPlace
  /** The durability of files on this machine; S3 and PostgreSQL have their own. */
  readonly durability: 'strict' | 'os' | 'memory'
  /** Added to the duration of every request to the object store. */
  readonly storeLatencyMs: number
  /** The Kafka port, opened before everything else. It is closed with the parts, also when they cannot be opened. */
  readonly port: HeldPort
  /** Whether threads keep the process alive. */
  readonly holdsProcess: boolean
  /** The machine may have lost power since these places were last used, so the newest objects are read before any write. */
  readonly afterPowerLoss: boolean
  /** Undefined: the only cluster in the database, or a new one. */
  readonly clusterId: string | undefined
  /** A clock that can be moved. Default: the system's. Not with PostgreSQL, which has its own clock. */
  readonly time?: MovableTime
  /** The initial content, if `objects` and `metadata` are in memory. */
  readonly beginsWith?: Beginning
  /** Called once, when no reader uses these places any more: after `close`, and after the end of the last fork. */
  readonly onFree?: () => void
  readonly emit: EventHook
  /** The faults of a test. No setting and no command provides them. */
  readonly interceptors?: Interceptors
}

/** Interceptors that see, and may fail, the traffic between the agent and its clients and services. */
export interface Interceptors {
  readonly requests: Interceptor
  readonly store: StoreInterceptor
  readonly metadata: SqlInterceptor
}

export type Beginning = { readonly kind: 'fork'; readonly of: CopySource } | { readonly kind: 'snapshot'; readonly path: string }

export interface OpenedParts {
  readonly parts: Parts
  /** The open port, for the agent's `listen`. */
  readonly listen: readonly ListenAddress[]
  /** The result of a recovery. Undefined: none was needed. */
  readonly recovered: Extract<Recovered, { kind: 'recovered' }> | undefined
  /** The source of a fork. Undefined: the metadata is in PostgreSQL, and cannot be copied. */
  readonly copies: CopySource | undefined
  /** Writes the committed state into one file (see copies.ts). Only for parts that can be copied. */
  snapshot(path: string): Promise<void>
  /** Closes both services, and the port if no agent has taken it over. The agent on these parts must have ended. */
  close(): Promise<void>
}

/**
 * The reason why the places cannot be used together. `store`: the object store failed, the cause is its ObjectStoreError; `used prefix`: the
 * database is new or empty but the prefix is not; `unreadable objects`: they were committed as durable, and nothing was changed; `package`: the client
 * library that a place needs, `packageName`, is not installed or too old;
 * `… snapshot`: the initial snapshot is not usable, and was not written to.
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
 * Opens both services, and claims the prefix for the cluster before any write there. Rejects with a PartsError, or the MetadataError of a database
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
  // Requests that an interceptor fails are retried as with S3, so that tests exercise the retries.
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
        remoteCodecs: remoteCodecs(codecThreadOfProcess(systemClock)),
        remotePackers: remotePackers(codecThreadOfProcess(systemClock)),
        remoteCompaction: compactionThread,
        crc32c: nativeCrc32c,
        emit,
        storeMeters: () => measured.meters(),
        storeCosts: places.remote,
        ...('ages' in places.sql && databaseAges(places.sql)),
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

/** Both services, before measuring and delays are added. */
interface Places extends Omit<Copy, 'sql' | 'clusterId'> {
  readonly sql: Sql<Transactions> | CopyableSql<Transactions> | PostgresSql
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
  // Not closed: the store below it is.
  const patientObjects = place.kind === 's3' ? new RetryingObjects(objects, { clock: systemClock, random: systemRandom }) : objects
  try {
    return watched(
      { objects, sql: await openSql(description, { objects: patientObjects, now }), remote: place.kind === 's3' },
      time?.inFlight,
    )
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

/** With a movable clock, moves wait for the database's current work. */
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

function databaseAges(sql: PostgresSql): Pick<Parts, 'databaseAges'> {
  return { databaseAges: () => sql.ages }
}

/** Adds the configured latency, the faults, and the watch of a disk. */
function inTheWay(store: ObjectStore, stores: StoreWatch, { objects: place, storeLatencyMs, interceptors }: PartsDescription): ObjectStore {
  const late = storeLatencyMs === 0 ? store : delayedObjects(store, systemClock, { latencyMs: storeLatencyMs })
  const spoilt = interceptors === undefined ? late : interceptedObjects(late, systemClock, interceptors.store)
  return place.kind === 'directory' ? watchedObjects(spoilt, stores, dirname(place.path)) : spoilt
}

/** A clock for `PartsDescription.time` that begins the given number of milliseconds ahead of the system's. */
export function movableTime(options: { readonly aheadMs?: number } = {}): MovableTime {
  return new MovableTime(systemClock, options)
}

async function openStore(place: ObjectsPlace, durability: PartsDescription['durability'], emit: EventHook): Promise<ObjectStore> {
  switch (place.kind) {
    case 'memory':
      return new MemoryObjects()
    case 'directory': {
      const { openVolumes } = await import('./objects/adapters/volumes/open-volumes.ts')
      return openVolumes(place.path, { durability, crc32c: nativeCrc32c, random: systemRandom, clock: systemClock, emit })
    }
    case 's3': {
      requirePackage('@aws-sdk/client-s3')
      const { openS3 } = await import('./objects/adapters/s3.ts')
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
    const ids = { clusterId: clusterId as ClusterId | undefined, newClusterId: newUuid(systemRandom) as ClusterId }
    return await openMetadata(sql, { ...ids, clock: systemClock, random: systemRandom })
  } catch (error) {
    await sql.close()
    throw error
  }
}

async function openSql(
  { metadata, durability, holdsProcess, time, emit }: PartsDescription,
  { objects, now }: { readonly objects: ObjectStore; readonly now: () => number },
): Promise<Sql<Transactions> | PostgresSql> {
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
      return await openPostgres({
        url: metadata.url,
        watch: {
          clock: systemClock,
          timelines: {
            highest: (system) => highestTimeline(objects, system),
            record: (system, timeline) => recordTimeline(objects, system, timeline),
          },
        },
      })
    }
  }
}

/** Servers that stay on one machine do not need the clients of S3 and PostgreSQL. */
function requirePackage(name: OptionalPackage): void {
  const presence = presenceOf(name)
  switch (presence.kind) {
    case 'usable':
      return
    case 'missing':
      throw new PartsError('package', `it is not installed, because only this store needs it: run npm install ${name}`, {
        packageName: name,
      })
    case 'too old':
      throw new PartsError('package', `${presence.version} is installed, but ${oldestVersions[name]} or newer is required`, {
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
      throw new PartsError('newer format', `cluster.json needs a reader of format ${file.minimumReader}`)
    case 'another cluster': {
      // A database without topics was created just now, or by an earlier start that was rejected here: the original database is missing.
      const empty = (await metadata.topics.list()).length === 0
      throw empty
        ? new PartsError('used prefix', `cluster.json there names the cluster ${file.clusterId}`)
        : new PartsError(
            'another cluster',
            `cluster.json there names the cluster ${file.clusterId}, but the metadata database serves ${metadata.clusterId}`,
          )
    }
  }
}

/** Only a local directory can have torn objects: S3 answers after it has stored the bytes. A new cluster has no objects to read. */
async function recovery(
  { objects: place, durability, afterPowerLoss, emit }: PartsDescription,
  { objects, metadata, fresh }: { readonly objects: ObjectStore; readonly metadata: MetadataStore; readonly fresh: boolean },
): Promise<OpenedParts['recovered']> {
  if (!afterPowerLoss || fresh || place.kind !== 'directory') return undefined
  const parts = { objects, recovery: metadata.recovery, crc32c: nativeCrc32c, clock: systemClock, emit }
  let recovered: Recovered
  try {
    recovered = await recover(parts, durability === 'strict' ? 'reject' : 'cut')
  } catch (error) {
    throw asPartsError(error)
  }
  if (recovered.kind === 'recovered') return recovered
  if (recovered.kind === 'no objects')
    throw new PartsError('no objects', 'the metadata database lists objects, but none of them exists in the store')
  const { unreadable } = recovered
  const [first] = unreadable
  throw new PartsError('unreadable objects', `${unreadable.length} of the newest, the first is ${first?.key}: ${first?.why}`)
}

function asPartsError(error: unknown): unknown {
  if (!(error instanceof ObjectStoreError)) return error
  return new PartsError(error.kind === 'corrupt' ? 'damaged cluster file' : 'store', error.message, { cause: error })
}
