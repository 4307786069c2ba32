// Recovery after a power loss: it reads the newest committed objects and cuts each log before its first damaged object, as Kafka does.
import { must } from '../core/assert.ts'
import type { Checksum } from '../core/checksum.ts'
import { fixedLimits } from '../limits.ts'
import type { CommittedObject, DamagedLog, RecentCursor, RecoveryStore } from '../metadata/recovery-store.ts'
import { decodeObject, ObjectFormatError } from '../objects/object-format.ts'
import { type ObjectStore, ObjectStoreError } from '../objects/object-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock } from '../time/clock.ts'

export interface RecoveryParts {
  readonly objects: Pick<ObjectStore, 'read' | 'list'>
  readonly recovery: RecoveryStore
  readonly crc32c: Checksum
  readonly clock: Clock
  readonly emit: EventHook
}

/**
 * `cut`: an unreadable object was acknowledged while it was in memory only, as the durability mode `os` allows. `reject`: the object was on the disk when it
 * was acknowledged, so the disk is damaged, and a person must decide.
 */
export type OnDamage = 'cut' | 'reject'

export type Recovered =
  | {
      readonly kind: 'recovered'
      /** The number of objects that were checked. */
      readonly objects: number
      readonly unreadable: number
      /** The cut logs of topics that are not deleted, ordered by topic name and partition. */
      readonly cuts: readonly DamagedLog[]
    }
  /** The store has no object of the cluster: a disk that is not mounted looks like this, the result of a power loss does not. Nothing was cut. */
  | { readonly kind: 'no objects' }
  | { readonly kind: 'rejected'; readonly unreadable: readonly UnreadableObject[] }

export interface UnreadableObject extends CommittedObject {
  /** For people. */
  readonly why: string
}

/**
 * Call it before an agent runs on these stores. If it is interrupted, the next call completes it. Rejects with an ObjectStoreError, with nothing cut, when the
 * store does not answer; rejects with a MetadataError as the database does.
 */
export async function recover(parts: RecoveryParts, onDamage: OnDamage): Promise<Recovered> {
  const { recovery, clock, emit } = parts
  const began = clock.monotonic()
  const { objects, unreadable } = await checkRecent(parts)
  for (const { key, why } of unreadable) emit({ kind: 'object unreadable', key, message: why })
  if (unreadable.length > 0 && unreadable.length === objects && !(await anyObject(parts, unreadable))) return { kind: 'no objects' }
  if (unreadable.length > 0 && onDamage === 'reject') return { kind: 'rejected', unreadable }
  const damaged = (await recovery.damagedLogs(unreadable)).toSorted(byTopicAndPartition)
  await recovery.cut(damaged)
  // After the cut: while a log has a record in one of these objects, the next recovery must find it.
  await recovery.forget(unreadable)
  const cuts = damaged.filter(({ deleted, offsets }) => !deleted && offsets > 0)
  for (const { topic, partition, fromOffset, offsets } of cuts) emit({ kind: 'tail cut', topic, partition, fromOffset, offsets })
  emit({ kind: 'objects checked', objects, unreadable: unreadable.length, durationMs: clock.monotonic() - began })
  return { kind: 'recovered', objects, unreadable: unreadable.length, cuts }
}

async function checkRecent(parts: RecoveryParts): Promise<{ readonly objects: number; readonly unreadable: readonly UnreadableObject[] }> {
  const unreadable: UnreadableObject[] = []
  let objects = 0
  for (let after: RecentCursor | undefined, more = true; more; more = after !== undefined) {
    const input = { windowMs: fixedLimits.recoveryWindowMs, maxObjects: fixedLimits.recoveryObjectsPerStep, ...(after && { after }) }
    const page = await parts.recovery.recentObjects(input)
    objects += page.objects.length
    unreadable.push(...(await checkPage(parts, page.objects)))
    after = page.next
  }
  return { objects, unreadable }
}

async function anyObject({ objects }: RecoveryParts, [first]: readonly CommittedObject[]): Promise<boolean> {
  const cluster = must(must(first, 'an unreadable object').key.split('/', 1)[0], "the cluster's part of an object key")
  for await (const _ of objects.list(`${cluster}/`)) return true
  return false
}

/** Checks `fixedLimits.recoveryReads` objects at a time. */
async function checkPage(parts: RecoveryParts, objects: readonly CommittedObject[]): Promise<readonly UnreadableObject[]> {
  const unreadable: UnreadableObject[] = []
  const next = objects.values()
  await Promise.all(
    Array.from({ length: fixedLimits.recoveryReads }, async () => {
      for (const object of next) {
        const why = await wrongWith(parts, object)
        if (why !== undefined) unreadable.push({ ...object, why })
      }
    }),
  )
  return unreadable
}

/** What is wrong with the object, for people. Undefined: the bytes are those that were committed. */
async function wrongWith({ objects, crc32c }: RecoveryParts, object: CommittedObject): Promise<string | undefined> {
  try {
    const bytes = await objects.read(object.key)
    if (bytes.length !== object.sizeBytes) return `it has ${bytes.length} bytes instead of ${object.sizeBytes}`
    return wrongBytes(bytes, object, crc32c)
  } catch (error) {
    // After any other error the object may still exist, so a person must look.
    if (error instanceof ObjectStoreError && (error.kind === 'missing' || error.kind === 'corrupt')) return error.message
    throw error
  }
}

function wrongBytes(bytes: Uint8Array, object: CommittedObject, crc32c: Checksum): string | undefined {
  try {
    const { checksum } = decodeObject(bytes, crc32c)
    return checksum === object.checksum ? undefined : 'its checksums are right, but it is not the object that was committed'
  } catch (error) {
    if (!(error instanceof ObjectFormatError)) throw error
    // An intact object of a newer server must not be cut. In every format the checksum covers all bytes but itself and the end mark.
    const whole = error.reason === 'newer' && crc32c(bytes.subarray(0, bytes.length - uncheckedBytes)) === object.checksum
    return whole ? undefined : error.message
  }
}

/** The checksum and the end mark. */
const uncheckedBytes = 12

function byTopicAndPartition(a: DamagedLog, b: DamagedLog): number {
  if (a.topic === b.topic) return a.partition - b.partition
  return a.topic < b.topic ? -1 : 1
}
