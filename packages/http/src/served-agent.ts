// The part of an agent that HTTP uses: a narrow view, so that routes can only call operations.
import type { Services } from '@local-kafka-service/agent'

export interface ServedAgent {
  readonly clusterId: string
  readonly brokerId: number
  readonly services: Pick<
    Services,
    'clock' | 'ioClock' | 'random' | 'settings' | 'gate' | 'emit' | 'httpAnswers' | 'topics' | 'records' | 'groupOperations'
  > & {
    readonly owners: Pick<Services['owners'], 'members' | 'ofPartition'>
    readonly stores: Pick<Services['stores'], 'trouble'>
  }
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
