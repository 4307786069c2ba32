// A writer on a manual clock, with a log that appends everything and a store of the test's choice.
import { buildBatch, crc32c } from '@local-kafka-service/protocol'
import { defaultLimits } from '../../limits.ts'
import type { SlabPool } from '../../memory/slab-pool.ts'
import { aPool } from '../../memory/testing/a-pool.ts'
import type { PartitionState } from '../../metadata/metadata-store.ts'
import { ScriptedLog } from '../../metadata/testing/scripted-log.ts'
import type { ObjectStore } from '../../objects/object-store.ts'
import { GatedObjects } from '../../objects/testing/gated-objects.ts'
import { ManualClock, steadyRandom } from '../../time/testing/manual-clock.ts'
import { Catalog } from '../../view/catalog.ts'
import { Tails } from '../../view/tails.ts'
import { type Admission, type FlushPolicy, Writer } from '../writer.ts'

export const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'

export interface Sealed {
  readonly atMs: number
  readonly sequence: number
  readonly trigger: string
  readonly batches: number
  readonly partitions: number
}

/** Its store lets each PUT wait for the test, unless `storeOn` makes another one. */
export function aWriter(
  policy: FlushPolicy,
  storeOn?: (clock: ManualClock) => ObjectStore,
): {
  readonly writer: Writer
  readonly clock: ManualClock
  readonly objects: GatedObjects
  readonly memory: SlabPool
  readonly log: ScriptedLog
  readonly tails: Tails
  readonly seals: readonly Sealed[]
  readonly stores: { failure: string | undefined }
  readonly fenced: () => number
  readonly breaks: () => number
  readonly defects: () => number
} {
  const objects = new GatedObjects()
  const memory = aPool()
  const log = new ScriptedLog()
  const clock = new ManualClock()
  const tails = new Tails(async (asked) => asked.map((partition): PartitionState => ({ ...emptyPartition, ...partition })), defaultLimits)
  const seals: Sealed[] = []
  let fences = 0
  let breaks = 0
  let defects = 0
  const stores: { failure: string | undefined } = { failure: undefined }
  const writer = new Writer({
    clusterId: '00000000-0000-4000-8000-000000000001',
    incarnation: { id: 1, nonce: '0123456789abcdef' },
    objects: storeOn?.(clock) ?? objects,
    memory,
    log,
    clock,
    random: steadyRandom(),
    emit: (event) => {
      if (event.kind === 'sealed') seals.push({ ...event, atMs: clock.monotonic() })
      if (event.kind === 'defect') defects += 1
    },
    tails,
    catalog: new Catalog(),
    crc32c,
    policy,
    stores,
    producerIdExpirationMs: () => 1_000,
    // Small slabs, which are used again soon.
    limits: { ...defaultLimits, batchSlabBytes: 4_096 },
    onFenced: () => void (fences += 1),
    onBroken: () => void (breaks += 1),
  })
  return { writer, clock, objects, memory, log, tails, seals, stores, fenced: () => fences, breaks: () => breaks, defects: () => defects }
}

const emptyPartition = {
  logId: 1,
  logStartOffset: 0,
  highWatermark: 0,
  lastStableOffset: 0,
  lastAbortOffset: -1,
  maxTimestamp: -1,
  owner: 1,
  epoch: 3,
}

export function aRecord(valueBytes: number): Admission {
  const records = [{ offsetDelta: 0, timestamp: 5, key: null, value: new Uint8Array(valueBytes), headers: [] }]
  return { topicId, partition: 0, epoch: 3, batch: buildBatch({ baseTimestamp: 5, records }, crc32c) }
}
