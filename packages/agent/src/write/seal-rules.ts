// When an object that is not full is sealed: by its age, the budgets, and what is known about the producers that wait.
import { fixedLimits } from '../limits.ts'
import type { SealTrigger } from '../observe/events.ts'
import { ClosedLoops } from './closed-loops.ts'
import type { OpenObject } from './open-object.ts'
import { RequestWindows } from './request-windows.ts'
import { TokenBucket } from './token-bucket.ts'

/** The rules for when the writer seals a flush. */
export interface FlushPolicy {
  readonly maxBytes: number
  /** With other flushes in flight, an open one waits at least this long for more batches. */
  readonly lingerMs: number
  /** With this many flushes in flight, an open one waits until one of them ends: 1 is group commit. */
  readonly flushesInFlight: number
  /** The budget of PUTs (Infinity if a PUT costs nothing), and how many may follow at once after an idle time. */
  readonly putsPerSecond: number
  readonly burst: number
  /** PUTs per second beyond that budget, while producers wait in closed loops: see closed-loops.ts. Absent: they wait for the budget, too. */
  readonly putsPerSecondMax?: number
  /** Where a PUT costs nothing: an idle writer waits a moment for more of the producers' requests, with a flush of these sizes. Absent: it does not wait. */
  readonly gather?: { readonly fromBytes: number; readonly toBytes: number }
  /** The budget of segment rows, one per partition of a flush: with very many active partitions an open flush waits longer. Absent: no budget. */
  readonly rowsPerSecond?: number
}

export class SealRules {
  readonly #policy: FlushPolicy
  readonly #puts: TokenBucket
  /** The PUTs for producers in closed loops. */
  readonly #loopPuts: TokenBucket | undefined
  /** With a ceiling of PUTs for them: without it nothing would remove producers that have gone. */
  readonly #loops: ClosedLoops | undefined
  readonly #rows: TokenBucket
  readonly #windows: RequestWindows | undefined
  /** The time of the last admission or answer. */
  #movedAtMs = 0

  constructor(policy: FlushPolicy, nowMs: number) {
    const { putsPerSecond, putsPerSecondMax, burst, gather, rowsPerSecond = Number.POSITIVE_INFINITY } = policy
    this.#policy = policy
    // Full objects leave no debt: a lone record after them would wait for it.
    this.#puts = new TokenBucket({ perSecond: putsPerSecond, burst, debt: 0, nowMs })
    // Without a burst: producers that were answered at different times come together.
    if (putsPerSecondMax !== undefined) {
      this.#loopPuts = new TokenBucket({ perSecond: putsPerSecondMax, burst: 1, debt: 0, nowMs })
      this.#loops = new ClosedLoops()
    }
    if (gather !== undefined) this.#windows = new RequestWindows()
    this.#rows = new TokenBucket({ perSecond: rowsPerSecond, burst: rowsPerSecond, debt: rowsPerSecond, nowMs })
  }

  admitted(open: OpenObject, producer: object, nowMs: number): void {
    if (this.#loops === undefined && this.#windows === undefined) return
    open.producers.set(producer, (open.producers.get(producer) ?? 0) + 1)
    this.#loops?.admitted(producer, nowMs)
    this.#windows?.admitted(producer)
    this.#movedAtMs = nowMs
  }

  /** Whatever the trigger: every seal spends from the budgets. */
  sealed(open: OpenObject, nowMs: number): void {
    this.#loops?.sealed(open.producers)
    this.#puts.spend(1, nowMs)
    this.#loopPuts?.spend(1, nowMs)
    this.#rows.spend(open.partitions, nowMs)
  }

  /** The open object will not be stored. Its batches are answered all the same. */
  givenUp(open: OpenObject): void {
    this.#loops?.sealed(open.producers)
  }

  answered(open: OpenObject, nowMs: number): void {
    this.#loops?.answered(open.producers, nowMs)
    this.#windows?.answered(open.producers)
    this.#movedAtMs = nowMs
  }

  /**
   * When the open object may be sealed: at once when idle, otherwise after the linger, when the budgets allow it. Earlier, up to a ceiling, if producers wait in
   * closed loops. It waits for those that were answered a moment ago: they would miss this flush. Where PUTs cost nothing, it waits only while that pays:
   * see `#gatheringMs`.
   */
  due(
    open: OpenObject,
    { idle, nowMs }: { readonly idle: boolean; readonly nowMs: number },
  ): { readonly waitMs: number; readonly trigger: SealTrigger } {
    const { lingerMs } = this.#policy
    const ageMs = nowMs - open.openedAtMs
    const rowsMs = this.#rows.waitMs(open.partitions, nowMs)
    const waitMs = Math.max(idle ? 0 : lingerMs - ageMs, this.#puts.waitMs(1, nowMs), rowsMs)
    const trigger = idle ? 'idle' : 'time'
    if (this.#loopPuts === undefined || this.#loops === undefined)
      return { waitMs: Math.max(waitMs, this.#gatheringMs(open, nowMs)), trigger }
    const { backWithinMs, inFlight, waiting } = this.#loops.state(nowMs)
    if (backWithinMs > 0 && ageMs < lingerMs) return { waitMs: backWithinMs, trigger }
    // While some are in flight, the others wait for them, and all share the next flush; unless this one is large, so that its PUT costs little per byte.
    const early = open.sizeBytes < fixedLimits.largeFlushBytes ? waiting && !inFlight : waiting || inFlight
    if (waitMs <= 0 || !early) return { waitMs, trigger }
    const loopMs = Math.max(this.#loopPuts.waitMs(1, nowMs), rowsMs)
    return loopMs < waitMs ? { waitMs: loopMs, trigger: 'waiting' } : { waitMs, trigger }
  }

  /**
   * How long to wait for more requests of the producers that this flush answers. Most of its cost does not depend on its size, so this pays when they send much.
   * A producer that has as many unanswered requests as usual sends nothing more. Nor does one that has paused: so the wait ends when nothing arrives.
   */
  #gatheringMs(open: OpenObject, nowMs: number): number {
    const { gather } = this.#policy
    if (gather === undefined || open.sizeBytes < gather.fromBytes || open.sizeBytes >= gather.toBytes) return 0
    const { gatherQuietMs, gatherMs } = fixedLimits
    const leftMs = Math.min(this.#movedAtMs + gatherQuietMs, open.openedAtMs + gatherMs) - nowMs
    return leftMs > 0 && this.#windows?.mayGrow(open.producers) === true ? leftMs : 0
  }
}
