// ListGroups lists the groups that this agent coordinates.
// - Versions: 0–5.
// - KIPs: 518 (filter by state, 4+), 848 (filter by type, 5+).
// - An unknown state or type matches no group, as in Kafka.
import { ListGroups } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import { cluster } from './authorized-operations.ts'
import { mayTouchGroup } from './group-access.ts'
import { handler } from './handler.ts'

type Uses = Pick<Services, 'groups' | 'gate'>

export const listGroups = handler({
  api: ListGroups,
  access: { operation: 'DESCRIBE', resource: 'group' },
  async handle({ statesFilter, typesFilter }, context, services: Uses) {
    // A client that may describe the cluster sees all groups; another client sees those that it may describe.
    const all = services.gate.authorize(context, 'DESCRIBE', cluster)
    const inStates = filter(statesFilter)
    const ofTypes = filter(typesFilter)
    const groups = (await services.groups.list())
      .filter(({ groupId, state, kind }) => {
        if (!inStates(state) || !ofTypes(kind)) return false
        return all || mayTouchGroup(groupId, { operation: 'DESCRIBE', context, services })
      })
      .map(({ groupId, protocolType, state, kind }) => ({ groupId, protocolType, groupState: state, groupType: kind }))
    return { kind: 'now', response: { throttleTimeMs: 0, errorCode: 0, groups } }
  },
  reject: (_request, { code }) => ({ throttleTimeMs: 0, errorCode: code, groups: [] }),
})

/** An empty list matches everything. */
function filter(names: readonly string[]): (name: string) => boolean {
  const wanted = new Set(names.map((name) => name.trim().toLowerCase()))
  return (name) => wanted.size === 0 || wanted.has(name.toLowerCase())
}
