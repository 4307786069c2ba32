// ConsumerGroupHeartbeat answers UNSUPPORTED_VERSION, like a Kafka broker whose consumer protocol is turned off.
// - Versions: 0–1.
// - KIPs: 848.
// - On this answer every client asks its user to set group.protocol=classic.
// - The API is advertised because librdkafka waits indefinitely without it.
// - Left out: the consumer protocol, which this server does not have yet.
import { ConsumerGroupHeartbeat, KafkaError } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import { checkGroup } from './group-access.ts'
import { handler } from './handler.ts'

type Uses = Pick<Services, 'gate'>

export const consumerGroupHeartbeat = handler({
  api: ConsumerGroupHeartbeat,
  access: { operation: 'READ', resource: 'group' },
  handle({ groupId }, context, services: Uses) {
    checkGroup(groupId, { operation: 'READ', context, services })
    throw new KafkaError(
      'UNSUPPORTED_VERSION',
      'The consumer protocol (KIP-848) is not supported by this server yet: set group.protocol=classic.',
    )
  },
  reject: (_request, { code, message }) => ({
    throttleTimeMs: 0,
    errorCode: code,
    errorMessage: message,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  }),
})
