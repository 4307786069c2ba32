// JoinGroup 0–9: a member enters a group of the classic protocol, or stays in it for the next generation.
import { api, array, bool, bytes, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API JoinGroup: the fields of its requests and responses in each version. */
export const JoinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexible: 6,
  request: {
    groupId: string(),
    sessionTimeoutMs: int32(),
    /** -1 if the version lacks it: then the session time-out applies. */
    rebalanceTimeoutMs: int32({ versions: '1+', default: -1, ignorable: true }),
    memberId: string(),
    groupInstanceId: string({ versions: '5+', nullable: true, default: null }),
    protocolType: string(),
    protocols: array({
      name: string(),
      metadata: bytes(),
    }),
    reason: string({ versions: '8+', nullable: true, default: null, ignorable: true }),
  },
  response: {
    throttleTimeMs: int32({ versions: '2+', ignorable: true }),
    errorCode: int16(),
    generationId: int32({ default: -1 }),
    protocolType: string({ versions: '7+', nullable: true, default: null, ignorable: true }),
    /** Null from 7 on; before that, a response without a protocol carries ''. */
    protocolName: string({ nullable: '7+' }),
    leader: string(),
    skipAssignment: bool({ versions: '9+', default: false }),
    memberId: string(),
    members: array({
      memberId: string(),
      groupInstanceId: string({ versions: '5+', nullable: true, default: null, ignorable: true }),
      metadata: bytes(),
    }),
  },
})

/** A decoded request of JoinGroup: fields that its version lacks have their defaults. */
export interface JoinGroupRequest extends RequestOf<typeof JoinGroup> {}
/** A response of JoinGroup to encode, for any version. */
export interface JoinGroupResponse extends ResponseOf<typeof JoinGroup> {}
