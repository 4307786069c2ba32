// Which segments a merge puts into one object: pure choices over the next segments of each log.

/** A segment, as the plan sees it. */
export interface MergeableSegment {
  readonly objectKey: string
  readonly lastOffset: number
  /** 0: it is a marker, or its offsets are damaged and were skipped. */
  readonly sizeBytes: number
  /** The time since its object was committed. */
  readonly ageMs: number
  /** Set in a segment that is a marker. */
  readonly marker?: object
  /** Of a marker, which no object has: the segment beside it, with which it is merged. */
  readonly beside?: { readonly objectKey: string; readonly ageMs: number }
}

/** Each marker goes with the segment before it, and those at the beginning with the one after them. Without any such segment they have none. */
export function withMarkers<Source extends MergeableSegment>(segments: readonly Source[]): readonly Source[] {
  let beside = segments.find(({ sizeBytes }) => sizeBytes > 0)
  if (beside === undefined) return segments
  return segments.map((segment) => {
    if (segment.sizeBytes > 0) beside = segment
    if (segment.marker === undefined || beside === undefined) return segment
    const { objectKey, ageMs } = beside
    return { ...segment, beside: { objectKey, ageMs } }
  })
}

/** Whether it has bytes, or gets them by the merge. */
export function isMergeable({ sizeBytes, beside }: MergeableSegment): boolean {
  return sizeBytes > 0 || beside !== undefined
}

/** The next segments of one log, in order. */
export interface LogCandidates<Log, Source extends MergeableSegment> {
  readonly log: Log
  readonly segments: readonly Source[]
  /** The log has more segments after these. */
  readonly hasMore: boolean
}

/** What is merged of one log: consecutive segments. */
export interface MergedRun<Log, Source> {
  readonly log: Log
  readonly sources: readonly Source[]
}

export interface MergeBounds {
  /** Of one merged object. */
  readonly objectBytes: number
  /** The segments that one swap replaces. */
  readonly sources: number
}

export interface FirstMergeRules extends MergeBounds {
  /** Of one merged segment. */
  readonly segmentBytes: number
  /** Younger segments are left alone: readers of the tail have them in memory. */
  readonly quietMs: number
  /** Segments that are so old are merged, however few they are. */
  readonly maxAgeMs: number
}

export interface FirstMerge<Log, Source> {
  readonly runs: readonly MergedRun<Log, Source>[]
  /** The sources fill an object, or one of them is old enough. */
  readonly isDue: boolean
  readonly objectCount: number
}

/**
 * The first merge takes whole objects, the oldest first, as many as fit: what was written together stays together, and each object is read once. A log gives the segments that it
 * has in these objects, up to the first that is in another object or has no bytes. Of the objects that fit, so many are taken that the merged segments are mostly full: with twelve equal
 * logs four or eight MiB of each and not five, which would be two rows.
 */
export function planFirstMerge<Log, Source extends MergeableSegment>(
  candidates: readonly LogCandidates<Log, Source>[],
  rules: FirstMergeRules,
): FirstMerge<Log, Source> {
  const logs = candidates.map(({ log, segments }) => ({ log, segments: runOf(segments, rules.quietMs) }))
  // Of objects after the last known segment of a log, not all segments are known.
  const known = candidates.flatMap(({ segments, hasMore }) => (hasMore ? segments.slice(-1) : []))
  const horizonMs = Math.max(0, ...known.map((segment) => objectOf(segment).ageMs))
  const objects = new Map<string, ObjectToMerge>()
  for (const [log, { segments }] of logs.entries())
    for (const segment of segments) {
      const { objectKey, ageMs } = objectOf(segment)
      const sizeBytes = plannedBytes(segment)
      const object = objects.get(objectKey) ?? { bytes: 0, ageMs, parts: [] }
      object.bytes += sizeBytes
      object.parts.push({ log, sizeBytes })
      objects.set(objectKey, object)
    }
  const oldestFirst = [...objects].filter(([, { ageMs }]) => ageMs >= horizonMs).toSorted(([, a], [, b]) => b.ageMs - a.ageMs)
  const fitting = fittingOf(
    oldestFirst.map(([, object]) => object),
    rules,
  )
  const isFull = oldestFirst.length < objects.size || fitting.count < oldestFirst.length
  const taken = new Set(oldestFirst.slice(0, isFull ? fitting.fullest : fitting.count).map(([key]) => key))
  const isOld = oldestFirst.some(([, { ageMs }]) => ageMs >= rules.maxAgeMs)
  const runs = logs.flatMap(({ log, segments }) => {
    const end = segments.findIndex((segment) => !taken.has(objectOf(segment).objectKey))
    const chosen = end < 0 ? segments : segments.slice(0, end)
    return chosen.length === 0 ? [] : [{ log, sources: chosen }]
  })
  return { runs, isDue: isFull || isOld, objectCount: taken.size }
}

