// SyncGroup in a classic group: members wait for the leader's assignment, then take theirs.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import { type SyncReply, type SyncRequest, syncRejection } from './classic-messages.ts'
import type { GroupState } from './classic-state.ts'
import type { Turn } from './classic-turn.ts'
import type { RequestId } from './machine.ts'
import { assignmentOf, claimError, spokeOver } from './members.ts'
import { answerSyncs, groupOf } from './rebalance.ts'

export function syncGroup(turn: Turn, request: SyncRequest, from: RequestId): void {
  const { state } = turn
  const { memberId } = request
  const rejected = syncError(state, request)
  if (rejected !== undefined) return turn.answer(from, syncRejection(rejected))
  markSynced(turn, request)
  if (groupOf(state).state === 'Stable') return turn.answer(from, assigned(state, memberId))
  const superseded = state.sync.get(memberId)
  if (superseded !== undefined) turn.answer(superseded, syncRejection('REBALANCE_IN_PROGRESS'))
  turn.setSync(memberId, from)
  if (state.group?.leader === memberId) takeAssignments(turn, request)
}

function syncError(state: GroupState, request: SyncRequest): KafkaErrorName | undefined {
  const { group } = state
  if (group === undefined) return 'UNKNOWN_MEMBER_ID'
  const rejected = claimError(state, request.memberId, request.groupInstanceId)
  if (rejected !== undefined) return rejected
  if (request.generation !== group.generation) return 'ILLEGAL_GENERATION'
  const { protocolType, protocolName } = request
  if (protocolType !== null && protocolType !== group.protocolType) return 'INCONSISTENT_GROUP_PROTOCOL'
  if (protocolName !== null && protocolName !== group.protocolName) return 'INCONSISTENT_GROUP_PROTOCOL'
  return group.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : undefined
}

/** Records the member's SyncGroup. The last one ends the phase. */
function markSynced(turn: Turn, { memberId, connection }: SyncRequest): void {
  const { session, phase } = turn.state
  spokeOver(turn, memberId, connection)
  const life = session.get(memberId)
  if (life === undefined) return
  if (!life.synced && phase.kind === 'syncing') {
    turn.setPhase(phase.missing > 1 ? { ...phase, missing: phase.missing - 1 } : { kind: 'resting' })
  }
  if (!life.synced) turn.setSession(memberId, { ...life, synced: true })
}

/** Saves the leader's assignments. Members without one get an empty assignment; ids that are not members are ignored. */
function takeAssignments(turn: Turn, request: SyncRequest): void {
  const { state } = turn
  const group = groupOf(state)
  const { generation } = group
  for (const { memberId, assignment } of request.assignments) {
    if (state.member.has(memberId)) turn.setAssignment(memberId, { generation, assignment: new Uint8Array(assignment) })
  }
  turn.setGroup({ ...group, state: 'Stable', assignedGeneration: generation })
  answerSyncs(turn, (memberId) => assigned(state, memberId))
}

function assigned(state: GroupState, memberId: string): SyncReply {
  const { protocolType, protocolName } = groupOf(state)
  return { kind: 'sync', error: 'NONE', protocolType, protocolName, assignment: assignmentOf(state, memberId) }
}
