// Crashes at named points: the agent is killed around the transactions of a job, before one is done, or before its answer arrives.
import type { Chance } from '../chance.ts'
import type { World } from '../world.ts'

export class NamedPoints {
  readonly #world: World
  readonly #chance: Chance
  #left: number

  /** `points`: the names of the transactions. */
  constructor(world: World, points: ReadonlySet<string>) {
    this.#world = world
    this.#chance = world.chance.stream('points')
    this.#left = this.#chance.whole([0, 8])
    world.database.decide = (transaction) => {
      if (this.#left === 0 || !points.has(transaction) || !this.#chance.happens(0.1)) return undefined
      this.#crash(transaction)
      // The swap of the dead agent may come while its successor works on the same log.
      if (transaction !== 'swapSegments' || this.#chance.happens(0.3)) return undefined
      return { kind: 'unknown', afterMs: 1_000, runsMs: this.#chance.between([500, 8_000]) }
    }
  }

  stop(): void {
    this.#left = 0
  }

  #crash(transaction: string): void {
    const world = this.#world
    this.#left -= 1
    world.time.after(this.#chance.between([0, 5]), () => {
      const { current } = world
      if (current === undefined) return
      world.trace.write('world', `a crash at ${transaction}`)
      world.crash(current)
      world.start(current.name).catch((error: unknown) => world.checker.violate('it recovers', String(error)))
    })
  }
}
