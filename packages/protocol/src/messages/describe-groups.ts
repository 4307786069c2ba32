// DescribeGroups 0–6: state, protocol and members of classic groups. A missing group is an error from 6 on (KIP-1043), and a group in the state Dead before.
import { api, array, bool, bytes, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API DescribeGroups: the fields of its requests and responses in each version. */
export const DescribeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexible: 5,
  request: {
    groups: array(string()),
    includeAuthorizedOperations: bool({ versions: '3+' }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    groups: array({
      errorCode: int16(),
      /** Must be absent or null before version 6. */
      errorMessage: string({ versions: '6+', nullable: true, default: null }),
      groupId: string(),
      groupState: string(),
      protocolType: string(),
      /** The protocol's name; '' unless the group is stable. */
      protocolData: string(),
      members: array({
        memberId: string(),
        groupInstanceId: string({ versions: '4+', nullable: true, default: null, ignorable: true }),
        clientId: string(),
        clientHost: string(),
        memberMetadata: bytes(),
        memberAssignment: bytes(),
      }),
      authorizedOperations: int32({ versions: '3+', default: -0x8000_0000 }),
    }),
  },
})

/** A decoded request of DescribeGroups: fields that its version lacks have their defaults. */
export interface DescribeGroupsRequest extends RequestOf<typeof DescribeGroups> {}
/** A response of DescribeGroups to encode, for any version. */
export interface DescribeGroupsResponse extends ResponseOf<typeof DescribeGroups> {}
