// CreatePartitions 0–3: raises a topic's number of partitions.
import { api, array, bool, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API CreatePartitions: the fields of its requests and responses in each version. */
export const CreatePartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexible: 2,
  request: {
    topics: array({
      name: string(),
      count: int32(),
      assignments: array(
        {
          brokerIds: array(int32()),
        },
        { nullable: true },
      ),
    }),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      name: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: true, default: null }),
    }),
  },
})

/** A decoded request of CreatePartitions: fields that its version lacks have their defaults. */
export interface CreatePartitionsRequest extends RequestOf<typeof CreatePartitions> {}
/** A response of CreatePartitions to encode, for any version. */
export interface CreatePartitionsResponse extends ResponseOf<typeof CreatePartitions> {}
