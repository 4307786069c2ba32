// LeaveGroup removes members from a group.
// - Versions: 0–5; one member by its id before 3, many from 3 on.
// - KIPs: 345 (many members, static members by their instance ids, 3+).
// - From 3 on each member has its own error.
import { errors, LeaveGroup } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Services } from '../services.ts'
import { checkGroup } from './group-access.ts'
import { handler } from './handler.ts'

const manyFrom = 3

type Uses = Pick<Services, 'groups' | 'gate'>

export const leaveGroup = handler({
  api: LeaveGroup,
  access: { operation: 'READ', resource: 'group' },
  async handle(request, context, services: Uses) {
    const { groupId, memberId } = request
    checkGroup(groupId, { operation: 'READ', context, services })
    const many = context.apiVersion >= manyFrom
    const members = many ? request.members : [{ memberId, groupInstanceId: null }]
    const reply = await services.groups.ask(groupId, { kind: 'leave', members })
    const answers = reply.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      errorCode: errors[member.error].code,
    }))
    const response = many
      ? { throttleTimeMs: 0, errorCode: 0, members: answers }
      : { throttleTimeMs: 0, errorCode: must(answers[0], 'the one member that leaves').errorCode, members: [] }
    return { kind: 'now', response }
  },
  reject: (_request, { code }) => ({ throttleTimeMs: 0, errorCode: code, members: [] }),
})
