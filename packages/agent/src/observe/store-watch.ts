// Watches the places where this agent stores things: what keeps it from writing there, for the log, for health, and for answers that need not wait.
import type { Clock } from '../time/clock.ts'
import type { EventHook } from './events.ts'

export type StoringService = 'objects' | 'metadata'

/** What a person can do something about, and what does not pass by itself. */
export type StoreTrouble =
  /** No space, or a quota. */
  | 'full'
  /** A read-only file system, or a permission that was taken away. */
  | 'not writable'
  | 'too many open files'

export class StoreWatch {
  readonly #emit: EventHook
  readonly #clock: Clock
  readonly #troubles = new Map<StoringService, { readonly words: string; readonly sinceMs: number }>()
  readonly #listeners = new Set<(words: string) => void>()

  constructor({ emit, clock }: { readonly emit: EventHook; readonly clock: Clock }) {
    this.#emit = emit
    this.#clock = clock
  }

  /** What is wrong, and what to do about it. Undefined: nothing that this watch knows. */
  get trouble(): string | undefined {
    const [first] = this.#troubles.values()
    return first?.words
  }

  /** A write failed for this reason. `place` is where, for people. One event for each new trouble. */
  failed(service: StoringService, { trouble, place }: { readonly trouble: StoreTrouble; readonly place: string }): void {
    const words = wordsOf[trouble](place)
    const known = this.#troubles.get(service)
    if (known?.words !== words) {
      const told = [...this.#troubles.values()].some((other) => other.words === words)
      this.#troubles.set(service, { words, sinceMs: known?.sinceMs ?? this.#clock.monotonic() })
      if (!told) this.#emit({ kind: 'store failed', message: words })
    }
    for (const listener of this.#listeners) listener(words)
  }

  /** A write succeeded. One event when it ends the last trouble. */
  succeeded(service: StoringService): void {
    const known = this.#troubles.get(service)
    if (known === undefined) return
    this.#troubles.delete(service)
    if (this.#troubles.size === 0) this.#emit({ kind: 'store recovered', durationMs: this.#clock.monotonic() - known.sinceMs })
  }

  /** Calls the listener for each write that fails, until the function that it answers is called. */
  onFailure(listener: (words: string) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

const nothingLost = 'nothing that was acknowledged is lost'

const wordsOf: Readonly<Record<StoreTrouble, (place: string) => string>> = {
  full: (place) => `the disk of ${place} is full: free some space; ${nothingLost}`,
  'not writable': (place) => `${place} cannot be written: make it writable for this user; ${nothingLost}`,
  'too many open files': (place) => `too many open files, so ${place} cannot be written: raise the limit (ulimit -n); ${nothingLost}`,
}
