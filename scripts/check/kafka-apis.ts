// The APIs that a client may ask of Kafka 4.x, and which of them the server does not serve.

/** One API that the server serves. */
export interface Served {
  readonly name: string
  readonly key: number
  readonly versions: string
}

/** By key. */
export function notServed(served: readonly Served[]): readonly KafkaApi[] {
  const keys = new Set(served.map(({ key }) => key))
  return kafkaApis.filter(([key]) => !keys.has(key))
}

export type KafkaApi = readonly [key: number, name: string]

/** Every API of Kafka 4.x that a client may ask for, by key, so that the page can say what is not served. */
const kafkaApis: readonly KafkaApi[] = [
  [0, 'Produce'],
  [1, 'Fetch'],
  [2, 'ListOffsets'],
  [3, 'Metadata'],
  [8, 'OffsetCommit'],
  [9, 'OffsetFetch'],
  [10, 'FindCoordinator'],
  [11, 'JoinGroup'],
  [12, 'Heartbeat'],
  [13, 'LeaveGroup'],
  [14, 'SyncGroup'],
  [15, 'DescribeGroups'],
  [16, 'ListGroups'],
  [17, 'SaslHandshake'],
  [18, 'ApiVersions'],
  [19, 'CreateTopics'],
  [20, 'DeleteTopics'],
  [21, 'DeleteRecords'],
  [22, 'InitProducerId'],
  [23, 'OffsetForLeaderEpoch'],
  [24, 'AddPartitionsToTxn'],
  [25, 'AddOffsetsToTxn'],
  [26, 'EndTxn'],
  [28, 'TxnOffsetCommit'],
  [29, 'DescribeAcls'],
  [30, 'CreateAcls'],
  [31, 'DeleteAcls'],
  [32, 'DescribeConfigs'],
  [33, 'AlterConfigs'],
  [34, 'AlterReplicaLogDirs'],
  [35, 'DescribeLogDirs'],
  [36, 'SaslAuthenticate'],
  [37, 'CreatePartitions'],
  [38, 'CreateDelegationToken'],
  [39, 'RenewDelegationToken'],
  [40, 'ExpireDelegationToken'],
  [41, 'DescribeDelegationToken'],
  [42, 'DeleteGroups'],
  [43, 'ElectLeaders'],
  [44, 'IncrementalAlterConfigs'],
  [45, 'AlterPartitionReassignments'],
  [46, 'ListPartitionReassignments'],
  [47, 'OffsetDelete'],
  [48, 'DescribeClientQuotas'],
  [49, 'AlterClientQuotas'],
  [50, 'DescribeUserScramCredentials'],
  [51, 'AlterUserScramCredentials'],
  [57, 'UpdateFeatures'],
  [60, 'DescribeCluster'],
  [61, 'DescribeProducers'],
  [64, 'UnregisterBroker'],
  [65, 'DescribeTransactions'],
  [66, 'ListTransactions'],
  [68, 'ConsumerGroupHeartbeat'],
  [69, 'ConsumerGroupDescribe'],
  [71, 'GetTelemetrySubscriptions'],
  [72, 'PushTelemetry'],
  [74, 'ListConfigResources'],
  [75, 'DescribeTopicPartitions'],
  [76, 'ShareGroupHeartbeat'],
  [77, 'ShareGroupDescribe'],
  [78, 'ShareFetch'],
  [79, 'ShareAcknowledge'],
  [88, 'StreamsGroupHeartbeat'],
  [89, 'StreamsGroupDescribe'],
  [90, 'DescribeShareGroupOffsets'],
  [91, 'AlterShareGroupOffsets'],
  [92, 'DeleteShareGroupOffsets'],
]
