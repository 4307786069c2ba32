// The contract of a scenario, and how it is played under one seed until there is a verdict.
import { errorStack, type Limits } from '@local-kafka-service/agent'
import { Chance } from './chance.ts'
import { drain } from './drain.ts'
import type { Violation } from './invariants.ts'
import { narrowLimits } from './narrow-limits.ts'
import type { VolumeSetup } from './volume-disk.ts'
import { type AgentSetup, type CompactionSetup, type MergeSetup, World } from './world.ts'

export interface Scenario {
  readonly name: string
  /** One sentence: what it does to the agent. */
  readonly about: string
  readonly partitions: number
  /** How many agents run at the same time. Default: one. */
  readonly agents?: (chance: Chance) => number
  /** The options of the first life. */
  readonly setup: (chance: Chance) => AgentSetup
  /** Limits of the scenario's own, over those that the world draws. */
  readonly limits?: (chance: Chance) => Partial<Limits>
  /** The retention.ms of the topic, unless it is compacted. Default: records are kept. */
  readonly retentionMs?: (chance: Chance) => number | undefined
  /** Keeps the objects in a directory instead of the bucket. */
  readonly volumes?: (chance: Chance) => VolumeSetup
  /** The topic is compacted. */
  readonly compaction?: (chance: Chance) => CompactionSetup | undefined
  /** Segments are merged all the time. Default: never. */
  readonly merge?: (chance: Chance) => MergeSetup
  /** Sets faults and loads, disturbs the agent, and returns the work that must settle after the world has healed. */
  readonly run: (world: World) => Promise<Disturbed>
}

/** The clients that still work when the disturbance is over. */
export interface Disturbed {
  readonly clients: Promise<unknown>
}

export interface SeedResult {
  readonly scenario: string
  readonly seed: number
  readonly violations: readonly Violation[]
  /** A hash of the whole trace: the same seed gives the same hash. */
  readonly digest: string
  readonly virtualMs: number
  readonly commits: number
  readonly acknowledged: number
  readonly appended: number
}

/** The longest life of a world; work that is not done by then never will be. */
const worldMs = 30 * 60_000

export async function play(scenario: Scenario, seed: number, onLine?: (line: string) => void): Promise<SeedResult> {
  const volumes = scenario.volumes?.(new Chance(`seed ${seed}/volumes`))
  const compaction = scenario.compaction?.(new Chance(`seed ${seed}/compaction`))
  const merge = scenario.merge?.(new Chance(`seed ${seed}/merge`))
  const world = new World({
    seed,
    partitions: scenario.partitions,
    agents: scenario.agents?.(new Chance(`seed ${seed}/agents`)) ?? 1,
    ...(volumes && { volumes }),
    ...(compaction && { compaction }),
    ...(merge && { merge }),
    ...(onLine && { onLine }),
  })
  world.setup = scenario.setup(world.chance)
  if (compaction === undefined) world.checker.retentionMs = scenario.retentionMs?.(world.chance.stream('retention'))
  const limits = narrowLimits(world.chance.stream('limits'), (what) => world.trace.write('limits', what))
  world.limits = { ...limits, ...scenario.limits?.(world.chance.stream('own limits')) }
  const { checker, time, trace } = world
  let over = false
  const whole = (async () => {
    await world.open()
    const { clients } = await scenario.run(world)
    await world.finish(clients)
    if (checker.violations.length === 0) await drain(world)
  })()
  whole
    .catch((error: unknown) => checker.violate('no defect', `the scenario failed: ${errorStack(error)}`))
    .finally(() => {
      over = true
    })
  const done = await time.run(() => over || checker.violations.length >= enough, worldMs)
  if (!done && checker.violations.length === 0) checker.violate('it recovers', 'the world came to an end before its scenario')
  // Leave out a stack in the message, because it contains the machine's paths.
  for (const { rule, message } of checker.violations) trace.write('VIOLATION', `${rule}: ${message.split('\n')[0]}`)
  const verdict: SeedResult = {
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
  return verdict
}

/** After this many violations of one world, further ones add nothing. */
const enough = 20
