// The sweep: removes stored objects that lost segments and that no segment names any more, by proof and not by age.
import { fixedLimits, type Limits } from '../limits.ts'
import type { ObjectId } from '../metadata/recovery-store.ts'
import type { ReleasedObject, SegmentKey, SweepStore } from '../metadata/sweep-store.ts'
import { errorText } from '../native-error.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock } from '../time/clock.ts'
import { sleep } from '../time/sleep.ts'
import type { JobReport } from './job-report.ts'
import { interrupted } from './passes.ts'
import type { Orphan } from './sweep-survey.ts'

export interface SweepParts {
  readonly store: SweepStore
  /** With the cache of the readers: what is removed is dropped from it, too. */
  readonly objects: Pick<ObjectStore, 'remove'>
  /** Of several agents, one sweeps. Two that do harm nothing. */
  readonly isMine: () => boolean
  /** Its monotonic time measures the readers' grace. A clock that jumps must not shorten it. */
  readonly clock: Clock
  readonly limits: Pick<Limits, 'readersGraceMs'>
  readonly emit: EventHook
  readonly report?: JobReport
}

/**
 * An object goes in three steps. It was released: a swap, retention or a purge took segments from it. The readers' grace passes after the sweep has seen that, so every reader that found
 * one of those segments is done. Then one look at all segments finds none that names it, and its release is still the same after that look: its segments were not touched meanwhile.
 * A pass can end anywhere: the next one finds what is left.
 */
export class Sweep {
  readonly #parts: SweepParts
  /** What the last pass has seen, a grace ago. */
  #seen: readonly ReleasedObject[] = []
  #last: ObjectId | undefined

  constructor(parts: SweepParts) {
    this.#parts = parts
  }

  /** The objects that the last pass has seen, and that the next one removes if no segment names them. */
  get waiting(): { readonly objects: number; readonly bytes: number } {
    return { objects: this.#seen.length, bytes: this.#seen.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
  }

  /** The released objects that no segment names any more, as far as one look shows, at most those of one pass. Changes nothing. Rejects as the database does. */
  async planned(signal: AbortSignal): Promise<readonly Orphan[]> {
    const released = await this.#parts.store.released({ maxObjects: fixedLimits.sweptObjectsPerPass })
    if (released.length === 0) return []
    const named = await this.#namedAmong(released, signal)
    return released.filter((object) => !named.has(idOf(object))).map(({ key, sizeBytes }) => ({ key, sizeBytes, why: unnamed }))
  }

  /** Sweeps until the signal aborts. A store that is away delays it. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, limits, isMine, report } = this.#parts
    for (;;) {
      try {
        report?.nextIn(limits.readersGraceMs)
        await sleep(clock, limits.readersGraceMs, signal)
        report?.began()
        if (isMine()) await this.#pass(signal)
        else this.#seen = []
        report?.ended()
      } catch (error) {
        if (signal.aborted) return
        report?.ended(errorText(error))
        interrupted(error, { where: 'the sweep', emit: this.#parts.emit })
      }
    }
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const { store } = this.#parts
    const seen = this.#seen
    this.#seen = []
    if (seen.length > 0) await this.#sweep(seen, signal)
    const maxObjects = fixedLimits.sweptObjectsPerPass
    const page = await store.released(this.#last === undefined ? { maxObjects } : { after: this.#last, maxObjects })
    // Round and round: objects that could not be removed must not keep the sweep from the others.
    this.#last = page.length < maxObjects ? undefined : page.at(-1)
    this.#seen = page
  }

  async #sweep(seen: readonly ReleasedObject[], signal: AbortSignal): Promise<void> {
    const { store, objects, emit } = this.#parts
    const candidates = await store.unchanged(seen)
    if (candidates.length === 0) return
    const named = await this.#namedAmong(candidates, signal)
    // Whatever was released again during the look is left for a later pass.
    const settled = await store.unchanged(candidates)
    const kept = settled.filter((object) => named.has(idOf(object)))
    const gone = settled.filter((object) => !named.has(idOf(object)))
    await store.keep(kept)
    if (gone.length === 0) return
    const results = await objects.remove(
      gone.map(({ key }) => key),
      signal,
    )
    const failed = new Set(results.filter(({ error }) => error !== undefined).map(({ key }) => key))
    const removed = gone.filter(({ key }) => !failed.has(key))
    await store.forget(removed)
    emit({
      kind: 'objects swept',
      objects: removed.length,
      bytes: removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      failed: failed.size,
    })
  }

  /** Looks at all segments, page by page, with pauses. */
  async #namedAmong(objects: readonly ReleasedObject[], signal: AbortSignal): Promise<ReadonlySet<string>> {
    const { store, clock } = this.#parts
    const named = new Set<string>()
    const maxSegments = fixedLimits.sweptSegmentsPerStep
    for (let after: SegmentKey | undefined, more = true; more; more = after !== undefined) {
      const beganMs = clock.monotonic()
      const page = await store.namedIn({ objects, maxSegments, ...(after && { after }) })
      for (const object of page.named) named.add(idOf(object))
      after = page.next
      if (after !== undefined) await sleep(clock, fixedLimits.sweepPauses * (clock.monotonic() - beganMs), signal)
    }
    return named
  }
}

const unnamed =
  'no segment names it any more: a merge, log compaction, retention or a deletion has taken the last one. It goes when no reader can look for it'

function idOf({ incarnation, sequence }: ObjectId): string {
  return `${incarnation}/${sequence}`
}
