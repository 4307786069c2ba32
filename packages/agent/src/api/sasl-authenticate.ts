// SaslAuthenticate answers ILLEGAL_SASL_STATE, because no listener has SASL yet.
// - Versions: 0–2.
// - KIPs: 152.
// - Kafka answers the same without a handshake before it.
import { KafkaError, SaslAuthenticate } from '@local-kafka-service/protocol'
import { handler } from './handler.ts'
import { withoutSasl } from './sasl-handshake.ts'

export const saslAuthenticate = handler({
  api: SaslAuthenticate,
  access: { operation: 'NONE', resource: 'none' },
  handle() {
    throw new KafkaError('ILLEGAL_SASL_STATE', `SASL is not enabled on this listener: ${withoutSasl}`)
  },
  reject: (_request, { code, message }) => ({ errorCode: code, errorMessage: message, authBytes: new Uint8Array(0) }),
})
