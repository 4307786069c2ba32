// DeleteGroups deletes groups without members, and their offsets.
// - Versions: 0–2.
// - KIPs: 229.
// - Each group has its own error.
import { DeleteGroups, errors } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import { unitsOfName } from '../time/turns.ts'
import { eachGroup } from './group-access.ts'
import { handler } from './handler.ts'

type Uses = Pick<Services, 'turns' | 'groups' | 'gate'>

export const deleteGroups = handler({
  api: DeleteGroups,
  access: { operation: 'DELETE', resource: 'group' },
  async handle({ groupsNames }, context, services: Uses) {
    const results: { readonly groupId: string; readonly errorCode: number }[] = []
    const slice = services.turns.slice()
    const unloaded = await services.groups.unloaded(groupsNames)
    for (const groupId of new Set(groupsNames)) {
      if (slice.spent(unitsOfName(groupId))) await slice.next()
      const outcome = await eachGroup(groupId, { operation: 'DELETE', context, services }, () => services.groups.delete(groupId, unloaded))
      results.push({ groupId, errorCode: outcome.kind === 'ok' ? errors[outcome.value].code : outcome.code })
    }
    return { kind: 'now', response: { throttleTimeMs: 0, results } }
  },
  reject: ({ groupsNames }, { code }) => ({
    throttleTimeMs: 0,
    results: [...new Set(groupsNames)].map((groupId) => ({ groupId, errorCode: code })),
  }),
})
