// The plans of measured runs: what happens to the agents in turn, when, and around which moments the pauses of clients count.
import { agentNames, type Disturbance, type Disturbances } from './schedule.ts'

export const planNames = ['moves', 'kills', 'pauses', 'cables'] as const
export type PlanName = (typeof planNames)[number]

export interface Plan {
  /** For the report. */
  readonly what: string
  readonly schedule: Disturbances
  readonly seconds: number
  readonly counts: readonly Counted[]
  /** Whether an error that an application sees is a problem: a kill may cost clients with their default settings some. */
  readonly isSilent: boolean
}

/** Which waits of clients count. `given`: those around a change of the owners of slots to which all agents go on. `drained`: those after the beginning of a drain. `disturbed`: those after a kill, a stop or a pulled cable. */
export type Counted = 'given' | 'drained' | 'disturbed'

/** `turns`: three are one of each agent. */
export function planOf(name: PlanName, turns: number): Plan {
  switch (name) {
    case 'moves':
      // It is gone after some 12 s, back after 2 more, gets slots when the others have known it for 7 s, and has its share 1.5 s later.
      return {
        what: 'each agent in turn is restarted with SIGTERM, and gets its slots back',
        ...inTurn('restart an agent', turns, { lasts: 0, each: 30 }),
        counts: ['given', 'drained'],
        isSilent: true,
      }
    case 'kills':
      return {
        what: 'each agent in turn is killed with kill -9, and is away for 15 s',
        ...inTurn('kill an agent', turns, { lasts: 15, each: 45 }),
        counts: ['disturbed'],
        isSilent: false,
      }
    case 'cables':
      return {
        what: 'the cable of each agent in turn is pulled for 30 s',
        ...inTurn('pull a cable', turns, { lasts: 30, each: 60 }),
        counts: ['disturbed'],
        isSilent: false,
      }
    case 'pauses':
      return {
        what: 'each agent in turn is stopped with SIGSTOP for 30 s',
        ...inTurn('pause an agent', turns, { lasts: 30, each: 60 }),
        counts: ['disturbed'],
        isSilent: false,
      }
  }
}

type OfAgent = Extract<Disturbance, { agent: unknown }>['kind'] & (`${string} an agent` | 'pull a cable')

function inTurn(
  kind: OfAgent,
  turns: number,
  { lasts, each }: { readonly lasts: number; readonly each: number },
): Pick<Plan, 'schedule' | 'seconds'> {
  const schedule = Array.from({ length: turns }, (_, turn) => {
    const agent = agentNames[turn % agentNames.length] ?? agentNames[0]
    const atMs = (calmSeconds + turn * each) * 1_000
    return { atMs, untilMs: atMs + lasts * 1_000, what: { kind, agent } }
  })
  return { schedule, seconds: calmSeconds + turns * each }
}

/** Clients start, and the agents share the slots. */
const calmSeconds = 20
