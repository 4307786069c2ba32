// The disturbances of a run: what happens to which part when, and for how long. A seed determines all of it.
import { Chance } from '../../packages/sim/src/chance.ts'

export const agentNames = ['blue', 'green', 'red'] as const
export type AgentName = (typeof agentNames)[number]

/** `several`: each agent has one of its own. */
export type HostsOfRun = 'one' | 'several'

export type Disturbance =
  /** Like `kill -9`. It is started again at the end. */
  | { readonly kind: 'kill an agent'; readonly agent: AgentName }
  /** SIGSTOP, then SIGCONT. After 5 s the others fence it. */
  | { readonly kind: 'pause an agent'; readonly agent: AgentName }
  /** Its packets vanish, as when its machine has lost power: no connection ends. After 5 s the others fence it. Only where each agent has a host of its own. */
  | { readonly kind: 'pull a cable'; readonly agent: AgentName }
  /** SIGTERM, and started again at once. */
  | { readonly kind: 'restart an agent'; readonly agent: AgentName }
  /** All processes of it, like `kill -9`. It is started again at the end. */
  | { readonly kind: 'kill PostgreSQL' }
  /** The connections of clients to an agent end. */
  | { readonly kind: 'cut clients'; readonly agent: AgentName }
  | { readonly kind: 'slow clients'; readonly agent: AgentName; readonly delayMs: number }
  | { readonly kind: 'cut PostgreSQL'; readonly agent: AgentName }
  | { readonly kind: 'slow PostgreSQL'; readonly agent: AgentName; readonly delayMs: number }
  /** No byte passes, and no connection ends. */
  | { readonly kind: 'hold PostgreSQL'; readonly agent: AgentName }
  | { readonly kind: 'slow S3'; readonly delayMs: number }
  /** A share of the requests gets an error or a cut answer, applied or not. */
  | { readonly kind: 'failing S3'; readonly share: number }
  | { readonly kind: 'S3 is away' }

export type Disturbances = readonly Scheduled[]
export interface Scheduled {
  readonly atMs: number
  readonly untilMs: number
  readonly what: Disturbance
}

/** The first seconds are quiet, and some others between disturbances, so that a slow recovery can be seen. */
const calmMs = 3_000
/** Everything is healed so long before the end. */
const healedMs = 2_000

/** Disturbances overlap, but no part is disturbed twice at a time. `hosts`: whether each agent has its own, and a cable. */
export function scheduleOf(seed: number, seconds: number, hosts: HostsOfRun = 'one'): Disturbances {
  const chance = new Chance(`chaos ${seed}`)
  const endMs = seconds * 1_000 - healedMs
  const schedule: Scheduled[] = []
  for (let atMs = calmMs; atMs < endMs; atMs += chance.between([300, 3_000])) {
    if (chance.happens(0.15)) {
      atMs += chance.between([2_000, 6_000])
      continue
    }
    const begunAtMs = atMs
    const busy = new Set(schedule.filter((other) => other.untilMs > begunAtMs).map((other) => partOf(other.what)))
    const possible = disturbancesOf(chance, hosts).filter((what) => !busy.has(partOf(what)))
    if (possible.length === 0) continue
    const what = chance.pick(possible)
    const untilMs = Math.min(endMs, atMs + durationMs(what, chance))
    schedule.push({ atMs: Math.round(atMs), untilMs: Math.round(untilMs), what })
  }
  return schedule
}

export function describeDisturbance(what: Disturbance): string {
  const { kind, ...more } = what
  return [kind, ...Object.values(more).map(String)].join(' ')
}

/** Those that it is drawn from: kills and pauses are the most. */
function disturbancesOf(chance: Chance, hosts: HostsOfRun): readonly Disturbance[] {
  const agent = chance.pick(agentNames)
  const cable = { kind: 'pull a cable', agent } as const
  return [
    ...(hosts === 'several' ? [cable, cable] : []),
    { kind: 'kill an agent', agent },
    { kind: 'kill an agent', agent },
    { kind: 'pause an agent', agent },
    { kind: 'pause an agent', agent },
    { kind: 'restart an agent', agent },
    { kind: 'kill PostgreSQL' },
    { kind: 'cut clients', agent },
    { kind: 'slow clients', agent, delayMs: chance.whole([20, 500]) },
    { kind: 'cut PostgreSQL', agent },
    { kind: 'slow PostgreSQL', agent, delayMs: chance.whole([20, 300]) },
    { kind: 'hold PostgreSQL', agent },
    { kind: 'slow S3', delayMs: chance.whole([50, 2_000]) },
    { kind: 'failing S3', share: chance.pick([0.1, 0.3, 0.6]) },
    { kind: 'S3 is away' },
  ]
}

function durationMs({ kind }: Disturbance, chance: Chance): number {
  switch (kind) {
    case 'cut clients':
    case 'cut PostgreSQL':
    case 'restart an agent':
      return 0
    case 'kill PostgreSQL':
      return chance.between([200, 5_000])
    case 'pause an agent':
    case 'pull a cable':
      return chance.between([200, 12_000])
    case 'kill an agent':
    case 'slow clients':
    case 'slow PostgreSQL':
    case 'hold PostgreSQL':
    case 'slow S3':
    case 'failing S3':
    case 'S3 is away':
      return chance.between([500, 8_000])
  }
}

/** What a disturbance takes for itself. An agent that is killed, paused or cut off is one part. */
function partOf(what: Disturbance): string {
  switch (what.kind) {
    case 'kill an agent':
    case 'pause an agent':
    case 'pull a cable':
    case 'restart an agent':
      return `agent ${what.agent}`
    case 'cut clients':
    case 'slow clients':
      return `clients of ${what.agent}`
    case 'cut PostgreSQL':
    case 'slow PostgreSQL':
    case 'hold PostgreSQL':
      return `database of ${what.agent}`
    case 'kill PostgreSQL':
      return 'PostgreSQL'
    case 'slow S3':
    case 'failing S3':
    case 'S3 is away':
      return 'S3'
  }
}
