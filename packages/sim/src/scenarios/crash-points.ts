// A sweep over the points at which a life can end or stop: before and after each put of a flush and each transaction of the write path and of membership.
import type { RunningAgent } from '../running-agent.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'
import { anySetup, startClients } from './loads.ts'

const acts = ['kill', 'pause', 'error'] as const
type CrashAct = (typeof acts)[number]

/** `before`: nothing of it is done when the act comes. `after`: it is done, and its caller does not know yet. */
const moments = ['before', 'after'] as const
const steps = ['put', 'commit', 'register', 'takeSlots', 'giveSlots', 'leave', 'beat'] as const

export interface CrashPoint {
  readonly act: CrashAct
  readonly moment: (typeof moments)[number]
  readonly step: (typeof steps)[number]
}

/** All combinations. A world has one; as many worlds have all. */
export const crashPoints: readonly CrashPoint[] = acts.flatMap((act) =>
  moments.flatMap((moment) => steps.map((step) => ({ act, moment, step }))),
)

export const crashPointSweep: Scenario = {
  name: 'crash points',
  about:
    'One point of the write path or of membership, and one act: each agent that comes there is killed, paused for longer than its lease, or gets an error.',
  partitions: 2,
  agents: () => 2,
  setup: anySetup,
  limits: () => ({ heartbeatMs: 500, slotMoveMs: 100 }),
  async run(world) {
    const { chance, time, seed } = world
    const point = crashPoints[seed % crashPoints.length]
    if (point === undefined) throw new Error('there are crash points')
    world.trace.write('world', `crash point: ${point.act} ${point.moment} ${point.step}`)
    const gives = point.step === 'giveSlots'
    const disturbed = startClients(world, { plain: 1, idempotent: 1, consumers: 1, requests: gives ? 60 : 25, paceMs: [0, 300] })
    const struck = strikeAt(world, point)
    // A drain gives slots away and leaves; a start registers; a silent agent is taken over. So every step is taken.
    for (let round = 0; round < 4; round += 1) {
      await time.sleep(chance.between([500, 4_000]))
      const agent = world.running.length === 0 ? undefined : chance.pick(world.running)
      if (agent === undefined) continue
      if (round % 2 === 0) await orLost(world, world.drain(agent))
      else world.crash(agent)
      await time.sleep(chance.between([0, 9_000]))
      if (!world.running.some(({ name }) => name === agent.name)) await orLost(world, world.start(agent.name))
      // An agent gets slots when the giver has known it for longer than a lease.
      if (gives) await time.sleep(chance.between([6_500, 8_000]))
    }
    struck.stop()
    return disturbed
  },
}

/** A drain or a start of a life that was killed in the middle never ends. */
async function orLost(world: World, work: Promise<unknown>): Promise<void> {
  await Promise.race([work, world.time.sleep(40_000)])
}

const strikesAtMost = 3
/** The others come once or twice in a life. */
const often: ReadonlySet<CrashPoint['step']> = new Set(['put', 'commit', 'beat'])

function strikeAt(world: World, { act, moment, step }: CrashPoint): { stop(): void } {
  const { chance } = world
  let left = strikesAtMost
  /** Whether the act comes now; kills and pauses are done, errors are the caller's. */
  const strikes = (life: string): boolean => {
    if (left === 0 || !chance.happens(often.has(step) ? 0.3 : 1)) return false
    left -= 1
    world.trace.write('world', `${act} ${moment} ${step} of ${life}`)
    const agent = world.running.find((one) => one.life.name === life)
    if (act !== 'error' && agent !== undefined) world.time.after(0, () => strike(world, agent, act))
    return true
  }
  const failsBefore = act === 'error' ? ('rolled back' as const) : ('unknown' as const)
  world.database.decide = (transaction, life) => {
    if (transaction !== step || !strikes(life)) return undefined
    if (moment === 'before') return { kind: failsBefore, afterMs: 5 }
    return { kind: 'unknown', afterMs: 1_000, runsMs: 1 }
  }
  world.bucket.decide = (key) => {
    const life = world.running.find(
      ({ life: { name } }) => world.incarnationOf(name) !== undefined && key.includes(`/${world.incarnationOf(name)}-`),
    )
    if (step !== 'put' || life === undefined || !strikes(life.life.name)) return undefined
    if (moment === 'before') return act === 'error' ? { kind: 'rejected', afterMs: 5 } : { kind: 'unknown', afterMs: 1_000 }
    return { kind: 'unknown', afterMs: 1_000, landsMs: 1 }
  }
  return {
    stop() {
      left = 0
    },
  }
}

function strike(world: World, agent: RunningAgent, act: Exclude<CrashAct, 'error'>): void {
  if (act === 'kill') {
    if (world.running.includes(agent)) world.crash(agent)
    world.time.after(world.chance.between([0, 9_000]), () => {
      if (!world.running.some(({ name }) => name === agent.name))
        world.start(agent.name).catch((error: unknown) => world.checker.violate('it recovers', String(error)))
    })
    return
  }
  world.freeze(agent)
  world.time.after(world.chance.between([500, 12_000]), () => world.thaw(agent))
}
