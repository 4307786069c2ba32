// IncrementalAlterConfigs 0–1: changes single configs of topics, brokers, groups and client metrics (KIP-339).
import { api, array, bool, int8, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API IncrementalAlterConfigs: the fields of its requests and responses in each version. */
export const IncrementalAlterConfigs = api({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexible: 1,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        configOperation: int8(),
        value: string({ nullable: true }),
      }),
    }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    responses: array({
      errorCode: int16(),
      errorMessage: string({ nullable: true }),
      resourceType: int8(),
      resourceName: string(),
    }),
  },
})

/** A decoded request of IncrementalAlterConfigs: fields that its version lacks have their defaults. */
export interface IncrementalAlterConfigsRequest extends RequestOf<typeof IncrementalAlterConfigs> {}
/** A response of IncrementalAlterConfigs to encode, for any version. */
export interface IncrementalAlterConfigsResponse extends ResponseOf<typeof IncrementalAlterConfigs> {}
