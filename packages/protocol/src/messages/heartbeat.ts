// Heartbeat 0–4: a member of a classic group reports that it is alive, and learns whether the group rebalances.
import { api, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API Heartbeat: the fields of its requests and responses in each version. */
export const Heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexible: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ versions: '3+', nullable: true, default: null }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
  },
})

/** A decoded request of Heartbeat: fields that its version lacks have their defaults. */
export interface HeartbeatRequest extends RequestOf<typeof Heartbeat> {}
/** A response of Heartbeat to encode, for any version. */
export interface HeartbeatResponse extends ResponseOf<typeof Heartbeat> {}
