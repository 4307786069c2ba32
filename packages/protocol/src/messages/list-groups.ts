// ListGroups 0–5: the groups of a broker, filtered by state from 4 on (KIP-518), by type from 5 on (KIP-848).
import { api, array, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API ListGroups: the fields of its requests and responses in each version. */
export const ListGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexible: 3,
  request: {
    statesFilter: array(string(), { versions: '4+' }),
    typesFilter: array(string(), { versions: '5+' }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ versions: '4+', ignorable: true }),
      groupType: string({ versions: '5+', ignorable: true }),
    }),
  },
})

/** A decoded request of ListGroups: fields that its version lacks have their defaults. */
export interface ListGroupsRequest extends RequestOf<typeof ListGroups> {}
/** A response of ListGroups to encode, for any version. */
export interface ListGroupsResponse extends ResponseOf<typeof ListGroups> {}
