// Watches this agent's stores: the reason why it cannot write to them, for the log, for health, and for answers that need not wait.
import type { Clock } from '../time/clock.ts'
import type { EventHook } from './events.ts'

export type StoringService = 'objects' | 'metadata'

/** A failure that does not pass by itself, and that a person can fix. */
export type StoreFailure =
  /** No space, or a quota is reached. */
  | 'full'
  /** A read-only file system, or a permission that was revoked. */
  | 'not writable'
  | 'too many open files'

export class StoreWatch {
  readonly #emit: EventHook
  readonly #clock: Clock
  readonly #failures = new Map<StoringService, { readonly words: string; readonly sinceMs: number }>()
  readonly #listeners = new Set<(words: string) => void>()

  constructor({ emit, clock }: { readonly emit: EventHook; readonly clock: Clock }) {
    this.#emit = emit
    this.#clock = clock
  }

  /** The failure and the advice. Undefined: this watch knows no failure. */
  get failure(): string | undefined {
    const [first] = this.#failures.values()
    return first?.words
  }

  /** Reports that a write failed for this reason. `place` names the store for people. Emits one event for each new failure. */
  failed(service: StoringService, { failure, place }: { readonly failure: StoreFailure; readonly place: string }): void {
    const words = wordsOf[failure](place)
    const known = this.#failures.get(service)
    if (known?.words !== words) {
      const reported = [...this.#failures.values()].some((other) => other.words === words)
      this.#failures.set(service, { words, sinceMs: known?.sinceMs ?? this.#clock.monotonic() })
      if (!reported) this.#emit({ kind: 'store failed', message: words })
    }
    for (const listener of this.#listeners) listener(words)
  }

  /** Reports that a write succeeded. Emits one event when it ends the last failure. */
  succeeded(service: StoringService): void {
    const known = this.#failures.get(service)
    if (known === undefined) return
    this.#failures.delete(service)
    if (this.#failures.size === 0) this.#emit({ kind: 'store recovered', durationMs: this.#clock.monotonic() - known.sinceMs })
  }

  /** Calls the listener for each write that fails, until the returned function is called. */
  onFailure(listener: (words: string) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

const nothingLost = 'nothing that was acknowledged is lost'

const wordsOf: Readonly<Record<StoreFailure, (place: string) => string>> = {
  full: (place) => `the disk of ${place} is full: free some space; ${nothingLost}`,
  'not writable': (place) => `${place} cannot be written: make it writable for this user; ${nothingLost}`,
  'too many open files': (place) => `too many open files, so ${place} cannot be written: raise the limit (ulimit -n); ${nothingLost}`,
}
