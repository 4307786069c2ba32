// Lets one large save at a time reach the database, and writes its entries in slices: what waits behind groups with large members waits for one of them, not for all.
import type { SavedChange } from '../core/group/classic-state.ts'
import { fixedLimits } from '../limits.ts'
import type { SaveGroup } from '../metadata/metadata-store.ts'
import { Slots } from '../time/slots.ts'
import type { Turns } from '../time/turns.ts'
import { entryOf } from './journal.ts'
import { rowBytes } from './member-memory.ts'

type Entries = SaveGroup['entries']

/** Shared by the groups of an agent. */
export class GroupSaves {
  readonly #turns: Turns
  readonly #large = new Slots(1)
  readonly #never = new AbortController().signal

  constructor(turns: Turns) {
    this.#turns = turns
  }

  /** Calls `save` with the journal's entries of the changes, at once if they are small, and settles as it does. */
  run<T>(changes: readonly SavedChange[], save: (entries: Entries) => Promise<T>): Promise<T> {
    const bytes = changes.reduce((sum, change) => sum + rowBytes(change), 0)
    if (bytes < fixedLimits.largeSaveBytes) return save(changes.map(entryOf))
    return this.#large.run(async () => save(await this.#entries(changes)), this.#never)
  }

  async #entries(changes: readonly SavedChange[]): Promise<Entries> {
    const slice = this.#turns.slice()
    const entries: Entries[number][] = []
    for (const change of changes) {
      entries.push(entryOf(change))
      if (slice.spent(1 + rowBytes(change) / fixedLimits.journalBytesPerUnit)) await slice.next()
    }
    return entries
  }
}
