// Markers as rows: segments of one offset without bytes, with the marker as JSON, and the list of those that abort records.
import type { IncarnationId, LogId } from '../core/ids.ts'
import type { Marker } from '../core/log/marker.ts'
import { statementPerRow } from './statement.ts'

/** The marker of a segment's row, as the property of a Segment; none for a segment with bytes, or one that covers skipped offsets. */
export function markerIn({ marker }: { readonly marker: string | null }): { readonly marker?: Marker } {
  // The cast: `markerText` is the only writer of the column.
  return marker === null ? {} : { marker: JSON.parse(marker) as Marker }
}

export function markerText({ producerId, producerEpoch, outcome, coordinatorEpoch, leaderEpoch }: Marker): string {
  return JSON.stringify({ producerId, producerEpoch, outcome, coordinatorEpoch, leaderEpoch })
}

export interface MarkerRow {
  readonly log: LogId
  /** The agent that ended the transaction. */
  readonly incarnation: IncarnationId
  readonly offset: number
  readonly maxTimestamp: number
  readonly runningMaxTimestamp: number
  readonly marker: string
}

/** The segment of a marker names the agent that wrote it, and no object: sequences begin at 1. */
export const noSequence = 0

export const insertMarkers = statementPerRow<MarkerRow>(
  'insert markers',
  { log: 'bigint', incarnation: 'bigint', offset: 'bigint', maxTimestamp: 'bigint', runningMaxTimestamp: 'bigint', marker: 'text' },
  `INSERT INTO segments
    (cluster, incarnation, sequence, log, last_offset, base_offset, byte_start, size_bytes, max_timestamp, running_max_timestamp, marker)
    VALUES ($cluster, $incarnation, 0, $log, $offset, $offset, 0, 0, $maxTimestamp, $runningMaxTimestamp, $marker)`,
)

export interface AbortedRow {
  readonly log: LogId
  readonly markerOffset: number
  readonly firstOffset: number
  readonly producerId: number
  /** After the marker: no later marker ends a transaction that began before it. */
  readonly lastStableOffset: number
}

export const insertAborted = statementPerRow<AbortedRow>(
  'insert aborted transactions',
  { log: 'bigint', markerOffset: 'bigint', firstOffset: 'bigint', producerId: 'bigint', lastStableOffset: 'bigint' },
  `INSERT INTO aborted_transactions (cluster, log, marker_offset, first_offset, producer_id, last_stable_offset)
    VALUES ($cluster, $log, $markerOffset, $firstOffset, $producerId, $lastStableOffset)`,
)
