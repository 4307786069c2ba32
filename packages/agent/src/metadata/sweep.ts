// The transactions of the sweep: pages of released objects, which of them segments name, and the end of their rows.
import type { Nonce } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import type { Cluster } from './cluster.ts'
import { afterAllSegments, beforeAllSegments, ofSegmentRange, readSegmentKey, type SegmentRange } from './recovery.ts'
import type { ObjectId } from './recovery-store.ts'
import { type Body, read, unchanged } from './sql.ts'
import { statement, statementPerRow } from './statement.ts'
import type { NamedInPage, NamedObjects, ReleasedObject } from './sweep-store.ts'

export function* releasedObjects(
  { after = { incarnation: -1, sequence: -1 }, maxObjects }: { readonly after?: ObjectId; readonly maxObjects: number },
  cluster: Cluster,
): Body<readonly ReleasedObject[]> {
  const [rows] = yield* read(readReleased({ ...after, maxObjects }))
  return unchanged(rows.map(({ nonce, ...row }) => ({ ...row, key: objectKey(cluster.id, { id: row.incarnation, nonce }, row.sequence) })))
}

export function* unchangedReleases(objects: readonly ReleasedObject[]): Body<readonly ReleasedObject[]> {
  const [rows] = yield* read(readReleases(objects))
  const same = new Set(rows.map(keyOf))
  return unchanged(objects.filter((object) => same.has(keyOf(object))))
}

/** Segments have no index by object, because every commit would pay for it. */
export function* namedObjects({ objects, after = beforeAllSegments, maxSegments }: NamedInPage): Body<NamedObjects> {
  const [[end]] = yield* read(readSegmentKey({ ...after, places: maxSegments }))
  const to = end ?? afterAllSegments
  const ids = JSON.stringify(objects.map(({ incarnation, sequence }) => [incarnation, sequence]))
  const [named] = yield* read(
    readNamed({ afterLog: after.log, afterOffset: after.lastOffset, toLog: to.log, toOffset: to.lastOffset, objects: ids }),
  )
  return unchanged(end === undefined ? { named } : { named, next: end })
}

export function* forgetReleased(objects: readonly ReleasedObject[]): Body<null> {
  yield* read(deleteReleased(objects.map(({ incarnation, sequence, releasedAtMs }) => ({ incarnation, sequence, releasedAtMs }))))
  return unchanged(null)
}

export function* keepReleased(objects: readonly ReleasedObject[]): Body<null> {
  yield* read(endRelease(objects.map(({ incarnation, sequence, releasedAtMs }) => ({ incarnation, sequence, releasedAtMs }))))
  return unchanged(null)
}

function keyOf({ incarnation, sequence, releasedAtMs }: ReleaseRow): string {
  return `${incarnation}/${sequence}/${releasedAtMs}`
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface ReleaseRow extends ObjectId {
  readonly releasedAtMs: number
}

const readReleased = statement<
  ObjectId & { readonly maxObjects: number },
  ReleaseRow & { readonly nonce: Nonce; readonly sizeBytes: number }
>(
  'read released objects',
  `SELECT o.incarnation, i.nonce, o.sequence, o.size_bytes AS "sizeBytes", o.released_at_ms AS "releasedAtMs"
    FROM objects AS o JOIN incarnations AS i ON i.cluster = o.cluster AND i.incarnation = o.incarnation
    WHERE o.cluster = $cluster AND (o.incarnation, o.sequence) > ($incarnation, $sequence) AND o.released_at_ms IS NOT NULL
    ORDER BY o.incarnation, o.sequence LIMIT $maxObjects`,
)

const release = { incarnation: 'bigint', sequence: 'bigint', releasedAtMs: 'bigint' } as const
const ofRelease = 'WHERE cluster = $cluster AND incarnation = $incarnation AND sequence = $sequence AND released_at_ms = $releasedAtMs'

const readReleases = statementPerRow<ReleaseRow, ReleaseRow>(
  'read releases',
  release,
  `SELECT o.incarnation, o.sequence, o.released_at_ms AS "releasedAtMs" FROM objects AS o
    WHERE o.cluster = $cluster AND o.incarnation = $incarnation AND o.sequence = $sequence AND o.released_at_ms = $releasedAtMs`,
)

const readNamed = statement<SegmentRange & { readonly objects: string }, ObjectId>('read named objects', {
  // The dialects have different functions for JSON.
  postgres: `SELECT DISTINCT incarnation, sequence FROM segments WHERE ${ofSegmentRange('')}
    AND (incarnation, sequence) IN (SELECT (value ->> 0)::bigint, (value ->> 1)::bigint FROM json_array_elements($objects::json))`,
  sqlite: `SELECT DISTINCT incarnation, sequence FROM segments WHERE ${ofSegmentRange('')}
    AND (incarnation, sequence) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each($objects))`,
})

const deleteReleased = statementPerRow<ReleaseRow>('delete released objects', release, `DELETE FROM objects ${ofRelease}`)
const endRelease = statementPerRow<ReleaseRow>('end release', release, `UPDATE objects SET released_at_ms = NULL ${ofRelease}`)
