// What a classic group tells about itself: DescribeGroups, and which topics its members read.
import type { Described, OffsetDeleteReply, OffsetExpiryReply } from './classic-messages.ts'
import type { GroupState } from './classic-state.ts'
import { assignmentOf, metadataOf } from './members.ts'
import { subscribedTopics } from './subscription.ts'

/** The protocol and the members' metadata are settled in a stable group only; before, Kafka leaves both empty. */
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

/** After a reload it is not known any more who has asked; all had, as far as anybody can tell. */
function isSynced({ group, phase, session }: GroupState, memberId: string): boolean {
  if (group?.state !== 'Stable') return false
  return phase.kind !== 'syncing' || session.get(memberId)?.synced === true
}

/** May offsets be deleted, and of which topics not? Of consumers it is known what they read; of other kinds of members it is not. */
export function offsetsInUse(state: GroupState): OffsetDeleteReply {
  const { group } = state
  const kind = 'offset delete'
  if (group === undefined) return { kind, error: 'GROUP_ID_NOT_FOUND', subscribed: none }
  if (group.state === 'Empty') return { kind, error: 'NONE', subscribed: none }
  if (group.protocolType !== 'consumer') return { kind, error: 'NON_EMPTY_GROUP', subscribed: none }
  return { kind, error: 'NONE', subscribed: subscribed(state, group.protocolName) }
}

/** Offsets of which topics do not expire by their age? A stable group of consumers has settled what it reads; of any other all stay. */
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
