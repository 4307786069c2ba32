// The read of the sweep of orphans: what the database knows of stored objects.
import type { Sequence } from '../core/ids.ts'
import type { ObjectInStore, Standing } from './orphan-store.ts'
import { type Body, read, unchanged } from './sql.ts'
import { statementPerRow } from './statement.ts'

/** One statement reads the rows of an object and of its incarnation together. Otherwise a commit between the two could make the object look uncommitted. */
export function* objectStandings(objects: readonly ObjectInStore[]): Body<readonly Standing[]> {
  const [rows] = yield* read(
    readStandings(objects.map(({ incarnation: { id, nonce }, sequence }) => ({ incarnation: id, nonce, sequence }))),
  )
  const known = new Map(rows.map((row) => [placeOf(row), row]))
  return unchanged(
    objects.map(({ incarnation: { id }, sequence }): Standing => {
      const row = known.get(placeOf({ incarnation: id, sequence }))
      if (row === undefined) return { kind: 'unknown' }
      if (row.committed === 1) return { kind: 'committed' }
      const { state, lastSequence } = row
      return state === 'active' && sequence > lastSequence ? { kind: 'open' } : { kind: 'uncommitted', lastSequence }
    }),
  )
}

function placeOf({ incarnation, sequence }: { readonly incarnation: number; readonly sequence: Sequence }): string {
  return `${incarnation}/${sequence}`
}

interface ObjectPlace {
  readonly incarnation: number
  readonly nonce: string
  readonly sequence: Sequence
}

interface StandingRow {
  readonly incarnation: number
  readonly sequence: Sequence
  readonly state: 'active' | 'fenced'
  readonly lastSequence: Sequence
  readonly committed: number
}

const readStandings = statementPerRow<ObjectPlace, StandingRow>(
  'read standings of objects',
  { incarnation: 'bigint', nonce: 'text', sequence: 'bigint' },
  `SELECT i.incarnation, CAST($sequence AS bigint) AS sequence, i.state, i.last_sequence AS "lastSequence",
    CASE WHEN EXISTS (SELECT 1 FROM objects AS o WHERE o.cluster = $cluster AND o.incarnation = $incarnation AND o.sequence = $sequence) THEN 1 ELSE 0 END AS committed
    FROM incarnations AS i WHERE i.cluster = $cluster AND i.incarnation = $incarnation AND i.nonce = $nonce LIMIT 1`,
)
