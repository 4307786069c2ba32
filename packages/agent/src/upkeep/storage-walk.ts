// A walk over all committed objects in the order of their keys: rows against objects, and for a damaged object the offsets that were in it.
import type { Checksum } from '../core/checksum.ts'
import type { ObjectKey } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import type { DamageStore, SegmentInObject } from '../metadata/damage-store.ts'
import type { CommittedObject, ObjectId } from '../metadata/recovery-store.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import type { Clock } from '../time/clock.ts'
import { sleep } from '../time/sleep.ts'
import { wrongWithObject } from './object-check.ts'

export interface StorageWalkParts {
  /** Without a cache: the cache may have bytes that the store has lost. */
  readonly objects: Pick<ObjectStore, 'read'>
  /** Reads a segment of a damaged object, without a cache. Reports its damage, and returns whether there is any. */
  readonly isDamaged: (segment: SegmentInObject, signal: AbortSignal) => Promise<boolean>
  /** Called for each object that is as it was committed. */
  readonly onIntact: (objectKey: ObjectKey) => void
  readonly store: Pick<DamageStore, 'objects' | 'segmentsIn'>
  readonly crc32c: Checksum
  readonly clock: Clock
}

export interface WalkOptions {
  /** The walk begins after this object. */
  readonly after?: ObjectId | undefined
  readonly bytesPerSecond: number
  readonly signal: AbortSignal
  /** Called after each object. */
  readonly onObject?: (object: CommittedObject) => void
}

export interface DamagedObject {
  readonly object: CommittedObject
  /** For people. */
  readonly message: string
  /** The number of segments in it that have damaged offsets. 0: its damage affects no record, or these offsets were skipped. */
  readonly segments: number
}

/** What the walk found since the previous step. All objects up to `after` were read. */
export interface WalkStep {
  readonly after: ObjectId
  readonly damaged: readonly DamagedObject[]
}

/** One read at a time. Rejects with an ObjectStoreError or a MetadataError when a store is away, and with the signal's reason. */
export async function* walkStorage(parts: StorageWalkParts, { after, onObject, ...options }: WalkOptions): AsyncGenerator<WalkStep> {
  const pace = pacer(parts.clock, options)
  for (let last = after; ; ) {
    const objects = await parts.store.objects({ maxObjects: fixedLimits.checkObjectsPerStep, ...(last && { after: last }) })
    const end = objects.at(-1)
    if (end === undefined) return
    const damaged = await damagedAmong(parts, objects, { pace, signal: options.signal, onObject })
    last = { incarnation: end.incarnation, sequence: end.sequence }
    yield { after: last, damaged }
  }
}

/** Checks these objects, and reports the damaged offsets in them. */
export async function damagedAmong(
  parts: StorageWalkParts,
  objects: readonly CommittedObject[],
  { pace, signal, onObject }: { readonly pace: Pace; readonly signal: AbortSignal; readonly onObject?: WalkOptions['onObject'] },
): Promise<readonly DamagedObject[]> {
  const wrong: Omit<DamagedObject, 'segments'>[] = []
  for (const object of objects) {
    signal.throwIfAborted()
    const message = await wrongWithObject({ ...parts, pace }, object, signal)
    if (message === undefined) parts.onIntact(object.key)
    else wrong.push({ object, message })
    onObject?.(object)
  }
  if (wrong.length === 0) return []
  const damagedSegments = new Map<string, number>()
  for (const one of await parts.store.segmentsIn(wrong.map(({ object }) => object))) {
    const { objectKey, sizeBytes } = one.segment
    // Its offsets were skipped.
    if (sizeBytes === 0) continue
    await pace(sizeBytes)
    if (await parts.isDamaged(one, signal)) damagedSegments.set(objectKey, countOf(damagedSegments, objectKey) + 1)
  }
  return wrong.map((one) => ({ ...one, segments: countOf(damagedSegments, one.object.key) }))
}

function countOf(counts: ReadonlyMap<string, number>, key: string): number {
  // Absent: none was counted.
  return counts.get(key) ?? 0
}

export type Pace = (bytes: number) => Promise<void>

/** Waits so long before each read that reads do not exceed the rate. A read counts as at least `fixedLimits.checkReadLeastBytes`: requests cost, too. */
export function pacer(clock: Clock, { bytesPerSecond, signal }: Pick<WalkOptions, 'bytesPerSecond' | 'signal'>): Pace {
  let dueMs = clock.monotonic()
  return async (bytes) => {
    const nowMs = clock.monotonic()
    // Time that passed without a read does not allow a burst.
    dueMs = Math.max(dueMs, nowMs - fixedLimits.checkPauseMs)
    if (dueMs - nowMs >= fixedLimits.checkPauseMs) await sleep(clock, dueMs - nowMs, signal)
    dueMs += (Math.max(bytes, fixedLimits.checkReadLeastBytes) / bytesPerSecond) * 1_000
  }
}
