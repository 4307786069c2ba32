// SyncGroup 0–5: the leader sends the assignments of all members, and every member gets its own.
import { api, array, bytes, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API SyncGroup: the fields of its requests and responses in each version. */
export const SyncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ versions: '3+', nullable: true, default: null }),
    protocolType: string({ versions: '5+', nullable: true, default: null, ignorable: true }),
    protocolName: string({ versions: '5+', nullable: true, default: null, ignorable: true }),
    assignments: array({
      memberId: string(),
      assignment: bytes(),
    }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
    protocolType: string({ versions: '5+', nullable: true, default: null, ignorable: true }),
    protocolName: string({ versions: '5+', nullable: true, default: null, ignorable: true }),
    assignment: bytes(),
  },
})

/** A decoded request of SyncGroup: fields that its version lacks have their defaults. */
export interface SyncGroupRequest extends RequestOf<typeof SyncGroup> {}
/** A response of SyncGroup to encode, for any version. */
export interface SyncGroupResponse extends ResponseOf<typeof SyncGroup> {}
