// FindCoordinator 0–6: which broker coordinates a group or a transactional id; many keys at once from 4 (KIP-699).
import { api, array, int8, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API FindCoordinator: the fields of its requests and responses in each version. */
export const FindCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexible: 3,
  request: {
    key: string({ versions: '0-3' }),
    keyType: int8({ versions: '1+', default: 0 }),
    coordinatorKeys: array(string(), { versions: '4+' }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16({ versions: '0-3' }),
    errorMessage: string({ versions: '1-3', nullable: true, ignorable: true }),
    nodeId: int32({ versions: '0-3' }),
    host: string({ versions: '0-3' }),
    port: int32({ versions: '0-3' }),
    coordinators: array(
      {
        key: string(),
        nodeId: int32(),
        host: string(),
        port: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: true, ignorable: true }),
      },
      { versions: '4+' },
    ),
  },
})

/** A decoded request of FindCoordinator: fields that its version lacks have their defaults. */
export interface FindCoordinatorRequest extends RequestOf<typeof FindCoordinator> {}
/** A response of FindCoordinator to encode, for any version. */
export interface FindCoordinatorResponse extends ResponseOf<typeof FindCoordinator> {}
