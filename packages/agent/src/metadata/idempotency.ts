// The Idempotency-Keys of a flush: claimed inside its transaction, so that of two agents with the same key one waits and sees the other's place.
import type { CommitBatch, Verdict } from './metadata-store.ts'
import { type Call, type Reading, read, statement } from './sql.ts'

interface StoredKey {
  readonly key: string
  readonly bodyHash: string
  readonly partition: number
  /** Null: claimed by this transaction and not placed yet. */
  readonly baseOffset: number | null
  readonly timestamp: number
}

/** Claims the keys of the batches, in the order of the keys. Call it after the partitions are locked, with batches that nothing else refuses. */
export function* claimKeys(cluster: number, batches: readonly CommitBatch[]): Reading<ClaimedKeys> {
  const byKey = new Map<string, CommitBatch>()
  for (const batch of batches)
    if (batch.idempotency !== undefined && !byKey.has(batch.idempotency.key)) byKey.set(batch.idempotency.key, batch)
  if (byKey.size === 0) return new ClaimedKeys(cluster, [])
  const claimed = [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const keys = claimed.map(([key]) => key)
  const [, stored] = yield* read(
    claim(
      cluster,
      keys,
      claimed.map(([, { idempotency }]) => idempotency?.bodyHash ?? ''),
      claimed.map(([, { topicId }]) => topicId),
      claimed.map(([, { partition }]) => partition),
      claimed.map(([, { idempotency }]) => idempotency?.timestamp ?? -1),
    ),
    readKeys(cluster, keys),
  )
  return new ClaimedKeys(cluster, stored)
}

export class ClaimedKeys {
  readonly #cluster: number
  readonly #stored: ReadonlyMap<string, StoredKey>
  readonly #placed = new Map<string, number>()

  constructor(cluster: number, stored: readonly StoredKey[]) {
    this.#cluster = cluster
    this.#stored = new Map(stored.map((row) => [row.key, row]))
  }

  /** The verdict of a batch whose key was used before, by an earlier flush or an earlier batch of this one. */
  earlier({ idempotency }: CommitBatch): Verdict | undefined {
    const stored = idempotency && this.#stored.get(idempotency.key)
    if (stored === undefined) return undefined
    const baseOffset = stored.baseOffset ?? this.#placed.get(stored.key)
    if (baseOffset === undefined) return undefined
    if (stored.bodyHash !== idempotency?.bodyHash) return { kind: 'refused', reason: 'IDEMPOTENCY_KEY_REUSED' }
    return { kind: 'duplicate', baseOffset, timestamp: stored.timestamp, partition: stored.partition }
  }

  place({ idempotency }: CommitBatch, baseOffset: number): void {
    if (idempotency !== undefined) this.#placed.set(idempotency.key, baseOffset)
  }

  /** Stores the places; a claim whose batch was refused after all is given back. */
  writes(): readonly Call[] {
    const placed = [...this.#placed]
    const unplaced = [...this.#stored.values()].filter(({ key, baseOffset }) => baseOffset === null && !this.#placed.has(key))
    return [
      ...(placed.length === 0
        ? []
        : [
            placeKeys(
              this.#cluster,
              placed.map(([key]) => key),
              placed.map(([, baseOffset]) => baseOffset),
            ),
          ]),
      ...(unplaced.length === 0
        ? []
        : [
            releaseKeys(
              this.#cluster,
              unplaced.map(({ key }) => key),
            ),
          ]),
    ]
  }
}

const claim = statement<
  [cluster: number, keys: string[], bodyHashes: string[], topicIds: string[], partitions: number[], timestamps: number[]]
>('claim idempotency keys', {
  each: true,
  postgres: `INSERT INTO idempotency_keys (cluster, key, body_hash, topic_id, partition, base_offset, timestamp, created_at_ms)
    SELECT $1::int, a.key, a.body_hash, a.topic_id, a.partition, NULL, a.timestamp, now_ms()
    FROM unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[]) WITH ORDINALITY AS a (key, body_hash, topic_id, partition, timestamp, nth)
    ORDER BY a.nth ON CONFLICT (cluster, key) DO NOTHING`,
  sqlite: `INSERT INTO idempotency_keys (cluster, key, body_hash, topic_id, partition, base_offset, timestamp, created_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, NULL, ?6, now_ms()) ON CONFLICT (cluster, key) DO NOTHING`,
})

const readKeys = statement<[cluster: number, keys: string[]], StoredKey>('read idempotency keys', {
  each: true,
  postgres: `SELECT key, body_hash AS "bodyHash", partition, base_offset AS "baseOffset", timestamp FROM idempotency_keys
    WHERE cluster = $1 AND key = ANY ($2::text[])`,
  sqlite: `SELECT key, body_hash AS "bodyHash", partition, base_offset AS "baseOffset", timestamp FROM idempotency_keys
    WHERE cluster = ?1 AND key = ?2`,
})

const placeKeys = statement<[cluster: number, keys: string[], baseOffsets: number[]]>('place idempotency keys', {
  each: true,
  postgres: `UPDATE idempotency_keys AS k SET base_offset = a.base_offset FROM unnest($2::text[], $3::bigint[]) AS a (key, base_offset)
    WHERE k.cluster = $1 AND k.key = a.key`,
  sqlite: 'UPDATE idempotency_keys SET base_offset = ?3 WHERE cluster = ?1 AND key = ?2',
})

const releaseKeys = statement<[cluster: number, keys: string[]]>('release idempotency keys', {
  each: true,
  postgres: 'DELETE FROM idempotency_keys WHERE cluster = $1 AND key = ANY ($2::text[])',
  sqlite: 'DELETE FROM idempotency_keys WHERE cluster = ?1 AND key = ?2',
})
