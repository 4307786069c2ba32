// UnregisterBroker has nothing to remove: a stopped agent is not registered any more.
// - Versions: 0.
// - KIPs: 631.
import { errors, UnregisterBroker } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import { brokersFor } from './brokers.ts'
import { handler } from './handler.ts'

export const unregisterBroker = handler({
  api: UnregisterBroker,
  access: { operation: 'ALTER', resource: 'cluster' },
  async handle({ brokerId }, context, services: Pick<Services, 'owners'>) {
    const alive = brokersFor(context, services).some(({ nodeId }) => nodeId === brokerId)
    const error = alive
      ? { errorCode: errors.INVALID_REQUEST.code, errorMessage: `Broker ID ${brokerId} is an agent that is running: stop it instead.` }
      : { errorCode: errors.BROKER_ID_NOT_REGISTERED.code, errorMessage: `Broker ID ${brokerId} is not currently registered` }
    return { kind: 'now', response: { throttleTimeMs: 0, ...error } }
  },
  reject: (_request, { code, message }) => ({ throttleTimeMs: 0, errorCode: code, errorMessage: message }),
})