/** When a first merge of these segments that is not due now can be, if nothing is written: when all of them are quiet, which may fill an object, or one of them is old. In milliseconds. */
export function mergeDueInMs(
  segments: readonly MergeableSegment[],
  { quietMs, maxAgeMs }: Pick<FirstMergeRules, 'quietMs' | 'maxAgeMs'>,
): number {
  let [dueInMs, youngestMs] = [Number.POSITIVE_INFINITY, quietMs]
  for (const segment of segments) {
    const { ageMs } = objectOf(segment)
    dueInMs = Math.min(dueInMs, Math.max(0, maxAgeMs - ageMs))
    youngestMs = Math.min(youngestMs, ageMs)
  }
  return youngestMs < quietMs ? Math.min(dueInMs, quietMs - youngestMs) : dueInMs
}

interface ObjectToMerge {
  bytes: number
  readonly ageMs: number
  /** Its segments, each with the position of its log. */
  readonly parts: { readonly log: number; readonly sizeBytes: number }[]
}

/** How many of the objects fit into one, at least the first; and how many of these give the fewest rows for their bytes, at least half of those that fit. */
function fittingOf(
  objects: readonly ObjectToMerge[],
  { objectBytes, sources, segmentBytes }: FirstMergeRules,
): { count: number; fullest: number } {
  const bytesOfLog = new Map<number, number>()
  let [count, bytes, parts, rows] = [0, 0, 0, 1]
  let fullest = { count: 0, rowsPerByte: Number.POSITIVE_INFINITY }
  for (const object of objects) {
    if (count > 0 && (bytes + object.bytes > objectBytes || parts + object.parts.length > sources)) break
    for (const { log, sizeBytes } of object.parts) {
      const before = bytesOfLog.get(log) ?? 0
      bytesOfLog.set(log, before + sizeBytes)
      rows += rowsOf(before + sizeBytes, segmentBytes) - rowsOf(before, segmentBytes)
    }
    count += 1
    bytes += object.bytes
    parts += object.parts.length
    const isHalf = bytes >= objectBytes / 2 || parts >= sources / 2
    if (!isHalf || rows / bytes <= fullest.rowsPerByte) fullest = { count, rowsPerByte: isHalf ? rows / bytes : Number.POSITIVE_INFINITY }
  }
  return { count, fullest: fullest.count }
}

/** The segments of so many bytes in the end. What does not fill one is merged with others, as many as fit into a segment: half of one is better than two thirds. */
function rowsOf(bytes: number, segmentBytes: number): number {
  if (bytes === 0) return 0
  const usedBytes = segmentBytes * usedPart
  if (bytes < usedBytes) return 1 / Math.floor(usedBytes / bytes)
  return bytes <= segmentBytes ? 1 : Math.ceil(bytes / usedBytes)
}

/** Where a segment ends, it has some room for the next batch. */
export const usedPart = 31 / 32

export function bytesOf(segments: readonly Pick<MergeableSegment, 'sizeBytes'>[]): number {
  return segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

/** The object that it is merged with, and how old that is. */
function objectOf(segment: MergeableSegment): { readonly objectKey: string; readonly ageMs: number } {
  return segment.beside ?? segment
}

/** A marker's control batch is small: one byte stands for it. */
function plannedBytes({ sizeBytes }: MergeableSegment): number {
  return Math.max(1, sizeBytes)
}

/** The segments before the first that is too young or cannot be merged. */
export function runOf<Source extends MergeableSegment>(segments: readonly Source[], quietMs: number): readonly Source[] {
  const end = segments.findIndex((segment) => !isMergeable(segment) || objectOf(segment).ageMs < quietMs)
  return end < 0 ? segments : segments.slice(0, end)
}
