// The sweep of orphans: lists the object store and removes, by proof, the objects that no commit has named and none ever will.
import { must } from '../core/assert.ts'
import type { ClusterId, Incarnation, IncarnationId, Sequence } from '../core/ids.ts'
import { parseObjectKey } from '../core/object-key.ts'
import { fixedLimits, type Limits } from '../limits.ts'
import type { ExpiryStore } from '../metadata/expiry-store.ts'
import type { OrphanStore } from '../metadata/orphan-store.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock } from '../time/clock.ts'
import { sleep } from '../time/sleep.ts'
import { Slots } from '../time/slots.ts'
import type { JobReport } from './job-report.ts'
import { ListedObjects, type MissingObjects, type MissingParts } from './listed-objects.ts'
import { makePasses } from './passes.ts'
import { type Orphan, type StoredAmount, type SweepReport, SweepSurvey } from './sweep-survey.ts'

export interface OrphanSweepParts {
  readonly clusterId: ClusterId
  readonly store: OrphanStore
  /** The rows of committed objects. */
  readonly rows: MissingParts['rows']
  /** For incarnations that have ended, and that the store has no objects of. */
  readonly expiry: Pick<ExpiryStore, 'forgetIncarnations' | 'fenceOldJobs'>
  /** The store itself, for lists. */
  readonly listed: Pick<ObjectStore, 'list'>
  /** With the cache of the readers: what is removed is dropped from it, too. */
  readonly objects: Pick<ObjectStore, 'remove'>
  /** Of several agents, one sweeps. Two that do harm nothing. */
  readonly isMine: () => boolean
  readonly clock: Clock
  /** Measures how long removals take, and times the pauses between them. */
  readonly ioClock: Clock
  readonly limits: Pick<Limits, 'putsInFlight'>
  /** `storage.sweep.interval.ms`. 0 or less: only on request. */
  readonly intervalMs: number
  readonly emit: EventHook
  readonly report?: JobReport
}

export interface SweepRequest {
  /** Only reports what it would remove, and why. */
  readonly dryRun: boolean
  /** Also removes what the sweep would halt for. */
  readonly confirmed: boolean
}

interface ListedPage {
  readonly key: string
  readonly sizeBytes: number
  readonly incarnation: Incarnation
  readonly sequence: Sequence
}

/**
 * An object becomes an orphan when its agent crashes or gives its flush up, and also when a PUT arrives after its incarnation was fenced: a later pass finds it. The proof is one read of
 * the database, after the list: the object has no row, and its incarnation was fenced or has committed a later flush. Both are permanent. A pass can end anywhere.
 */
export class OrphanSweep {
  readonly #parts: OrphanSweepParts
  readonly #passes = new Slots(1)
  #halted: string | undefined
  #missing: string | undefined
  #left = { objects: 0, bytes: 0 }
  /** Incarnations that the last pass has seen orphans of. */
  #withOrphans: readonly IncarnationId[] = []

  constructor(parts: OrphanSweepParts) {
    this.#parts = parts
  }

  /** Why the last pass removed nothing, and what to do, if it halted. */
  get halted(): string | undefined {
    return this.#halted
  }

  /** Which objects the last pass has missed in the store, and what to do. Undefined: none. */
  get missing(): string | undefined {
    return this.#missing
  }

  /** The orphans that the last pass left. */
  get left(): StoredAmount {
    return this.#left
  }

  /** Makes a pass some time after the start, and then one each interval, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, isMine, emit, report } = this.#parts
    if (intervalMs <= 0) return
    const firstMs = Math.min(fixedLimits.orphanSweepFirstMs, intervalMs)
    await makePasses(
      { clock, firstMs, everyMs: intervalMs, where: 'the sweep of orphans', emit, ...(report && { report }) },
      async () => {
        if (!isMine()) return
        const { halted } = await this.sweep({ dryRun: false, confirmed: false }, signal)
        if (halted !== null) emit({ kind: 'sweep halted', message: halted })
        if (this.#missing !== undefined) emit({ kind: 'notice', message: this.#missing })
        await this.#forgetEnded(signal)
      },
      signal,
    )
  }

  /** One pass. Rejects as the stores do. */
  sweep(request: SweepRequest, signal: AbortSignal): Promise<SweepReport> {
    return this.#passes.run(() => this.#pass(request, signal), signal)
  }

