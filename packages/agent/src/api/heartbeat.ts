// Heartbeat keeps a member's session alive.
// - Versions: 0–4.
// - KIPs: 345 (static members, 3+).
// - REBALANCE_IN_PROGRESS asks the member to join again.
import { errors, Heartbeat } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import { checkGroup } from './group-access.ts'
import { handler } from './handler.ts'

type Uses = Pick<Services, 'groups' | 'gate'>

export const heartbeat = handler({
  api: Heartbeat,
  access: { operation: 'READ', resource: 'group' },
  async handle({ groupId, memberId, groupInstanceId, generationId }, context, services: Uses) {
    checkGroup(groupId, { operation: 'READ', context, services })
    const { connectionId } = context.client
    const { error } = await services.groups.ask(
      groupId,
      { kind: 'heartbeat', memberId, groupInstanceId, generation: generationId, connection: connectionId },
      context.signal,
    )
    return { kind: 'now', response: { throttleTimeMs: 0, errorCode: errors[error].code } }
  },
  reject: (_request, { code }) => ({ throttleTimeMs: 0, errorCode: code }),
})
