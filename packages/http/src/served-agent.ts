// What HTTP needs of an agent: a narrow view, so that a route cannot reach past the operations.
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
  /** Ready to serve, or why not, in words. */
  health(): Health
  metrics(): readonly Metric[]
}

export interface Health {
  readonly ready: boolean
  readonly reasons: readonly string[]
}

/** One metric with all its samples, as of now. */
export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}
