// AlterConfigs 0–2: replaces all configs of topics, brokers, groups and client metrics that can change.
import { api, array, bool, int8, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API AlterConfigs: the fields of its requests and responses in each version. */
export const AlterConfigs = api({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexible: 2,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
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

/** A decoded request of AlterConfigs: fields that its version lacks have their defaults. */
export interface AlterConfigsRequest extends RequestOf<typeof AlterConfigs> {}
/** A response of AlterConfigs to encode, for any version. */
export interface AlterConfigsResponse extends ResponseOf<typeof AlterConfigs> {}
