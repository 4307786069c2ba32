// The Idempotency-Keys of a flush, claimed inside its transaction: when two agents commit the same key, one waits and then sees the other's offset.
import type { TopicId } from '../core/ids.ts'
import type { CommitBatch, Verdict } from './metadata-store.ts'
import { type BodyPart, type Call, read } from './sql.ts'
import { statementPerRow } from './statement.ts'

interface StoredKey {
  readonly key: string
  readonly bodyHash: string
  readonly partition: number
  /** Null: this transaction claimed the key and has not stored an offset yet. */
  readonly baseOffset: number | null
  readonly timestamp: number
}

/** Claims the keys of the batches, in the order of the keys. Call it after the partitions are locked, only with batches that no other check rejects. */
export function* claimKeys(batches: readonly CommitBatch[]): BodyPart<ClaimedKeys> {
  const claims = new Map<string, KeyClaim>()
  for (const { topicId, partition, idempotency } of batches)
    if (idempotency !== undefined && !claims.has(idempotency.key)) claims.set(idempotency.key, { ...idempotency, topicId, partition })
  if (claims.size === 0) return new ClaimedKeys([])
  const keys = [...claims.values()]
  const [, stored] = yield* read(claim(keys), readKeys(keys))
  return new ClaimedKeys(stored)
}

export class ClaimedKeys {
  readonly #stored: ReadonlyMap<string, StoredKey>
  readonly #placed = new Map<string, number>()

  constructor(stored: readonly StoredKey[]) {
    this.#stored = new Map(stored.map((row) => [row.key, row]))
  }

  /** The verdict of a batch whose key was used by an earlier flush or by an earlier batch of this flush. */
  earlier({ idempotency }: CommitBatch): Verdict | undefined {
    const stored = idempotency && this.#stored.get(idempotency.key)
    if (stored === undefined) return undefined
    const baseOffset = stored.baseOffset ?? this.#placed.get(stored.key)
    if (baseOffset === undefined) return undefined
    if (stored.bodyHash !== idempotency?.bodyHash) return { kind: 'rejected', reason: 'IDEMPOTENCY_KEY_REUSED' }
    return { kind: 'duplicate', baseOffset, timestamp: stored.timestamp, partition: stored.partition }
  }

  place({ idempotency }: CommitBatch, baseOffset: number): void {
    if (idempotency !== undefined) this.#placed.set(idempotency.key, baseOffset)
  }

  /** Stores the offsets. A claim is released if its batch was rejected after all. */
  writes(): readonly Call[] {
    const unplaced = [...this.#stored.values()].filter(({ key, baseOffset }) => baseOffset === null && !this.#placed.has(key))
    return [placeKeys([...this.#placed].map(([key, baseOffset]) => ({ key, baseOffset }))), releaseKeys(unplaced)]
  }
}

interface KeyClaim {
  readonly key: string
  readonly bodyHash: string
  readonly topicId: TopicId
  readonly partition: number
  readonly timestamp: number
}

const claimColumns = 'cluster, key, body_hash, topic_id, partition, base_offset, timestamp, created_at_ms'
const claim = statementPerRow<KeyClaim>(
  'claim idempotency keys',
  { key: 'text', bodyHash: 'text', topicId: 'text', partition: 'int', timestamp: 'bigint' },
  {
    // The keys are claimed in the order of the list, so that two transactions never deadlock. SQLite's transactions are serial.
    postgres: `INSERT INTO idempotency_keys (${claimColumns})
      SELECT $cluster::int, $key, $bodyHash, $topicId, $partition, NULL, $timestamp, now_ms() FROM $rows ORDER BY $key COLLATE "C"
      ON CONFLICT (cluster, key) DO NOTHING`,
    sqlite: `INSERT INTO idempotency_keys (${claimColumns}) VALUES ($cluster, $key, $bodyHash, $topicId, $partition, NULL, $timestamp, now_ms())
      ON CONFLICT (cluster, key) DO NOTHING`,
  },
)

const readKeys = statementPerRow<{ readonly key: string }, StoredKey>(
  'read idempotency keys',
  { key: 'text' },
  `SELECT key, body_hash AS "bodyHash", partition, base_offset AS "baseOffset", timestamp FROM idempotency_keys
    WHERE cluster = $cluster AND key = $key`,
)

const placeKeys = statementPerRow<{ readonly key: string; readonly baseOffset: number }>(
  'place idempotency keys',
  { key: 'text', baseOffset: 'bigint' },
  'UPDATE idempotency_keys SET base_offset = $baseOffset WHERE cluster = $cluster AND key = $key',
)

const releaseKeys = statementPerRow<{ readonly key: string }>(
  'release idempotency keys',
  { key: 'text' },
  'DELETE FROM idempotency_keys WHERE cluster = $cluster AND key = $key',
)
