// SaslHandshake 0–1. No listener has SASL yet, so the answer is Kafka's on a listener without it: ILLEGAL_SASL_STATE and no mechanisms, from which every client
// says at once that SASL is not enabled. Without an answer Java waits 19 s, and others report that the connection ended.
import { KafkaError, SaslHandshake } from '@local-kafka-service/protocol'
import { handler } from './handler.ts'

export const saslHandshake = handler({
  api: SaslHandshake,
  access: { operation: 'NONE', resource: 'none' },
  handle({ mechanism }) {
    throw new KafkaError('ILLEGAL_SASL_STATE', `the client wants SASL ${mechanism}, and this listener has no SASL: ${withoutSasl}`)
  },
  refuse: (_request, { code }) => ({ errorCode: code, mechanisms: [] }),
})

/** What a user of a client changes. */
export const withoutSasl = 'set security.protocol=PLAINTEXT, or leave out the sasl options'
