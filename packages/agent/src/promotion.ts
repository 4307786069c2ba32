// The promotion of a data directory: its objects go to S3 under the same keys, then its rows to PostgreSQL in one transaction. It can be repeated after an interruption at any point.
import { nativeCrc32c } from './codecs.ts'
import type { ClusterId } from './core/ids.ts'
import { objectKey } from './core/object-key.ts'
import { fixedLimits } from './limits.ts'
import { MetadataError } from './metadata/metadata-store.ts'
import { openPool, openPostgres } from './metadata/postgres.ts'
import { PromotedRows } from './metadata/promoted-rows.ts'
import type { Sql } from './metadata/sql.ts'
import { openSqlite } from './metadata/sqlite.ts'
import type { Transactions } from './metadata/transactions.ts'
import { openS3 } from './objects/adapters/s3.ts'
import { openVolumes } from './objects/adapters/volumes/open-volumes.ts'
import { claimPrefix } from './objects/cluster-file.ts'
import { type ObjectStore, ObjectStoreError } from './objects/object-store.ts'
import { RetryingObjects } from './objects/wrappers/retrying.ts'
import type { MetadataPlace, ObjectsPlace } from './parts.ts'
import { systemClock, systemRandom } from './time/system-clock.ts'

export interface Promotion {
  /** The paths in a data directory that no server uses. */
  readonly from: { readonly metadata: string; readonly objects: string }
  readonly to: { readonly objects: ObjectsPlace; readonly metadata: MetadataPlace }
  /** Called when a step is done, in this order; `object` once for each object that was copied. What it throws interrupts the promotion. */
  readonly onStep: (step: PromotionStep) => void
}

export type PromotionStep = 'opened' | 'prefix claimed' | 'object copied' | 'objects copied' | 'rows written' | 'rows committed'

export interface Promoted {
  readonly clusterId: ClusterId
  readonly objects: { readonly copied: number; readonly present: number; readonly bytes: number }
  /** False: an earlier call has committed them. */
  readonly rowsWritten: boolean
}

/** `another cluster`: the prefix, or the cluster's id in the database, belongs to another one. `missing object`: a message of the directory would be lost. */
export class PromotionError extends Error {
  override readonly name = 'PromotionError'
  readonly kind: 'another cluster' | 'newer schema' | 'missing object'

  constructor(kind: PromotionError['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/** Rejects with a PromotionError, a MetadataError, an ObjectStoreError, or the error of a driver. Nothing in the directory is changed but the version of its tables. */
export async function promote({ from, to, onStep }: Promotion): Promise<Promoted> {
  if (to.objects.kind !== 's3' || to.metadata.kind !== 'postgres') throw new RangeError('a promotion goes to S3 and PostgreSQL')
  const { bucket, prefix } = to.objects
  const { url } = to.metadata
  const emit = (): void => {}
  const options = { durability: 'os', crc32c: nativeCrc32c, random: systemRandom, clock: systemClock, emit } as const
  await upgradeTables(openSqlite({ path: from.metadata, durability: 'strict', now: () => systemClock.now() }))
  const rows = new PromotedRows(from.metadata)
  const source = openVolumes(from.objects, options)
  const target = new RetryingObjects(await openS3({ bucket, prefix }), { clock: systemClock, random: systemRandom })
  try {
    await upgradeTables(await openPostgres({ url }))
    onStep('opened')
    const { kind } = await claimPrefix(target, { clusterId: rows.clusterId, createdAtMs: rows.createdAtMs })
    if (kind !== 'ours') throw new PromotionError('another cluster', 'the prefix in the bucket belongs to another cluster')
    onStep('prefix claimed')
    const objects = await copyObjects({ source, target, rows }, () => onStep('object copied'))
    onStep('objects copied')
    const written = await writeRows(url, rows, () => onStep('rows written'))
    onStep('rows committed')
    return { clusterId: rows.clusterId, objects, rowsWritten: written }
  } finally {
    rows.close()
    await source.close()
    await target.close()
  }
}

async function upgradeTables(sql: Sql<Transactions>): Promise<void> {
  try {
    const outcome = await sql.run('migrate', {}, fixedLimits.commitDeadlineMs)
    if (outcome.kind !== 'committed') throw outcome.error
    if (outcome.value.kind === 'newer') throw new PromotionError('newer schema', `the tables have the version ${outcome.value.version}`)
  } finally {
    await sql.close()
  }
}

interface ObjectCopy {
  readonly source: ObjectStore
  readonly target: ObjectStore
  readonly rows: PromotedRows
}

/** Objects never change, so one that is there with its size was copied before. */
async function copyObjects({ source, target, rows }: ObjectCopy, onCopied: () => void): Promise<Promoted['objects']> {
  const there = new Map<string, number>()
  for await (const { key, sizeBytes } of target.list(`${rows.clusterId}/`)) there.set(key, sizeBytes)
  const left = rows
    .objects()
    .map((object) => ({ ...object, key: objectKey(rows.clusterId, object, object.sequence) }))
    .filter(({ key, sizeBytes }) => there.get(key) !== sizeBytes)
  const present = rows.objects().length - left.length
  let copied = 0
  let bytes = 0
  const next = left.values()
  let failed = false
  const work = async (): Promise<void> => {
    for (const { key, isNamed } of next) {
      if (failed) return
      const content = await readObject(source, key)
      if (content === undefined) {
        if (isNamed) throw new PromotionError('missing object', `${key} does not exist, and records are in it`)
        continue
      }
      await target.put(key, [content])
      copied += 1
      bytes += content.length
      onCopied()
    }
  }
  const workers = Array.from({ length: objectsAtOnce }, () =>
    work().catch((error: unknown) => {
      failed = true
      throw error
    }),
  )
  for (const result of await Promise.allSettled(workers)) if (result.status === 'rejected') throw result.reason
  return { copied, present, bytes }
}

/** Each is in memory as a whole while it is copied. */
const objectsAtOnce = 4

async function readObject(store: ObjectStore, key: string): Promise<Uint8Array | undefined> {
  try {
    return await store.read(key)
  } catch (error) {
    if (error instanceof ObjectStoreError && error.kind === 'missing') return undefined
    throw error
  }
}

async function writeRows(url: string, rows: PromotedRows, almost: () => void): Promise<boolean> {
  const pool = await openPool({ url, connections: 1 })
  try {
    const result = await rows.writeInto(pool, almost)
    if (result === 'another cluster')
      throw new PromotionError('another cluster', `the database has another cluster with the id ${rows.clusterId}`)
    return result === 'written'
  } catch (error) {
    if (error instanceof PromotionError) throw error
    throw new MetadataError('unavailable', `PostgreSQL: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  } finally {
    await pool.end()
  }
}
