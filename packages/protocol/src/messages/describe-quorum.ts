// DescribeQuorum 0–2: the replicas of the metadata log (KIP-595).
import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string, uint16, uuid } from '../schema/dsl.ts'

const replicaState = {
  replicaId: int32(),
  replicaDirectoryId: uuid({ versions: '2+' }),
  logEndOffset: int64(),
  lastFetchTimestamp: int64({ versions: '1+', default: -1, ignorable: true }),
  lastCaughtUpTimestamp: int64({ versions: '1+', default: -1, ignorable: true }),
} as const

/** The API DescribeQuorum: the fields of its requests and responses in each version. */
export const DescribeQuorum = api({
  key: 55,
  name: 'DescribeQuorum',
  versions: [0, 2],
  flexible: 0,
  request: {
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
      }),
    }),
  },
  response: {
    errorCode: int16(),
    errorMessage: string({ versions: '2+', nullable: true, ignorable: true }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ versions: '2+', nullable: true, ignorable: true }),
        leaderId: int32(),
        leaderEpoch: int32(),
        highWatermark: int64(),
        currentVoters: array(replicaState),
        observers: array(replicaState),
      }),
    }),
    nodes: array(
      {
        nodeId: int32(),
        listeners: array({
          name: string(),
          host: string(),
          port: uint16(),
        }),
      },
      { versions: '2+' },
    ),
  },
})

/** A decoded request of DescribeQuorum: fields that its version lacks have their defaults. */
export interface DescribeQuorumRequest extends RequestOf<typeof DescribeQuorum> {}
/** A response of DescribeQuorum to encode, for any version. */
export interface DescribeQuorumResponse extends ResponseOf<typeof DescribeQuorum> {}
