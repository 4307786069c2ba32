// The scrubber: reads all objects once an interval, slowly, so that damage is found before a consumer meets it. The database remembers its place.
import { fixedLimits } from '../limits.ts'
import type { DamageStore, ScrubState } from '../metadata/damage-store.ts'
import type { ObjectId } from '../metadata/recovery-store.ts'
import { errorText } from '../native-error.ts'
import type { EventHook } from '../observe/events.ts'
import { sleep } from '../time/sleep.ts'
import type { JobReport } from './job-report.ts'
import { interrupted } from './passes.ts'
import { damagedAmong, pacer, type StorageWalkParts, walkStorage } from './storage-walk.ts'

export interface ScrubberParts extends Omit<StorageWalkParts, 'store'> {
  readonly store: StorageWalkParts['store'] & Pick<DamageStore, 'scrub' | 'saveScrub' | 'objectsAt'>
  /** `storage.scrub.interval.ms`, from the beginning of one pass to that of the next. 0 or less: only the damage that is already known is looked at. */
  readonly intervalMs: number
  /** Of several agents, one scrubs. */
  readonly isMine: () => boolean
  readonly emit: EventHook
  readonly report?: JobReport
}

export class Scrubber {
  readonly #parts: ScrubberParts

  constructor(parts: ScrubberParts) {
    this.#parts = parts
  }

  /** Scrubs until the signal aborts. A store that is away delays it. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    let waitMs: number = fixedLimits.scrubFirstMs
    const { report } = this.#parts
    let hasLooked = false
    for (;;) {
      try {
        await sleep(clock, waitMs, signal)
        if (!hasLooked) await this.#lookAgain(signal)
        hasLooked = true
        if (this.#parts.intervalMs <= 0) return
        const dueMs = await this.#scrubIfDue(signal)
        report?.nextIn(dueMs)
        waitMs = Math.min(dueMs, fixedLimits.scrubCheckMs)
      } catch (error) {
        if (signal.aborted) return
        report?.ended(errorText(error))
        interrupted(error, { where: 'the scrubber', emit: this.#parts.emit })
        waitMs = fixedLimits.scrubRetryMs
      }
    }
  }

  /** Reads the objects again that were damaged before the agent started, so that it reports them without a wait for the next pass. */
  async #lookAgain(signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#parts
    const state = await store.scrub()
    if (state === undefined || state.damaged.length === 0) return
    const pace = pacer(clock, { bytesPerSecond: fixedLimits.scrubBytesPerSecond, signal })
    await damagedAmong(this.#parts, await store.objectsAt(state.damaged), { pace, signal })
  }

  /** Returns the time until the next pass is due. */
  async #scrubIfDue(signal: AbortSignal): Promise<number> {
    const { store, intervalMs, isMine } = this.#parts
    if (!isMine()) return intervalMs
    const state = await store.scrub()
    // A new cluster has nothing old: its first pass is due after an interval.
    if (state === undefined) {
      await store.saveScrub({ after: undefined, complete: true, begins: true, damaged: [] })
      return intervalMs
    }
    const dueMs = intervalMs - state.begunAgoMs
    if (state.complete && dueMs > 0) return dueMs
    await this.#pass(state, signal)
    return 0
  }

  async #pass(state: ScrubState, signal: AbortSignal): Promise<void> {
    const { store, clock, emit, report } = this.#parts
    const beganMs = clock.monotonic()
    report?.began()
    let objects = 0
    let damagedObjects = 0
    let { damaged } = state
    let after = state.complete ? undefined : state.after
    if (state.complete) await store.saveScrub({ after, complete: false, begins: true, damaged })
    const walk = walkStorage(this.#parts, {
      after,
      bytesPerSecond: fixedLimits.scrubBytesPerSecond,
      signal,
      onObject: () => (objects += 1),
    })
    for await (const step of walk) {
      damagedObjects += step.damaged.length
      const from = after
      // What is known about the objects of this step is new; about the later ones the pass before it counts.
      const others = damaged.filter((object) => (from !== undefined && isUpTo(object, from)) || !isUpTo(object, step.after))
      const found = step.damaged
        .filter(({ segments }) => segments > 0)
        .map(({ object: { incarnation, sequence } }) => ({ incarnation, sequence }))
      damaged = [...others, ...found].slice(0, fixedLimits.damageReports)
      after = step.after
      report?.progress(`${objects} objects read`)
      await store.saveScrub({ after, complete: false, begins: false, damaged })
    }
    await store.saveScrub({ after: undefined, complete: true, begins: false, damaged })
    report?.ended()
    emit({ kind: 'storage scrubbed', objects, damagedObjects, durationMs: clock.monotonic() - beganMs })
  }
}

function isUpTo(object: ObjectId, end: ObjectId): boolean {
  return object.incarnation < end.incarnation || (object.incarnation === end.incarnation && object.sequence <= end.sequence)
}
