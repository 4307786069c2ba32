// ListPartitionReassignments 0: the partitions that are moving (KIP-455).
import { api, array, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API ListPartitionReassignments: the fields of its requests and responses in each version. */
export const ListPartitionReassignments = api({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexible: 0,
  request: {
    timeoutMs: int32({ default: 60000 }),
    topics: array(
      {
        name: string(),
        partitionIndexes: array(int32()),
      },
      { nullable: true, default: null },
    ),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: array(int32()),
        addingReplicas: array(int32()),
        removingReplicas: array(int32()),
      }),
    }),
  },
})

/** A decoded request of ListPartitionReassignments: fields that its version lacks have their defaults. */
export interface ListPartitionReassignmentsRequest extends RequestOf<typeof ListPartitionReassignments> {}
/** A response of ListPartitionReassignments to encode, for any version. */
export interface ListPartitionReassignmentsResponse extends ResponseOf<typeof ListPartitionReassignments> {}
