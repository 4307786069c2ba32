// The transactions of expiry: pages of rows that no client needs any more go, and incarnations that have ended.
import type { IncarnationId } from '../core/ids.ts'
import { lockCluster } from './cluster.ts'
import type { ExpiredPage, ExpirePage, ForgetIncarnations, ProducerPlace } from './expiry-store.ts'
import { fenceIncarnations, lockIncarnations } from './members.ts'
import { type Body, read, unchanged } from './sql.ts'
import { statement, statementPerRow } from './statement.ts'

/** A commit that uses the row meanwhile makes it young: the condition is in the statement that deletes. */
export function* expireProducers({ after, olderThanMs, maxRows }: ExpirePage<ProducerPlace>): Body<ExpiredPage<ProducerPlace>> {
  const from = after ?? { log: -1, producerId: -1 }
  const [rows] = yield* read(readProducerPage({ ...from, maxRows }))
  const old = rows.filter(({ silentMs, isOpen }) => silentMs > olderThanMs && isOpen === 0)
  const end = rows.length < maxRows ? undefined : rows.at(-1)
  return {
    writes: [
      deleteProducers(
        old.map(({ log, producerId }) => ({ log, producerId })),
        { olderThanMs },
      ),
    ],
    value: { removed: old.length, ...(end && { next: { log: end.log, producerId: end.producerId } }) },
  }
}

export function* expireKeys({ after = '', olderThanMs, maxRows }: ExpirePage<string>): Body<ExpiredPage<string>> {
  const [rows] = yield* read(readKeyPage({ after, maxRows }))
  const old = rows.filter(({ ageMs }) => ageMs > olderThanMs)
  const end = rows.length < maxRows ? undefined : rows.at(-1)
  return {
    writes: [
      deleteKeys(
        old.map(({ key }) => ({ key })),
        { olderThanMs },
      ),
    ],
    value: { removed: old.length, ...(end && { next: end.key }) },
  }
}

export function* expireProducerIds({ olderThanMs }: { readonly olderThanMs: number }): Body<{ readonly removed: number }> {
  const [rows] = yield* read(deleteProducerIdBlocks({ olderThanMs }))
  return unchanged({ removed: rows.length })
}

/** Fenced is final, so the rows that were read stay as they are. */
export function* forgetIncarnations({ fencedForMs, kept, maxRows }: ForgetIncarnations): Body<{ readonly removed: number }> {
  const [rows] = yield* read(readEndedIncarnations({ fencedForMs, maxRows: maxRows + kept.length }))
  const keeps = new Set(kept)
  const ended = rows.filter(({ incarnation }) => !keeps.has(incarnation)).slice(0, maxRows)
  return { writes: [deleteResults(ended), deleteIncarnations(ended)], value: { removed: ended.length } }
}

