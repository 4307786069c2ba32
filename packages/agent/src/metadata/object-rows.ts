// The release of objects: every transaction that takes a segment from an object notes it on the object's row, for the sweep.
import type { ObjectId } from './recovery-store.ts'
import { statementPerRow } from './statement.ts'

/** Other segments may still name the object. Readers that found a released one have until the end of the readers' grace. */
export const releaseObjects = statementPerRow<ObjectId>(
  'release objects',
  { incarnation: 'bigint', sequence: 'bigint' },
  'UPDATE objects SET released_at_ms = now_ms() WHERE cluster = $cluster AND incarnation = $incarnation AND sequence = $sequence',
)
