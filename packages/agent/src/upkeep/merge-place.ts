// How far a log is merged after a step: what is saved with a swap, or without one.
import { must } from '../core/assert.ts'
import { bytesOf, isMergeable, type LogCandidates, type MergedRun } from '../core/log/merge/merge-plan.ts'
import type { MergedLog, MergedTo, MergeSource, MergeState } from '../metadata/swap-store.ts'

/** The segments without bytes with which a log begins. Markers at its end wait for the next records. */
export function skippedOf(candidates: readonly LogCandidates<MergeState, MergeSource>[]): readonly MergedRun<MergeState, MergeSource>[] {
  return candidates.flatMap(({ log, segments, hasMore }) => {
    const end = segments.findIndex((segment) => isMergeable(segment) || (segment.marker !== undefined && !hasMore))
    const sources = end < 0 ? segments : segments.slice(0, end)
    return sources.length === 0 ? [] : [{ log, sources }]
  })
}

export function endOf(sources: readonly { readonly lastOffset: number }[]): number {
  return must(sources.at(-1), 'the last of some segments').lastOffset + 1
}

export function unmoved({ onceOffset, twiceOffset }: MergeState): MergedTo {
  return { onceOffset, twiceOffset, waitingBytes: 0, waitingSegments: 0 }
}

export function mergedTwice(state: MergeState, sources: readonly MergeSource[]): MergedTo {
  const twiceOffset = endOf(sources)
  if (twiceOffset >= state.onceOffset) return allTwice(state)
  return { ...unmoved(state), twiceOffset, waitingBytes: -bytesOf(sources), waitingSegments: -sources.length }
}

/** Nothing waits any more. */
export function allTwice({ onceOffset, waitingBytes, waitingSegments }: MergeState): MergedTo {
  return { onceOffset, twiceOffset: onceOffset, waitingBytes: 0 - waitingBytes, waitingSegments: 0 - waitingSegments }
}

export function savedFor({ topicId, partition }: MergeState, merged: MergedTo): MergedLog {
  return { topicId, partition, ...merged }
}
