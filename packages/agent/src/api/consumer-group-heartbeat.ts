// ConsumerGroupHeartbeat 0–1. The consumer protocol (KIP-848) does not exist here yet, so the answer is that of a Kafka whose consumer protocol is turned off:
// UNSUPPORTED_VERSION, from which every client says that its user must take group.protocol=classic. librdkafka waits indefinitely where the API is not advertised.
import { ConsumerGroupHeartbeat, KafkaError } from '@local-kafka-service/protocol'
import { checkGroup } from './group-access.ts'
import { handler } from './handler.ts'

export const consumerGroupHeartbeat = handler({
  api: ConsumerGroupHeartbeat,
  access: { operation: 'READ', resource: 'group' },
  handle({ groupId }, context, services) {
    checkGroup(groupId, { operation: 'READ', context, services })
    throw new KafkaError(
      'UNSUPPORTED_VERSION',
      'The consumer protocol (KIP-848) is not supported by this server yet: set group.protocol=classic.',
    )
  },
  refuse: (_request, { code, message }) => ({
    throttleTimeMs: 0,
    errorCode: code,
    errorMessage: message,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  }),
})
