// Which segments a merge puts into one object: pure choices over the next segments of each log.

/** A segment, as the plan sees it. */
export interface MergeableSegment {
  readonly objectKey: string
  readonly lastOffset: number
  /** 0: its offsets are damaged and were skipped. */
  readonly sizeBytes: number
  /** The time since its object was committed. */
  readonly ageMs: number
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
 * has in these objects, up to the first that is in another object or has no bytes.
 */
export function planFirstMerge<Log, Source extends MergeableSegment>(
  candidates: readonly LogCandidates<Log, Source>[],
  rules: FirstMergeRules,
): FirstMerge<Log, Source> {
  const logs = candidates.map(({ log, segments }) => ({ log, segments: runOf(segments, rules.quietMs) }))
  // Of objects after the last known segment of a log, not all segments are known.
  const known = candidates.flatMap(({ segments, hasMore }) => (hasMore ? segments.slice(-1) : []))
  const horizonMs = Math.max(0, ...known.map(({ ageMs }) => ageMs))
  const objects = new Map<string, { bytes: number; sources: number; ageMs: number }>()
  for (const { segments } of logs)
    for (const { objectKey, sizeBytes, ageMs } of segments) {
      const object = objects.get(objectKey) ?? { bytes: 0, sources: 0, ageMs }
      objects.set(objectKey, { bytes: object.bytes + sizeBytes, sources: object.sources + 1, ageMs })
    }
  const oldestFirst = [...objects].filter(([, { ageMs }]) => ageMs >= horizonMs).toSorted(([, a], [, b]) => b.ageMs - a.ageMs)
  const taken = new Set<string>()
  let [bytes, sources, isFull] = [0, 0, oldestFirst.length < objects.size]
  for (const [key, object] of oldestFirst) {
    if (taken.size > 0 && (bytes + object.bytes > rules.objectBytes || sources + object.sources > rules.sources)) {
      isFull = true
      break
    }
    taken.add(key)
    bytes += object.bytes
    sources += object.sources
  }
  const isOld = oldestFirst.some(([, { ageMs }]) => ageMs >= rules.maxAgeMs)
  const runs = logs.flatMap(({ log, segments }) => {
    const end = segments.findIndex(({ objectKey }) => !taken.has(objectKey))
    const chosen = end < 0 ? segments : segments.slice(0, end)
    return chosen.length === 0 ? [] : [{ log, sources: chosen }]
  })
  return { runs, isDue: isFull || isOld, objectCount: taken.size }
}

export interface SecondMergeRules extends MergeBounds {
  /** A log with so many bytes has an object of its own. */
  readonly ownObjectBytes: number
}

/** The second merge takes each log by itself, and so gives it long runs. Returns the runs of each object. */
export function planSecondMerge<Log, Source extends MergeableSegment>(
  candidates: readonly LogCandidates<Log, Source>[],
  { objectBytes, sources: maxSources, ownObjectBytes }: SecondMergeRules,
): readonly (readonly MergedRun<Log, Source>[])[] {
  const groups: MergedRun<Log, Source>[][] = []
  let [shared, bytes, count]: [MergedRun<Log, Source>[], number, number] = [[], 0, 0]
  for (const { log, segments } of candidates) {
    const sources = upTo({ objectBytes, sources: maxSources }, runOf(segments, 0))
    if (sources.length === 0) continue
    const size = bytesOf(sources)
    if (size >= ownObjectBytes) {
      groups.push([{ log, sources }])
      continue
    }
    if (shared.length > 0 && (bytes + size > objectBytes || count + sources.length > maxSources)) {
      groups.push(shared)
      ;[shared, bytes, count] = [[], 0, 0]
    }
    shared.push({ log, sources })
    bytes += size
    count += sources.length
  }
  return shared.length === 0 ? groups : [...groups, shared]
}

export function bytesOf(segments: readonly Pick<MergeableSegment, 'sizeBytes'>[]): number {
  return segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

/** The segments before the first that is too young or has no bytes. */
function runOf<Source extends MergeableSegment>(segments: readonly Source[], quietMs: number): readonly Source[] {
  const end = segments.findIndex(({ sizeBytes, ageMs }) => sizeBytes === 0 || ageMs < quietMs)
  return end < 0 ? segments : segments.slice(0, end)
}

/** At least one segment. */
function upTo<Source extends MergeableSegment>({ objectBytes, sources }: MergeBounds, segments: readonly Source[]): readonly Source[] {
  let bytes = 0
  const end = segments.findIndex(({ sizeBytes }, index) => (bytes += sizeBytes) > objectBytes || index >= sources)
  return end < 0 ? segments : segments.slice(0, Math.max(1, end))
}
