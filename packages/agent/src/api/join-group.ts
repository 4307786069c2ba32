// JoinGroup 0–9. Answered when the rebalance is complete, which may take as long as the members' rebalance time-out: the wait blocks its own connection only.
import { errors, JoinGroup, type JoinGroupRequest, type JoinGroupResponse } from '@local-kafka-service/protocol'
import type { Random } from '../time/clock.ts'
import { checkGroup } from './group-access.ts'
import { handler } from './handler.ts'

const rebalanceTimeoutFrom = 1
/** Before, a protocol that is none is written as ''. */
const nullProtocolFrom = 7

export const joinGroup = handler({
  api: JoinGroup,
  access: { operation: 'READ', resource: 'group' },
  async handle(request, context, services) {
    const { groupId, memberId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, protocolType, protocols } = request
    const { client, apiVersion } = context
    checkGroup(groupId, { operation: 'READ', context, services })
    const reply = await services.groups.ask(
      groupId,
      {
        kind: 'join',
        version: apiVersion,
        memberId,
        groupInstanceId,
        unique: uuid(services.random),
        clientId: client.id ?? '',
        // As Kafka writes addresses, and its tools show them.
        clientHost: `/${client.address}`,
        sessionTimeoutMs,
        rebalanceTimeoutMs: apiVersion >= rebalanceTimeoutFrom ? rebalanceTimeoutMs : sessionTimeoutMs,
        protocolType,
        protocols,
        connection: client.connectionId,
      },
      context.signal,
    )
    return {
      kind: 'now',
      response: {
        throttleTimeMs: 0,
        errorCode: errors[reply.error].code,
        generationId: reply.generation,
        protocolType: reply.protocolType,
        protocolName: reply.protocolName ?? noProtocol(apiVersion),
        leader: reply.leader,
        skipAssignment: reply.skipAssignment,
        memberId: reply.memberId,
        members: reply.members,
      },
    }
  },
  refuse: (request, { code }, apiVersion) => refused(request, code, apiVersion),
})

function refused({ memberId }: JoinGroupRequest, errorCode: number, apiVersion: number): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: noProtocol(apiVersion),
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

function noProtocol(apiVersion: number): string | null {
  return apiVersion >= nullProtocolFrom ? null : ''
}

/** Version 4 of RFC 9562: the end of a member's id, as Kafka makes it. */
function uuid(random: Random): string {
  const bytes = Buffer.from(random.bytes(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
