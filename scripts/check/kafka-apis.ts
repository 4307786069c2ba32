// The APIs that clients may use in Kafka 4.x, and those that the server does not serve.
import { apiNames } from '../../packages/protocol/src/api-names.ts'

/** One API that the server serves. */
export interface AdvertisedApi {
  readonly name: string
  readonly key: number
  readonly versions: string
}

/** By key. */
export function notServed(served: readonly AdvertisedApi[]): readonly KafkaApi[] {
  const keys = new Set(served.map(({ key }) => key))
  return kafkaApis.filter(([key]) => !keys.has(key))
}

export type KafkaApi = readonly [key: number, name: string]

/** APIs that only brokers, controllers and coordinators use among themselves, and APIs that no broker of 4.x has. */
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

/** Every API of Kafka 4.x that clients may use and the server does not serve, by key. */
const kafkaApis: readonly KafkaApi[] = apiNames.map((name, key) => [key, name] as const).filter(([, name]) => !amongServers.has(name))
