// Checks of all objects on request, one at a time, with progress. `lks doctor storage` begins one and follows it.
import { must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import type { DamageStore } from '../metadata/damage-store.ts'
import { errorText } from '../native-error.ts'
import { onAbort } from '../time/abort.ts'
import type { Clock } from '../time/clock.ts'
import { type StorageWalkParts, walkStorage } from './storage-walk.ts'

export interface StorageCheck {
  /** `failed`: a store did not answer. `stopped`: by a client, or because the agent stops. */
  readonly state: 'running' | 'complete' | 'failed' | 'stopped'
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number
  readonly endedAtMs: number | undefined
  /** The totals are those of the start: objects that are committed later may be checked, too. */
  readonly objects: { readonly checked: number; readonly total: number }
  readonly bytes: { readonly checked: number; readonly total: number }
  /** The number of damaged objects. */
  readonly damagedObjects: number
  /** Those of them whose damage affects no record that is not skipped. */
  readonly harmlessObjects: number
  /** The reason of a failure. */
  readonly message: string | undefined
}

export interface StorageChecksParts extends Omit<StorageWalkParts, 'store'> {
  readonly store: StorageWalkParts['store'] & Pick<DamageStore, 'totals' | 'saveScrub'>
  /** Dates the check. */
  readonly wallClock: Pick<Clock, 'now'>
}

export class StorageChecks {
  readonly #parts: StorageChecksParts
  #latest: RunningCheck | undefined
  #abort = new AbortController()
  #wake: () => void = () => {}

  constructor(parts: StorageChecksParts) {
    this.#parts = parts
  }

  /** The check that runs, otherwise the last one; undefined: there was none since the start of the agent. */
  get latest(): StorageCheck | undefined {
    return this.#latest
  }

  /** Begins a check, unless one runs. Returns the one that runs then. */
  begin(): StorageCheck {
    if (this.#latest?.state !== 'running') {
      this.#abort = new AbortController()
      this.#latest = {
        state: 'running',
        startedAtMs: this.#parts.wallClock.now(),
        endedAtMs: undefined,
        objects: { checked: 0, total: 0 },
        bytes: { checked: 0, total: 0 },
        damagedObjects: 0,
        harmlessObjects: 0,
        message: undefined,
      }
      this.#wake()
    }
    return must(this.#latest, 'the check that runs')
  }

  stop(): void {
    this.#abort.abort()
  }

  /** Runs the checks that are begun, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const release = onAbort(signal, () => {
      this.#abort.abort()
      this.#wake()
    })
    try {
      while (!signal.aborted) {
        if (this.#latest?.state === 'running') await this.#check(this.#latest, this.#abort.signal)
        else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      release()
    }
  }

  async #check(check: RunningCheck, signal: AbortSignal): Promise<void> {
    const { store, wallClock } = this.#parts
    try {
      const totals = await store.totals()
      check.objects.total = totals.objects
      check.bytes.total = totals.bytes
      const damaged: { readonly incarnation: number; readonly sequence: number }[] = []
      const walk = walkStorage(this.#parts, {
        bytesPerSecond: fixedLimits.checkBytesPerSecond,
        signal,
        onObject: ({ sizeBytes }) => {
          check.objects.checked += 1
          check.bytes.checked += sizeBytes
        },
      })
      for await (const step of walk) {
        for (const { object, segments } of step.damaged) {
          check.damagedObjects += 1
          if (segments === 0) check.harmlessObjects += 1
          else if (damaged.length < fixedLimits.damageReports) damaged.push({ incarnation: object.incarnation, sequence: object.sequence })
        }
      }
      // It has read everything, so it counts as a pass of the scrubber.
      await store.saveScrub({ after: undefined, complete: true, begins: true, damaged })
      check.state = 'complete'
    } catch (error) {
      check.state = signal.aborted ? 'stopped' : 'failed'
      if (!signal.aborted) check.message = errorText(error)
    }
    check.endedAtMs = wallClock.now()
  }
}

/** A check whose fields change. */
interface RunningCheck extends StorageCheck {
  state: StorageCheck['state']
  endedAtMs: number | undefined
  readonly objects: { checked: number; total: number }
  readonly bytes: { checked: number; total: number }
  damagedObjects: number
  harmlessObjects: number
  message: string | undefined
}
