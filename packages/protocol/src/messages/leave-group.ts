// LeaveGroup 0–5: members leave a classic group at once. From 3 on a request names several members, also by their instance ids (KIP-345).
import { api, array, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API LeaveGroup: the fields of its requests and responses in each version. */
export const LeaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string(),
    memberId: string({ versions: '0-2' }),
    members: array(
      {
        memberId: string(),
        groupInstanceId: string({ nullable: true, default: null }),
        reason: string({ versions: '5+', nullable: true, default: null, ignorable: true }),
      },
      { versions: '3+' },
    ),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
    members: array(
      {
        memberId: string(),
        groupInstanceId: string({ nullable: true }),
        errorCode: int16(),
      },
      { versions: '3+' },
    ),
  },
})

/** A decoded request of LeaveGroup: fields that its version lacks have their defaults. */
export interface LeaveGroupRequest extends RequestOf<typeof LeaveGroup> {}
/** A response of LeaveGroup to encode, for any version. */
export interface LeaveGroupResponse extends ResponseOf<typeof LeaveGroup> {}
