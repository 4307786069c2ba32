// Generated batches that are damaged before or after their compression, or whose header does not match their records. Their checksums are valid.
import { batchLayout, buildBatch, type CodecName, codecNames, compress, type DecodedRecord } from '@local-kafka-service/protocol'
import fc from 'fast-check'
import { nativeCrc32c, nodeCodecs } from '../../codecs.ts'

/** What a batch says of the records that stand in it. */
export interface BatchClaims {
  readonly codec?: CodecName
  readonly attributes?: number
  /** Default: 3. */
  readonly count?: number
  /** Default: `count - 1`. */
  readonly lastOffsetDelta?: number
  /** Milliseconds since 1970. */
  readonly base: number
  readonly max: number
  readonly baseOffset?: number
}

/** The bytes of the records before compression. */
export function plainRecords(records: readonly DecodedRecord[], baseTimestamp: number): Uint8Array {
  return buildBatch({ baseTimestamp, records }, nativeCrc32c).subarray(batchLayout.records)
}

/** A batch with any bytes in place of its records, and with a valid checksum and length. */
export function batchAround(payload: Uint8Array, { codec = 'none', count = 3, ...more }: BatchClaims): Uint8Array {
  const one = { offsetDelta: 0, timestamp: more.base, key: null, value: null, headers: [] }
  const header = buildBatch({ baseTimestamp: more.base, records: [one] }, nativeCrc32c).subarray(0, batchLayout.records)
  const batch = Buffer.concat([header, payload])
  batch.writeBigInt64BE(BigInt(more.baseOffset ?? 0), 0)
  batch.writeInt32BE(batch.length - batchLayout.leaderEpoch, batchLayout.length)
  batch.writeInt16BE(codecNames.indexOf(codec) | (more.attributes ?? 0), batchLayout.attributes)
  batch.writeInt32BE(more.lastOffsetDelta ?? count - 1, batchLayout.lastOffsetDelta)
  batch.writeBigInt64BE(BigInt(more.max), batchLayout.maxTimestamp)
  batch.writeInt32BE(count, batchLayout.recordCount)
  batch.writeUInt32BE(nativeCrc32c(batch.subarray(batchLayout.attributes)), batchLayout.crc)
  return batch
}

/** Batches of one to eight records at most five seconds before `t0`, in milliseconds since 1970; some of them are not damaged. */
export function damagedBatches(t0: number): fc.Arbitrary<{ readonly codec: CodecName; readonly batch: Uint8Array }> {
  const bytes = fc.option(fc.uint8Array({ maxLength: 40 }))
  const record = fc.record({ ago: fc.integer({ min: 0, max: 5_000 }), key: bytes, value: bytes, name: fc.string({ maxLength: 3 }) })
  const records = fc.array(record, { minLength: 1, maxLength: 8 }).map((given) =>
    given.map(
      ({ ago, key, value, name }, offsetDelta): DecodedRecord => ({
        offsetDelta,
        timestamp: t0 - ago,
        key,
        value,
        headers: [{ key: name, value }],
      }),
    ),
  )
  const place = fc.nat(10_000)
  /** The position, modulo the length of the bytes. */
  const harm = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at: place, bits: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ kind: fc.constant('cut' as const), at: place }),
    fc.record({ kind: fc.constant('more' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }) }),
    fc.constant({ kind: 'none' as const }),
  )
  const field = fc.oneof(
    fc.constant({}),
    fc.record({ count: fc.integer({ min: -1, max: 12 }) }),
    fc.record({ max: fc.integer({ min: -1, max: t0 }) }),
    fc.record({ base: fc.integer({ min: -1, max: t0 }) }),
    fc.record({ lastOffsetDelta: fc.integer({ min: -1, max: 12 }) }),
  )
  return fc
    .record({ codec: fc.constantFrom(...codecNames), records, before: harm, after: harm, claims: field })
    .map(({ codec, records: given, before, after, claims }) => {
      const payload = harmed(compress(codec, harmed(plainRecords(given, t0), before), nodeCodecs), after)
      return { codec, batch: batchAround(payload, { codec, count: given.length, base: t0, max: t0, ...claims }) }
    })
}

type Harm =
  | { readonly kind: 'flip'; readonly at: number; readonly bits: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'more'; readonly bytes: Uint8Array }
  | { readonly kind: 'none' }

function harmed(bytes: Uint8Array, harm: Harm): Uint8Array {
  switch (harm.kind) {
    case 'flip':
      return bytes.map((byte, at) => (at === harm.at % bytes.length ? byte ^ harm.bits : byte))
    case 'cut':
      return bytes.subarray(0, harm.at % bytes.length)
    case 'more':
      return Buffer.concat([bytes, harm.bytes])
    case 'none':
      return bytes
  }
}
