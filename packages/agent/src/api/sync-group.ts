// SyncGroup takes the leader's assignments and gives each member its own.
// - Versions: 0–5.
// - KIPs: 345 (static members, 3+), 559 (the protocol's type and name, required from 5 on).
// - A follower waits for the leader's assignments; the wait blocks its own connection only.
import { errors, KafkaError, SyncGroup } from '@local-kafka-service/protocol'
import { noBytes } from '../core/group/classic-messages.ts'
import type { Services } from '../services.ts'
import { checkGroup } from './group-access.ts'
import { handler } from './handler.ts'

const protocolFrom = 5

type Uses = Pick<Services, 'groups' | 'gate'>

export const syncGroup = handler({
  api: SyncGroup,
  access: { operation: 'READ', resource: 'group' },
  async handle(request, context, services: Uses) {
    const { groupId, memberId, groupInstanceId, generationId, protocolType, protocolName, assignments } = request
    if (context.apiVersion >= protocolFrom && (protocolType === null || protocolName === null))
      throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
    checkGroup(groupId, { operation: 'READ', context, services })
    const reply = await services.groups.ask(
      groupId,
      {
        kind: 'sync',
        memberId,
        groupInstanceId,
        generation: generationId,
        protocolType,
        protocolName,
        assignments,
        connection: context.client.connectionId,
      },
      context.signal,
    )
    return {
      kind: 'now',
      response: {
        throttleTimeMs: 0,
        errorCode: errors[reply.error].code,
        protocolType: reply.protocolType,
        protocolName: reply.protocolName,
        assignment: reply.assignment,
      },
    }
  },
  reject: (_request, { code }) => ({ throttleTimeMs: 0, errorCode: code, protocolType: null, protocolName: null, assignment: noBytes }),
})
