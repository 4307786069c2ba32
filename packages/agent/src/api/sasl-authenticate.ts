// SaslAuthenticate 0–2. As in Kafka, only a listener with SASL takes it, and after a handshake: here it is always in the wrong order.
import { KafkaError, SaslAuthenticate } from '@local-kafka-service/protocol'
import { handler } from './handler.ts'
import { withoutSasl } from './sasl-handshake.ts'

export const saslAuthenticate = handler({
  api: SaslAuthenticate,
  access: { operation: 'NONE', resource: 'none' },
  handle() {
    throw new KafkaError('ILLEGAL_SASL_STATE', `this listener has no SASL: ${withoutSasl}`)
  },
  refuse: (_request, { code, message }) => ({ errorCode: code, errorMessage: message, authBytes: new Uint8Array(0) }),
})