  async #pass({ dryRun, confirmed }: SweepRequest, signal: AbortSignal): Promise<SweepReport> {
    const survey = await this.#survey(signal)
    this.#missing = missingWords(survey.report().missing)
    this.#withOrphans = survey.incarnations
    if (dryRun) return survey.report()
    this.#halted = confirmed ? undefined : survey.halt()
    this.#left = survey.report().orphans
    if (this.#halted !== undefined) return survey.report()
    const removed = { objects: 0, bytes: 0, failed: 0 }
    const { ioClock } = this.#parts
    let pauseMs: number | undefined
    for (const step of stepsOf(survey.orphans, fixedLimits.sweptKeysPerStep)) {
      if (pauseMs !== undefined) await sleep(ioClock, pauseMs, signal)
      const beganMs = ioClock.monotonic()
      await this.#remove(step, removed, signal)
      pauseMs = fixedLimits.sweepPauses * (ioClock.monotonic() - beganMs)
    }
    this.#left = { objects: this.#left.objects - removed.objects, bytes: this.#left.bytes - removed.bytes }
    if (removed.objects + removed.failed > 0) this.#parts.emit({ kind: 'orphans removed', ...removed })
    return survey.report(removed)
  }

  /** The list was begun before these incarnations are looked at, and a PUT of theirs may have landed since: so they stay for a day after their end. */
  async #forgetEnded(signal: AbortSignal): Promise<void> {
    const { expiry } = this.#parts
    await expiry.fenceOldJobs({ olderThanMs: fixedLimits.endedIncarnationMs })
    const kept = this.#withOrphans
    if (kept.length > fixedLimits.incarnationsWithOrphans) return
    const maxRows: number = fixedLimits.expiryRowsPerStep
    for (let removed = maxRows; removed === maxRows; ) {
      signal.throwIfAborted()
      removed = (await expiry.forgetIncarnations({ fencedForMs: fixedLimits.endedIncarnationMs, kept, maxRows })).removed
    }
  }

  async #remove(
    orphans: readonly Orphan[],
    removed: { objects: number; bytes: number; failed: number },
    signal: AbortSignal,
  ): Promise<void> {
    const results = await this.#parts.objects.remove(
      orphans.map(({ key }) => key),
      signal,
    )
    const failed = new Set(results.filter(({ error }) => error !== undefined).map(({ key }) => key))
    for (const { key, sizeBytes } of orphans) {
      if (failed.has(key)) removed.failed += 1
      else {
        removed.objects += 1
        removed.bytes += sizeBytes
      }
    }
  }

  /** Lists everything, page by page, and reads the standing of each page after it was listed. */
  async #survey(signal: AbortSignal): Promise<SweepSurvey> {
    const { listed, clusterId, limits } = this.#parts
    const survey = new SweepSurvey({ putsInFlight: limits.putsInFlight })
    const found = new ListedObjects()
    let page: ListedPage[] = []
    for await (const { key, sizeBytes } of listed.list(`${clusterId}/`, { signal })) {
      const parsed = parseObjectKey(clusterId, key)
      if (parsed === undefined) {
        survey.foreign()
        continue
      }
      found.add({ incarnation: parsed.incarnation.id, sequence: parsed.sequence })
      page.push({ key, sizeBytes, ...parsed })
      if (page.length < fixedLimits.sweptKeysPerStep) continue
      await this.#judge(page, survey)
      page = []
    }
    if (page.length > 0) await this.#judge(page, survey)
    survey.lacks(await found.missing(this.#parts, signal))
    return survey
  }

  async #judge(page: readonly ListedPage[], survey: SweepSurvey): Promise<void> {
    const standings = await this.#parts.store.standings(page.map(({ incarnation, sequence }) => ({ incarnation, sequence })))
    for (const [index, { key, sizeBytes, sequence, incarnation }] of page.entries())
      survey.add({ key, sizeBytes, sequence, incarnation: incarnation.id }, must(standings[index], 'the standing of an object'))
  }
}

function missingWords(missing: MissingObjects | null): string | undefined {
  if (missing === null || missing.objects === 0) return undefined
  return `the store does not have ${missing.objects} objects that segments name, such as ${missing.keys[0]}: their records cannot be read. lks doctor storage lists the records`
}

function* stepsOf<T>(items: readonly T[], size: number): Iterable<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
