// AlterPartitionReassignments 0–1: moves partitions to other brokers (KIP-455).
import { api, array, bool, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API AlterPartitionReassignments: the fields of its requests and responses in each version. */
export const AlterPartitionReassignments = api({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: [0, 1],
  flexible: 0,
  request: {
    timeoutMs: int32({ default: 60000 }),
    allowReplicationFactorChange: bool({ versions: '1+', default: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: array(int32(), { nullable: true, default: null }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    allowReplicationFactorChange: bool({ versions: '1+', default: true, ignorable: true }),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    responses: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: true }),
      }),
    }),
  },
})

/** A decoded request of AlterPartitionReassignments: fields that its version lacks have their defaults. */
export interface AlterPartitionReassignmentsRequest extends RequestOf<typeof AlterPartitionReassignments> {}
/** A response of AlterPartitionReassignments to encode, for any version. */
export interface AlterPartitionReassignmentsResponse extends ResponseOf<typeof AlterPartitionReassignments> {}
