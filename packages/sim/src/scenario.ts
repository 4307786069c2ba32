// What a scenario is, and how one is played under one seed: from nothing to a verdict.
import type { Chance } from './chance.ts'
import type { Violation } from './invariants.ts'
import { narrowLimits } from './narrow-limits.ts'
import { type AgentSetup, World } from './world.ts'

export interface Scenario {
  readonly name: string
  /** What it does to the agent, in a sentence. */
  readonly about: string
  readonly partitions: number
  /** How the first life is set up. */
  readonly setup: (chance: Chance) => AgentSetup
  /** Sets faults and loads, disturbs, and answers what still has to settle once the world has healed. */
  readonly run: (world: World) => Promise<Disturbed>
}

/** The clients that are still at work when the disturbance is over. */
export interface Disturbed {
  readonly clients: Promise<unknown>
}

export interface Verdict {
  readonly scenario: string
  readonly seed: number
  readonly violations: readonly Violation[]
  /** Of the whole trace: the same seed gives the same. */
  readonly digest: string
  readonly virtualMs: number
  readonly commits: number
  readonly acknowledged: number
  readonly appended: number
}

/** No world lives longer: what is not done by then never will be. */
const worldMs = 30 * 60_000

export async function play(scenario: Scenario, seed: number, onLine?: (line: string) => void): Promise<Verdict> {
  const world = new World({ seed, partitions: scenario.partitions, ...(onLine && { onLine }) })
  world.setup = scenario.setup(world.chance)
  const widen = narrowLimits(world.chance.stream('limits'), (what) => world.trace.write('limits', what))
  const { checker, time, trace } = world
  let over = false
  const whole = (async () => {
    await world.open()
    const { clients } = await scenario.run(world)
    await world.finish(clients)
  })()
  whole
    .catch((error: unknown) =>
      checker.violate('no defect', `the scenario failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    )
    .finally(() => {
      over = true
    })
  const done = await time.run(() => over || checker.violations.length >= enough, worldMs)
  if (!done && checker.violations.length === 0) checker.violate('it recovers', 'the world came to an end before its scenario')
  // Without the stack that a message may carry: it names the machine's paths.
  for (const { rule, message } of checker.violations) trace.write('VIOLATION', `${rule}: ${message.split('\n')[0]}`)
  const verdict: Verdict = {
    scenario: scenario.name,
    seed,
    violations: [...checker.violations],
    digest: trace.digest(),
    virtualMs: time.nowMs,
    commits: checker.commits,
    acknowledged: checker.acknowledged,
    appended: checker.appended,
  }
  await world.close()
  widen()
  return verdict
}

/** After so many violations of one world the rest says nothing new. */
const enough = 20
