// UnregisterBroker 0: removes a broker that is gone (KIP-631).
import { api, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API UnregisterBroker: the fields of its requests and responses in each version. */
export const UnregisterBroker = api({
  key: 64,
  name: 'UnregisterBroker',
  versions: [0, 0],
  flexible: 0,
  request: {
    brokerId: int32(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
  },
})

/** A decoded request of UnregisterBroker: fields that its version lacks have their defaults. */
export interface UnregisterBrokerRequest extends RequestOf<typeof UnregisterBroker> {}
/** A response of UnregisterBroker to encode, for any version. */
export interface UnregisterBrokerResponse extends ResponseOf<typeof UnregisterBroker> {}
