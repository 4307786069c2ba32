// The description of a classic group for DescribeGroups, and the topics that its members read.
import type { Described, OffsetDeleteReply, OffsetExpiryReply } from './classic-messages.ts'
import type { GroupState } from './classic-state.ts'
import { assignmentOf, metadataOf } from './members.ts'
import { subscribedTopics } from './subscription.ts'

/** Only a stable group has a protocol and metadata of its members; in other states Kafka leaves both empty. */
export function describe(state: GroupState): Described {
  const { group } = state
  const protocolName = group?.state === 'Stable' ? group.protocolName : null
  return {
    kind: 'described',
    state: group?.state ?? 'Dead',
    protocolType: group?.protocolType ?? '',
    protocolName: protocolName ?? '',
    generation: group?.generation ?? -1,
    leader: group?.leader ?? '',
    members: [...state.member].map(([memberId, member]) => ({
      memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      metadata: metadataOf(member, protocolName),
      assignment: assignmentOf(state, memberId),
      synced: isSynced(state, memberId),
    })),
  }
}

/** Whether the member has sent its SyncGroup. The journal does not keep this, so after a reload every member counts as synced. */
function isSynced({ group, phase, session }: GroupState, memberId: string): boolean {
  if (group?.state !== 'Stable') return false
  return phase.kind !== 'syncing' || session.get(memberId)?.synced === true
}

/** Whether offsets may be deleted, and the topics whose offsets may not. The group knows the topics of consumers only, not of other protocol types. */
export function offsetsInUse(state: GroupState): OffsetDeleteReply {
  const { group } = state
  const kind = 'offset delete'
  if (group === undefined) return { kind, error: 'GROUP_ID_NOT_FOUND', subscribed: none }
  if (group.state === 'Empty') return { kind, error: 'NONE', subscribed: none }
  if (group.protocolType !== 'consumer') return { kind, error: 'NON_EMPTY_GROUP', subscribed: none }
  return { kind, error: 'NONE', subscribed: subscribed(state, group.protocolName) }
}

/** The topics whose offsets do not expire: the topics that a stable group of consumers reads, and all topics in any other group. */
export function offsetsThatStay(state: GroupState): OffsetExpiryReply {
  const { group } = state
  const settled = group?.state === 'Stable' && group.protocolType === 'consumer'
  return { kind: 'offset expiry', subscribed: settled ? subscribed(state, group.protocolName) : 'all' }
}

function subscribed(state: GroupState, protocolName: string | null): ReadonlySet<string> | 'all' {
  const all = new Set<string>()
  for (const [, member] of state.member) {
    const topics = subscribedTopics(metadataOf(member, protocolName))
    if (topics === undefined) return 'all'
    for (const topic of topics) all.add(topic)
  }
  return all
}

const none: ReadonlySet<string> = new Set()
