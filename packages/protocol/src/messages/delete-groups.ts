// DeleteGroups 0–2: deletes empty groups with their offsets.
import { api, array, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API DeleteGroups: the fields of its requests and responses in each version. */
export const DeleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexible: 2,
  request: {
    groupsNames: array(string()),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      groupId: string(),
      errorCode: int16(),
    }),
  },
})

/** A decoded request of DeleteGroups: fields that its version lacks have their defaults. */
export interface DeleteGroupsRequest extends RequestOf<typeof DeleteGroups> {}
/** A response of DeleteGroups to encode, for any version. */
export interface DeleteGroupsResponse extends ResponseOf<typeof DeleteGroups> {}
