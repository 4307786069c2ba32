// Heartbeat, and the check that an offset commit makes: what a member may do outside of a rebalance, and what keeps it in the group.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import type { CommitRequest, HeartbeatRequest } from './classic-messages.ts'
import type { Turn } from './classic-turn.ts'
import { createGroup } from './join-group.ts'
import { claimError, startSession } from './members.ts'

export function heartbeatError(turn: Turn, { memberId, groupInstanceId, generation, connection }: HeartbeatRequest): KafkaErrorName {
  const { state } = turn
  if (state.group === undefined) return 'UNKNOWN_MEMBER_ID'
  const refused = claimError(state, memberId, groupInstanceId)
  if (refused !== undefined) return refused
  if (generation !== state.group.generation) return 'ILLEGAL_GENERATION'
  startSession(turn, memberId, { connection })
  return turn.groupState === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
}

/**
 * May these offsets be committed? Who names no generation uses the group as a store of offsets only: it may while the group has no members, and
 * makes the group if there is none. A member's commit is a life sign too.
 */
export function commitError(turn: Turn, request: CommitRequest): KafkaErrorName {
  const { state } = turn
  const { memberId, groupInstanceId, generation, transactional } = request
  if (state.group === undefined) {
    if (generation >= 0) return request.version >= 9 && !transactional ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION'
    createGroup(turn)
    return 'NONE'
  }
  const { groupState } = turn
  if (generation < 0 && groupState === 'Empty') return 'NONE'
  if (generation >= 0 || memberId !== '' || groupInstanceId !== null) {
    const refused = claimError(state, memberId, groupInstanceId)
    if (refused !== undefined) return refused
    if (generation !== state.group.generation) return 'ILLEGAL_GENERATION'
  } else if (!transactional && groupState !== 'Empty') {
    return 'UNKNOWN_MEMBER_ID'
  }
  if (transactional) return 'NONE'
  // Its id and generation are right, so it has its answer to JoinGroup; but what it commits may be another member's by now.
  if (groupState === 'CompletingRebalance') return 'REBALANCE_IN_PROGRESS'
  startSession(turn, memberId, { connection: request.connection })
  return 'NONE'
}
