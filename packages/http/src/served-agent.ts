// The part of an agent that HTTP uses: a narrow view, so that routes can only call operations.
import type { Agent } from '@local-kafka-service/agent'

export interface ServedAgent extends Pick<Agent, 'clusterId' | 'brokerId' | 'operations' | 'shared' | 'members' | 'storeTrouble'> {
  /** Whether the agent is ready, and the reasons if it is not. */
  health(): Health
  metrics(): readonly Metric[]
}

export interface Health {
  readonly ready: boolean
  readonly reasons: readonly string[]
}

/** One metric with all its current samples. */
export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}
