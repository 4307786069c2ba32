// CreateTopics 2–7: creates topics. The response carries the created topic from 5 on, and its id from 7 on.
import { api, array, bool, int8, int16, int32, type RequestOf, type ResponseOf, string, uuid } from '../schema/dsl.ts'

/** The API CreateTopics: the fields of its requests and responses in each version. */
export const CreateTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexible: 5,
  request: {
    topics: array({
      name: string(),
      numPartitions: int32(),
      replicationFactor: int16(),
      assignments: array({
        partitionIndex: int32(),
        brokerIds: array(int32()),
      }),
      configs: array({
        name: string(),
        value: string({ nullable: true }),
      }),
    }),
    timeoutMs: int32({ default: 60000 }),
    validateOnly: bool({ default: false }),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      topicId: uuid({ versions: '7+', ignorable: true }),
      errorCode: int16(),
      errorMessage: string({ nullable: true }),
      topicConfigErrorCode: int16({ versions: '5+', tag: 0, ignorable: true }),
      numPartitions: int32({ versions: '5+', default: -1, ignorable: true }),
      replicationFactor: int16({ versions: '5+', default: -1, ignorable: true }),
      configs: array(
        {
          name: string(),
          value: string({ nullable: true }),
          readOnly: bool(),
          configSource: int8({ default: -1 }),
          isSensitive: bool(),
        },
        { versions: '5+', nullable: true, ignorable: true },
      ),
    }),
  },
})

/** A decoded request of CreateTopics: fields that its version lacks have their defaults. */
export interface CreateTopicsRequest extends RequestOf<typeof CreateTopics> {}
/** A response of CreateTopics to encode, for any version. */
export interface CreateTopicsResponse extends ResponseOf<typeof CreateTopics> {}