export function* fenceOldJobs({ olderThanMs }: { readonly olderThanMs: number }): Body<{ readonly fenced: number }> {
  const [, jobs] = yield* read(lockCluster(), readOldJobs({ olderThanMs }))
  if (jobs.length === 0) return unchanged({ fenced: 0 })
  yield* read(lockIncarnations(jobs))
  return { writes: [fenceIncarnations(jobs)], value: { fenced: jobs.length } }
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

const readProducerPage = statement<
  ProducerPlace & { readonly maxRows: number },
  ProducerPlace & { readonly silentMs: number; readonly isOpen: number }
>(
  'read producers page',
  `SELECT log, producer_id AS "producerId", now_ms() - last_seen_ms AS "silentMs",
    CASE WHEN transaction_first_offset IS NULL THEN 0 ELSE 1 END AS "isOpen" FROM producers
    WHERE cluster = $cluster AND (log, producer_id) > ($log, $producerId) ORDER BY log, producer_id LIMIT $maxRows`,
)

const deleteProducers = statementPerRow<ProducerPlace, object, { readonly olderThanMs: number }>(
  'delete silent producers',
  { log: 'bigint', producerId: 'bigint' },
  `DELETE FROM producers WHERE cluster = $cluster AND log = $log AND producer_id = $producerId AND last_seen_ms < now_ms() - $olderThanMs::bigint
    AND transaction_first_offset IS NULL`,
)

const readKeyPage = statement<{ readonly after: string; readonly maxRows: number }, { readonly key: string; readonly ageMs: number }>(
  'read idempotency keys page',
  `SELECT key, now_ms() - created_at_ms AS "ageMs" FROM idempotency_keys WHERE cluster = $cluster AND key > $after ORDER BY key LIMIT $maxRows`,
)

/** A key without an offset is being claimed by a commit. */
const deleteKeys = statementPerRow<{ readonly key: string }, object, { readonly olderThanMs: number }>(
  'delete old idempotency keys',
  { key: 'text' },
  `DELETE FROM idempotency_keys
    WHERE cluster = $cluster AND key = $key AND base_offset IS NOT NULL AND created_at_ms < now_ms() - $olderThanMs::bigint`,
)

const deleteProducerIdBlocks = statement<{ readonly olderThanMs: number }, { readonly first: number }>(
  'delete old producer id blocks',
  'DELETE FROM producer_id_blocks WHERE cluster = $cluster AND allocated_at_ms < now_ms() - $olderThanMs RETURNING first',
)

interface IncarnationRow {
  readonly incarnation: IncarnationId
}

/**
 * An incarnation is named by segments, but one with bytes has an object, and the others have an index. Fenced incarnations write no more of them; what moves
 * a marker keeps its name. Those that were fenced by an earlier version have no time: they count from their beginning.
 */
const readEndedIncarnations = statement<{ readonly fencedForMs: number; readonly maxRows: number }, IncarnationRow>(
  'read ended incarnations',
  `SELECT i.incarnation FROM incarnations AS i WHERE i.cluster = $cluster AND i.state = 'fenced'
    AND COALESCE(i.fenced_at_ms, i.created_at_ms) <= now_ms() - $fencedForMs
    AND NOT EXISTS (SELECT 1 FROM objects AS o WHERE o.cluster = i.cluster AND o.incarnation = i.incarnation)
    AND NOT EXISTS (SELECT 1 FROM segments AS s WHERE s.cluster = i.cluster AND s.incarnation = i.incarnation AND s.size_bytes = 0)
    AND NOT EXISTS (SELECT 1 FROM agents AS a WHERE a.cluster = i.cluster AND a.incarnation = i.incarnation)
    AND NOT EXISTS (SELECT 1 FROM slots AS o WHERE o.cluster = i.cluster AND o.owner = i.incarnation)
    AND NOT EXISTS (SELECT 1 FROM skipped_ranges AS k WHERE k.cluster = i.cluster AND k.incarnation = i.incarnation)
    ORDER BY i.incarnation LIMIT $maxRows`,
)

const deleteResults = statementPerRow<IncarnationRow>(
  'delete results of incarnations',
  { incarnation: 'bigint' },
  'DELETE FROM results WHERE cluster = $cluster AND incarnation = $incarnation',
)

const deleteIncarnations = statementPerRow<IncarnationRow>(
  'delete incarnations',
  { incarnation: 'bigint' },
  `DELETE FROM incarnations WHERE cluster = $cluster AND incarnation = $incarnation AND state = 'fenced'`,
)

/** An agent's own incarnation is in its row. */
const readOldJobs = statement<{ readonly olderThanMs: number }, IncarnationRow>(
  'read old jobs',
  `SELECT i.incarnation FROM incarnations AS i WHERE i.cluster = $cluster AND i.state = 'active' AND i.created_at_ms <= now_ms() - $olderThanMs
    AND NOT EXISTS (SELECT 1 FROM agents AS a WHERE a.cluster = i.cluster AND a.incarnation = i.incarnation) ORDER BY i.incarnation`,
)
