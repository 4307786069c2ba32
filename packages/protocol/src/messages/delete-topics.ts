// DeleteTopics 1–6: deletes topics by name, from 6 on by name or id.
import { api, array, int16, int32, type RequestOf, type ResponseOf, string, uuid } from '../schema/dsl.ts'

/** The API DeleteTopics: the fields of its requests and responses in each version. */
export const DeleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexible: 4,
  request: {
    topics: array(
      {
        name: string({ nullable: true, default: null }),
        topicId: uuid(),
      },
      { versions: '6+' },
    ),
    topicNames: array(string(), { versions: '0-5', ignorable: true }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32(),
    responses: array({
      name: string({ nullable: '6+' }),
      topicId: uuid({ versions: '6+', ignorable: true }),
      errorCode: int16(),
      errorMessage: string({ versions: '5+', nullable: true, default: null, ignorable: true }),
    }),
  },
})

/** A decoded request of DeleteTopics: fields that its version lacks have their defaults. */
export interface DeleteTopicsRequest extends RequestOf<typeof DeleteTopics> {}
/** A response of DeleteTopics to encode, for any version. */
export interface DeleteTopicsResponse extends ResponseOf<typeof DeleteTopics> {}
