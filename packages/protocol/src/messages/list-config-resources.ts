// ListConfigResources 0–1: the resources that have configs of their own (KIP-1142).
import { api, array, int8, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API ListConfigResources: the fields of its requests and responses in each version. */
export const ListConfigResources = api({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexible: 0,
  request: {
    resourceTypes: array(int8(), { versions: '1+' }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    configResources: array({
      resourceName: string(),
      resourceType: int8({ versions: '1+', default: 16, ignorable: true }),
    }),
  },
})

/** A decoded request of ListConfigResources: fields that its version lacks have their defaults. */
export interface ListConfigResourcesRequest extends RequestOf<typeof ListConfigResources> {}
/** A response of ListConfigResources to encode, for any version. */
export interface ListConfigResourcesResponse extends ResponseOf<typeof ListConfigResources> {}
