// The active faults of one kind, in order: which of them may apply now, and how often each has.
import type { Fault } from './fault-types.ts'

/** One fault: its condition and its effect. */
export interface Rule<Seen, Effect> {
  readonly words: string
  readonly fits: (seen: Seen) => boolean
  readonly effect: Effect
}

export interface RuleLimits {
  readonly times?: number | undefined
  readonly rate?: number | undefined
  readonly seed?: number | undefined
  /** On the list's clock. */
  readonly untilMs?: number | undefined
}

/** A rule that matches now, and that its random choice selected. */
export interface SelectedRule<Effect> {
  readonly words: string
  readonly effect: Effect
  /** Applies the effect, which counts. */
  apply(): void
}

interface Active<Seen, Effect> {
  readonly rule: Rule<Seen, Effect>
  readonly limits: RuleLimits
  readonly dice: Dice
  readonly fault: Fault
  hits: number
}

export class RuleList<Seen, Effect> {
  readonly #now: () => number
  readonly #active = new Set<Active<Seen, Effect>>()

  /** `now`: milliseconds of a monotonic clock. */
  constructor(now: () => number) {
    this.#now = now
  }

  get faults(): readonly Fault[] {
    this.#forgetOver()
    return Array.from(this.#active, ({ fault }) => fault)
  }

  get empty(): boolean {
    return this.#active.size === 0
  }

  add(rule: Rule<Seen, Effect>, limits: RuleLimits): Fault {
    const remove = (): void => void this.#active.delete(active)
    const active: Active<Seen, Effect> = {
      rule,
      limits,
      dice: new Dice(limits.seed ?? 0),
      fault: {
        words: rule.words,
        get hits() {
          return active.hits
        },
        remove,
        [Symbol.dispose]: remove,
      },
      hits: 0,
    }
    this.#active.add(active)
    return active.fault
  }

  clear(): void {
    this.#active.clear()
  }

  /** Lazily, because the effect of an earlier rule decides whether a later one is evaluated at all. */
  *ready(seen: Seen): Iterable<SelectedRule<Effect>> {
    this.#forgetOver()
    for (const active of Array.from(this.#active)) {
      const { rule, limits, dice } = active
      if (!this.#active.has(active) || !rule.fits(seen)) continue
      if (limits.rate !== undefined && dice.next() >= limits.rate) continue
      yield { words: rule.words, effect: rule.effect, apply: () => this.#apply(active) }
    }
  }

  #apply(active: Active<Seen, Effect>): void {
    active.hits += 1
    const { times } = active.limits
    if (times !== undefined && active.hits >= times) this.#active.delete(active)
  }

  #forgetOver(): void {
    for (const active of this.#active)
      if (active.limits.untilMs !== undefined && this.#now() >= active.limits.untilMs) this.#active.delete(active)
  }
}

/** Uniform in [0, 1), with the same numbers for the same seed: a fault with the rate 0.1 affects the same requests in the next run. Mulberry32. */
class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
