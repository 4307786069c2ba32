// JoinGroup makes a client a member of a group.
// - Versions: 0–9.
// - KIPs: 394 (member ids before the join, 4+), 345 (static members, 5+), 559 (the protocol's type, 7+), 814 (the leader may skip the assignment, 9).
// - The answer comes when the rebalance is complete, at the latest after the members' rebalance time-out; the wait blocks its own connection only.
import { errors, JoinGroup, type JoinGroupRequest, type JoinGroupResponse } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import type { Random } from '../time/clock.ts'
import { checkGroup } from './group-access.ts'
import { handler } from './handler.ts'

const rebalanceTimeoutFrom = 1
/** Earlier versions write '' for no protocol. */
const nullProtocolFrom = 7

type Uses = Pick<Services, 'groups' | 'gate' | 'random'>

export const joinGroup = handler({
  api: JoinGroup,
  access: { operation: 'READ', resource: 'group' },
  async handle(request, context, services: Uses) {
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
        // Kafka's form of an address, which its tools show.
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
  reject: (request, { code }, apiVersion) => rejected(request, code, apiVersion),
})

function rejected({ memberId }: JoinGroupRequest, errorCode: number, apiVersion: number): JoinGroupResponse {
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

/** A UUID of version 4 (RFC 9562): the end of a member's id, as in Kafka. */
function uuid(random: Random): string {
  const bytes = Buffer.from(random.bytes(16))
  bytes[6] = (bytes.readUInt8(6) & 0x0f) | 0x40
  bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
