// Watches this agent's stores: the reason why it cannot write to them, for the log, for health, and for answers that need not wait.
import type { Clock } from '../time/clock.ts'
import type { EventHook } from './events.ts'

export type StoringService = 'objects' | 'metadata'

/** A trouble that does not pass by itself, and that a person can fix. */
export type StoreTrouble =
  /** No space, or a quota is reached. */
  | 'full'
  /** A read-only file system, or a permission that was revoked. */
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

  /** The trouble and the advice. Undefined: this watch knows no trouble. */
  get trouble(): string | undefined {
    const [first] = this.#troubles.values()
    return first?.words
  }

  /** Reports that a write failed for this reason. `place` names the store for people. Emits one event for each new trouble. */
  failed(service: StoringService, { trouble, place }: { readonly trouble: StoreTrouble; readonly place: string }): void {
    const words = wordsOf[trouble](place)
    const known = this.#troubles.get(service)
    if (known?.words !== words) {
      const reported = [...this.#troubles.values()].some((other) => other.words === words)
      this.#troubles.set(service, { words, sinceMs: known?.sinceMs ?? this.#clock.monotonic() })
      if (!reported) this.#emit({ kind: 'store failed', message: words })
    }
    for (const listener of this.#listeners) listener(words)
  }

  /** Reports that a write succeeded. Emits one event when it ends the last trouble. */
  succeeded(service: StoringService): void {
    const known = this.#troubles.get(service)
    if (known === undefined) return
    this.#troubles.delete(service)
    if (this.#troubles.size === 0) this.#emit({ kind: 'store recovered', durationMs: this.#clock.monotonic() - known.sinceMs })
  }

  /** Calls the listener for each write that fails, until the returned function is called. */
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
