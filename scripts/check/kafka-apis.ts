// The APIs that a client may ask of Kafka 4.x, and which of them the server does not serve.
import { apiNames } from '../../packages/protocol/src/api-names.ts'

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

/** What only brokers, controllers and coordinators send to one another, and what no broker of 4.x knows. */
const amongServers: ReadonlySet<string> = new Set([
  'LeaderAndIsr',
  'StopReplica',
  'UpdateMetadata',
  'ControlledShutdown',
  'WriteTxnMarkers',
  'Vote',
  'BeginQuorumEpoch',
  'EndQuorumEpoch',
  'DescribeQuorum',
  'AlterPartition',
  'Envelope',
  'FetchSnapshot',
  'BrokerRegistration',
  'BrokerHeartbeat',
  'AllocateProducerIds',
  'ControllerRegistration',
  'AssignReplicasToDirs',
  'AddRaftVoter',
  'RemoveRaftVoter',
  'UpdateRaftVoter',
  'InitializeShareGroupState',
  'ReadShareGroupState',
  'WriteShareGroupState',
  'DeleteShareGroupState',
  'ReadShareGroupStateSummary',
])

/** Every API of Kafka 4.x that a client may ask for, by key, so that the page can say what is not served. */
const kafkaApis: readonly KafkaApi[] = apiNames.map((name, key) => [key, name] as const).filter(([, name]) => !amongServers.has(name))
