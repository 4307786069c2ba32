// LeaveGroup 0–5. Until 2 one member, by its id; from 3 on many, each with its own error, static ones by their instance ids too (KIP-345).
import { errors, LeaveGroup } from '@local-kafka-service/protocol'
import { checkGroup } from './group-access.ts'
import { handler } from './handler.ts'

const manyFrom = 3

export const leaveGroup = handler({
  api: LeaveGroup,
  access: { operation: 'READ', resource: 'group' },
  async handle(request, context, services) {
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
      : { throttleTimeMs: 0, errorCode: answers[0]?.errorCode ?? 0, members: [] }
    return { kind: 'now', response }
  },
  refuse: (_request, { code }) => ({ throttleTimeMs: 0, errorCode: code, members: [] }),
})
