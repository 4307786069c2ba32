// DescribeCluster 0–2: the cluster's id, controller and brokers (KIP-700).
import { api, array, bool, int8, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API DescribeCluster: the fields of its requests and responses in each version. */
export const DescribeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexible: 0,
  request: {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8({ versions: '1+', default: 1 }),
    includeFencedBrokers: bool({ versions: '2+' }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    endpointType: int8({ versions: '1+', default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: array({
      brokerId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: true, default: null }),
      isFenced: bool({ versions: '2+' }),
    }),
    clusterAuthorizedOperations: int32({ default: -0x8000_0000 }),
  },
})

/** A decoded request of DescribeCluster: fields that its version lacks have their defaults. */
export interface DescribeClusterRequest extends RequestOf<typeof DescribeCluster> {}
/** A response of DescribeCluster to encode, for any version. */
export interface DescribeClusterResponse extends ResponseOf<typeof DescribeCluster> {}
