// One request of every API that an agent with the topic `t` answers without an error.
import {
  type Api,
  ApiVersions,
  CreatePartitions,
  CreateTopics,
  DeleteTopics,
  DescribeCluster,
  DescribeConfigs,
  DescribeTopicPartitions,
  Fetch,
  InitProducerId,
  ListOffsets,
  Metadata,
  OffsetForLeaderEpoch,
  Produce,
} from '@local-kafka-service/protocol'
import { aBatch } from './an-agent.ts'

/** DeleteTopics names `gone-<version>`, CreatePartitions `grown-<version>`: they must be there. */
export function sampleOf(api: Api, version: number, topicId: string): object {
  const sample = samples.get(api)
  if (sample === undefined) throw new Error(`no sample request for ${api.name}`)
  return sample({ version, topicId })
}

type Sample = (of: { readonly version: number; readonly topicId: string }) => object

export const samples: ReadonlyMap<Api, Sample> = new Map<Api, Sample>([
  [
    Produce,
    ({ version, topicId }) => ({
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ ...(version >= 13 ? { topicId } : { name: 't' }), partitionData: [{ index: 0, records: aBatch(['v']) }] }],
    }),
  ],
  [
    Fetch,
    ({ version, topicId }) => ({
      maxWaitMs: 0,
      minBytes: 0,
      topics: [
        { ...(version >= 13 ? { topicId } : { topic: 't' }), partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] },
      ],
    }),
  ],
  [ListOffsets, () => ({ replicaId: -1, topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] })],
  [Metadata, () => ({ topics: [{ name: 't' }] })],
  [ApiVersions, ({ version }) => (version >= 3 ? { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' } : {})],
  [
    CreateTopics,
    ({ version }) => ({
      topics: [{ name: `new-${version}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    }),
  ],
  [
    DeleteTopics,
    ({ version }) => ({
      ...(version >= 6 ? { topics: [{ name: `gone-${version}` }] } : { topicNames: [`gone-${version}`] }),
      timeoutMs: 1000,
    }),
  ],
  [InitProducerId, () => ({ transactionalId: null, transactionTimeoutMs: 0 })],
  [OffsetForLeaderEpoch, () => ({ topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: 1 }] }] })],
  [DescribeConfigs, () => ({ resources: [{ resourceType: 2, resourceName: 't', configurationKeys: null }] })],
  [
    CreatePartitions,
    ({ version }) => ({
      topics: [{ name: `grown-${version}`, count: 2, assignments: null }],
      timeoutMs: 1000,
      validateOnly: false,
    }),
  ],
  [DescribeCluster, () => ({ includeClusterAuthorizedOperations: true })],
  [DescribeTopicPartitions, () => ({ topics: [{ name: 't' }] })],
])
