// An agent of a world with its life.
import type { Agent } from '@local-kafka-service/agent'
import type { Life } from './life.ts'

/** One life of the agent, from its start to its crash, its drain or its fencing. */
export interface RunningAgent {
  /** The agent's name, which its next life has, too. */
  readonly name: string
  readonly life: Life
  readonly agent: Agent
}
