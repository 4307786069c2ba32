// DeleteRecords moves the starts of logs forward: from its answer on, no client finds the records before them.
// - Versions: 0–2.
// - KIPs: 107.
// - Offset -1 stands for the high watermark. An offset before the start of the log changes nothing.
// - Any agent takes it: what other agents own is forwarded to them.
// - The time-out is not used: there are no replicas to wait for.
import { DeleteRecords, errors, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { RecordDeletionAsk } from '../operations/record-deletion.ts'
import type { Services } from '../services.ts'
import { topicsByName } from './access.ts'
import { deletedByOwners } from './delete-records-forwarding.ts'
import { handler } from './handler.ts'

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'recordDeletion' | 'catalog' | 'owners' | 'membership' | 'forwarder' | 'ioClock'>

/** Kafka's value for no low watermark. */
const noLowWatermark = -1

export const deleteRecords = handler({
  api: DeleteRecords,
  access: { operation: 'DELETE', resource: 'topic' },
  async handle({ topics }, context, services: Uses) {
    // As in Kafka, each partition has one answer, and the last offset that the request has for it counts.
    const asked = new Map<string, Map<number, number>>()
    for (const { name, partitions } of topics) {
      const offsets = asked.get(name) ?? new Map<number, number>()
      asked.set(name, offsets)
      for (const { partitionIndex, offset } of partitions) offsets.set(partitionIndex, offset)
    }
    const found = await topicsByName([...asked.keys()], { operation: 'DELETE', context, services })
    const asks: RecordDeletionAsk[] = []
    for (const [name, offsets] of asked) {
      const topic = must(found.get(name), 'each topic that the request names')
      if (topic.kind === 'error') continue
      for (const [partition, offset] of offsets)
        asks.push({ topic: topic.value, partition, beforeOffset: offset === -1 ? 'high watermark' : offset })
    }
    const outcomes = await deletedByOwners(asks, { context, services })
    let at = 0
    const answered = Array.from(asked, ([name, offsets]) => {
      const topic = must(found.get(name), 'each topic that the request names')
      return {
        name,
        partitions: Array.from(offsets.keys(), (partitionIndex) => {
          const outcome = topic.kind === 'error' ? topic : must(outcomes[at++], 'the outcome of each partition')
          // Another agent deleted the topic: the next request looks it up in the database.
          if (topic.kind === 'ok' && outcome.kind === 'error' && outcome.code === errors.UNKNOWN_TOPIC_OR_PARTITION.code)
            services.catalog.forget(topic.value.topicId)
          return { partitionIndex, ...resultOf(outcome) }
        }),
      }
    })
    return { kind: 'now', response: { throttleTimeMs: 0, topics: answered } }
  },
  reject: ({ topics }, { code }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: noLowWatermark, errorCode: code })),
    })),
  }),
})

function resultOf(outcome: Outcome<number>): { readonly lowWatermark: number; readonly errorCode: number } {
  return outcome.kind === 'ok' ? { lowWatermark: outcome.value, errorCode: 0 } : { lowWatermark: noLowWatermark, errorCode: outcome.code }
}
