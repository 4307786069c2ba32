// The part of an agent that HTTP uses: a narrow view, so that routes can only call operations.
import type { Agent, AgentOperations } from '@local-kafka-service/agent'

export interface ServedAgent
  extends Pick<Agent, 'clusterId' | 'brokerId' | 'shared' | 'members' | 'drain' | 'storeFailure' | 'health' | 'metrics' | 'recent'> {
  readonly operations: Omit<AgentOperations, 'brokerConfigs'>
}
