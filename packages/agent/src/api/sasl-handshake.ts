// SaslHandshake answers ILLEGAL_SASL_STATE and no mechanisms, like a Kafka listener without SASL.
// - Versions: 0–1.
// - KIPs: 43, 152.
// - On this answer every client reports at once that SASL is not enabled.
// - Without an answer the Java client waits 19 s, and other clients report that the connection was closed.
// - Left out: SASL, which no listener has yet.
import { KafkaError, SaslHandshake } from '@local-kafka-service/protocol'
import { handler } from './handler.ts'

export const saslHandshake = handler({
  api: SaslHandshake,
  access: { operation: 'NONE', resource: 'none' },
  handle({ mechanism }) {
    throw new KafkaError(
      'ILLEGAL_SASL_STATE',
      `the client asked for SASL mechanism ${mechanism}, but SASL is not enabled on this listener: ${withoutSasl}`,
    )
  },
  reject: (_request, { code }) => ({ errorCode: code, mechanisms: [] }),
})

/** The advice for the user of a client. */
export const withoutSasl = 'set security.protocol=PLAINTEXT, or leave out the sasl options'
