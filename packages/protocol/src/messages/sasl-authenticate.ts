// SaslAuthenticate 0–2: the tokens of a SASL mechanism, after SaslHandshake 1.
import { api, bytes, int16, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API SaslAuthenticate: the fields of its requests and responses in each version. */
export const SaslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexible: 2,
  request: { authBytes: bytes() },
  response: {
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    authBytes: bytes(),
    sessionLifetimeMs: int64({ versions: '1+', default: 0, ignorable: true }),
  },
})

/** A decoded request of SaslAuthenticate: fields that its version lacks have their defaults. */
export interface SaslAuthenticateRequest extends RequestOf<typeof SaslAuthenticate> {}
/** A response of SaslAuthenticate to encode, for any version. */
export interface SaslAuthenticateResponse extends ResponseOf<typeof SaslAuthenticate> {}
