// What a list of the object store has found: the orphans with the reason for each, and whether removing them needs a person's word.
import type { IncarnationId } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import type { Standing } from '../metadata/orphan-store.ts'
import type { MissingObjects } from './listed-objects.ts'

/** Objects and their bytes. */
export interface StoredAmount {
  readonly objects: number
  readonly bytes: number
}

export interface Orphan {
  readonly key: string
  readonly sizeBytes: number
  /** Why it may go, in words. */
  readonly why: string
}

export interface SweepReport {
  readonly stored: StoredAmount
  /** Uncommitted for good. */
  readonly orphans: StoredAmount
  /** No commit names them yet. */
  readonly open: StoredAmount
  /** Keys that are not those of objects. They are left alone. */
  readonly foreignKeys: number
  /** Objects that the store does not have, although segments name them. Null: the store has too many objects to compare them. */
  readonly missing: MissingObjects | null
  /** Why the orphans stay until somebody confirms their removal. Null: they do not. */
  readonly halted: string | null
  readonly removed: StoredAmount & { readonly failed: number }
  /** Objects that were committed, and that no segment names any more: the sweep of released objects removes them soon. Only a dry run looks for them. */
  readonly released?: StoredAmount
  /** The first of the orphans, then of the released objects. */
  readonly deletions: readonly Orphan[]
}

/** Memory is bounded: of more orphans than one pass removes, only the number is known. */
export class SweepSurvey {
  readonly orphans: Orphan[] = []
  readonly #stored = { objects: 0, bytes: 0 }
  readonly #orphaned = { objects: 0, bytes: 0 }
  readonly #open = { objects: 0, bytes: 0 }
  readonly #unknown = { objects: 0, bytes: 0 }
  /** Further after the last commit of their incarnation than a crash leaves them. */
  readonly #beyond = { objects: 0, bytes: 0 }
  readonly #orphansOfCrash: number
  readonly #incarnations = new Set<IncarnationId>()
  #foreignKeys = 0
  #missing: MissingObjects | undefined

  constructor({ putsInFlight }: { readonly putsInFlight: number }) {
    this.#orphansOfCrash = Math.max(fixedLimits.orphansAfterLastCommit, 2 * putsInFlight)
  }

  /** Those that have orphans: at most one more than a pass remembers. */
  get incarnations(): readonly IncarnationId[] {
    return [...this.#incarnations]
  }

  foreign(): void {
    this.#foreignKeys += 1
  }

  add(
    {
      key,
      sizeBytes,
      sequence,
      incarnation,
    }: { readonly key: string; readonly sizeBytes: number; readonly sequence: number; readonly incarnation: number },
    standing: Standing,
  ): void {
    count(this.#stored, sizeBytes)
    if (standing.kind !== 'committed' && this.#incarnations.size <= fixedLimits.incarnationsWithOrphans) this.#incarnations.add(incarnation)
    switch (standing.kind) {
      case 'committed':
        return
      case 'open':
        count(this.#open, sizeBytes)
        return
      case 'unknown':
        count(this.#unknown, sizeBytes)
        this.#orphan({ key, sizeBytes, why: `the database does not know incarnation ${incarnation} with this nonce` })
        return
      case 'uncommitted': {
        const { lastSequence } = standing
        if (sequence > lastSequence + this.#orphansOfCrash) count(this.#beyond, sizeBytes)
        const why =
          sequence > lastSequence
            ? `flush ${sequence} was never committed, and its incarnation ${incarnation} has ended after flush ${lastSequence}`
            : `flush ${sequence} was given up: its incarnation ${incarnation} has committed flush ${lastSequence} since`
        this.#orphan({ key, sizeBytes, why })
      }
    }
  }

  /** What a comparison after the list has found. */
  lacks(missing: MissingObjects | undefined): void {
    this.#missing = missing
  }

  /** Undefined: the orphans may go. */
  halt(): string | undefined {
    const older = this.#unknown.objects + this.#beyond.objects
    if (older > 0)
      return `the store has ${older} objects, ${this.#unknown.bytes + this.#beyond.bytes} bytes, of flushes that the database has never seen. It may be older than the store, as after a restore from a backup: then restore a newer one. If it is the right one, confirm their removal: lks sweep --now --confirm`
    const limit = Math.max(fixedLimits.sweepAlwaysBytes, fixedLimits.sweepShareOfBytes * this.#stored.bytes)
    if (this.#orphaned.bytes <= limit) return undefined
    return `it would remove ${this.#orphaned.objects} objects, ${this.#orphaned.bytes} of ${this.#stored.bytes} bytes, more than a tenth. Look at them with lks sweep --dry-run, and confirm their removal with lks sweep --now --confirm`
  }

  report(removed: SweepReport['removed'] = { objects: 0, bytes: 0, failed: 0 }): SweepReport {
    return {
      stored: this.#stored,
      orphans: this.#orphaned,
      open: this.#open,
      foreignKeys: this.#foreignKeys,
      missing: this.#missing ?? null,
      halted: (removed.objects + removed.failed > 0 ? undefined : this.halt()) ?? null,
      removed,
      deletions: this.orphans.slice(0, fixedLimits.sweepReportedDeletions),
    }
  }

  #orphan(orphan: Orphan): void {
    count(this.#orphaned, orphan.sizeBytes)
    if (this.orphans.length < fixedLimits.sweptObjectsPerPass) this.orphans.push(orphan)
  }
}

function count(amount: { objects: number; bytes: number }, sizeBytes: number): void {
  amount.objects += 1
  amount.bytes += sizeBytes
}
