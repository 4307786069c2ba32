// Topics that a client creates: CreateTopics with the smallest topic, changed where a test needs it.
import { CreateTopics, type DecodedResponseOf, type RequestInputOf } from '@local-kafka-service/protocol'
import type { AgentForTests } from './an-agent.ts'

export type NewTopic = RequestInputOf<typeof CreateTopics>['topics'][number]

export function aTopic(more: Partial<NewTopic> = {}): NewTopic {
  return { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...more }
}

export async function created(
  kafka: AgentForTests,
  topics: readonly NewTopic[],
  more: { readonly validateOnly?: boolean } = {},
): Promise<DecodedResponseOf<typeof CreateTopics>['topics']> {
  return (await kafka.call(CreateTopics, 7, { topics, ...more })).topics
}
