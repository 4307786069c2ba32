// Which logs the second merge takes together: those of a topic, with the same number of full segments of each, so that a reader of the topic reads a whole object at once.
import { bytesOf, type LogCandidates, type MergeableSegment, type MergeBounds, type MergedRun, runOf, usedPart } from './merge-plan.ts'

/** A log and what the first merges have left of it. */
export interface WaitingLog {
  readonly topicId: string
  readonly waitingBytes: number
  readonly waitingSegments: number
}

/** What the second merge may take of a log. */
export interface SecondMergeShare<Log> {
  readonly log: Log
  readonly maxBytes: number
}

export interface SecondMergeDue {
  readonly objectBytes: number
  readonly segmentBytes: number
  /** So many bytes in full segments are enough for an object. */
  readonly bytes: number
  /** A log with so many small segments does not wait until they fill a large one. */
  readonly segments: number
  /** Logs that no client writes to any more do not wait if they have so many bytes together. */
  readonly idleBytes: number
  /** Of the full segments that an object can have, so many are enough. */
  readonly duePart: number
}

/** The logs of each object for which enough waits. Each topic has its own objects, except for logs with many very small segments, which share. */
export function dueSecondMerges<Log extends WaitingLog>(
  waiting: readonly Log[],
  isIdle: (log: Log) => boolean,
  due: SecondMergeDue,
): readonly (readonly SecondMergeShare<Log>[])[] {
  const groups: (readonly SecondMergeShare<Log>[])[] = []
  const rest = new Set(waiting)
  const take = (shares: readonly SecondMergeShare<Log>[]): void => {
    groups.push(shares)
    for (const { log } of shares) rest.delete(log)
  }
  for (const ofTopic of Map.groupBy(waiting, ({ topicId }) => topicId).values()) for (const shares of fullShares(ofTopic, due)) take(shares)
  const small = [...rest].filter(({ waitingSegments }) => waitingSegments >= due.segments)
  if (small.length > 0) take(small.map((log) => ({ log, maxBytes: due.objectBytes })))
  for (const ofTopic of Map.groupBy([...rest].filter(isIdle), ({ topicId }) => topicId).values()) {
    if (ofTopic.reduce((sum, { waitingBytes }) => sum + waitingBytes, 0) >= due.idleBytes)
      take(ofTopic.map((log) => ({ log, maxBytes: due.objectBytes })))
  }
  return groups
}

/** Of the logs of one topic. If an object has no room for a segment of each, they are divided evenly. */
function fullShares<Log extends WaitingLog>(
  ofTopic: readonly Log[],
  { objectBytes, segmentBytes, bytes, duePart }: SecondMergeDue,
): readonly (readonly SecondMergeShare<Log>[])[] {
  const usedBytes = segmentBytes * usedPart
  const full = ofTopic.map((log) => ({ log, segments: Math.floor(log.waitingBytes / usedBytes) })).filter(({ segments }) => segments > 0)
  const objects = Math.ceil((full.length * segmentBytes) / objectBytes)
  const size = Math.ceil(full.length / objects)
  return Array.from({ length: objects }, (_, index) => full.slice(index * size, (index + 1) * size)).flatMap((some) => {
    if (some.length === 0) return []
    const each = Math.max(1, Math.floor(objectBytes / (some.length * segmentBytes)))
    const found = some.reduce((sum, { segments }) => sum + segments, 0)
    if (found < Math.min(bytes / segmentBytes, some.length * each * duePart)) return []
    return [some.map(({ log, segments }) => ({ log, maxBytes: Math.min(each, segments) * usedBytes }))]
  })
}

/** The runs of each object of the second merge: one object, or more if the sources are too many for a swap. At least one segment of each log. */
export function planSecondMerge<Log, Source extends MergeableSegment>(
  candidates: readonly (LogCandidates<Log, Source> & { readonly maxBytes: number })[],
  { objectBytes, sources: maxSources }: MergeBounds,
): readonly (readonly MergedRun<Log, Source>[])[] {
  const objects: MergedRun<Log, Source>[][] = []
  let [bytes, count] = [0, 0]
  for (const { log, segments, maxBytes } of candidates) {
    const sources = upTo({ objectBytes: maxBytes, sources: maxSources }, runOf(segments, 0))
    if (sources.length === 0) continue
    const size = bytesOf(sources)
    const last = objects.at(-1)
    if (last === undefined || bytes + size > objectBytes || count + sources.length > maxSources) {
      objects.push([{ log, sources }])
      ;[bytes, count] = [size, sources.length]
      continue
    }
    last.push({ log, sources })
    bytes += size
    count += sources.length
  }
  return objects
}

/** At least one segment. */
function upTo<Source extends MergeableSegment>({ objectBytes, sources }: MergeBounds, segments: readonly Source[]): readonly Source[] {
  let bytes = 0
  const end = segments.findIndex(({ sizeBytes }, index) => (bytes += sizeBytes) > objectBytes || index >= sources)
  return end < 0 ? segments : segments.slice(0, Math.max(1, end))
}
