// SaslHandshake 0–1: the SASL mechanism that a client wants to use, and those that the listener has.
import { api, array, int16, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API SaslHandshake: the fields of its requests and responses in each version. */
export const SaslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  flexible: 'never',
  request: { mechanism: string() },
  response: {
    errorCode: int16(),
    mechanisms: array(string()),
  },
})

/** A decoded request of SaslHandshake: fields that its version lacks have their defaults. */
export interface SaslHandshakeRequest extends RequestOf<typeof SaslHandshake> {}
/** A response of SaslHandshake to encode, for any version. */
export interface SaslHandshakeResponse extends ResponseOf<typeof SaslHandshake> {}
