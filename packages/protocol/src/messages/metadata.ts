// Metadata 0–13: brokers, and topics with their partitions and leaders.
import { api, array, bool, int16, int32, type RequestOf, type ResponseOf, string, uuid } from '../schema/dsl.ts'

/** The API Metadata: the fields of its requests and responses in each version. */
export const Metadata = api({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexible: 9,
  request: {
    topics: array(
      {
        topicId: uuid({ versions: '10+', ignorable: true }),
        name: string({ nullable: '10+' }),
      },
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: bool({ versions: '4+', default: true }),
    includeClusterAuthorizedOperations: bool({ versions: '8-10' }),
    includeTopicAuthorizedOperations: bool({ versions: '8+' }),
  },
  response: {
    throttleTimeMs: int32({ versions: '3+', ignorable: true }),
    brokers: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ versions: '1+', nullable: true, default: null, ignorable: true }),
    }),
    clusterId: string({ versions: '2+', nullable: true, default: null, ignorable: true }),
    controllerId: int32({ versions: '1+', default: -1, ignorable: true }),
    topics: array({
      errorCode: int16(),
      name: string({ nullable: '12+' }),
      topicId: uuid({ versions: '10+', ignorable: true }),
      isInternal: bool({ versions: '1+', default: false, ignorable: true }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ versions: '7+', default: -1, ignorable: true }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        offlineReplicas: array(int32(), { versions: '5+', ignorable: true }),
      }),
      topicAuthorizedOperations: int32({ versions: '8+', default: -0x8000_0000 }),
    }),
    clusterAuthorizedOperations: int32({ versions: '8-10', default: -0x8000_0000 }),
    errorCode: int16({ versions: '13+', ignorable: true }),
  },
})

/** A decoded request of Metadata: fields that its version lacks have their defaults. */
export interface MetadataRequest extends RequestOf<typeof Metadata> {}
/** A response of Metadata to encode, for any version. */
export interface MetadataResponse extends ResponseOf<typeof Metadata> {}
