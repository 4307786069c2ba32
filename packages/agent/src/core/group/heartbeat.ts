// The answer to a heartbeat, and the check of an offset commit: both extend a member's session.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import type { CommitRequest, HeartbeatRequest } from './classic-messages.ts'
import type { Turn } from './classic-turn.ts'
import { createGroup } from './join-group.ts'
import { claimError, startSession } from './members.ts'

export function heartbeatError(turn: Turn, { memberId, groupInstanceId, generation, connection }: HeartbeatRequest): KafkaErrorName {
  const { state } = turn
  if (state.group === undefined) return 'UNKNOWN_MEMBER_ID'
  const rejected = claimError(state, memberId, groupInstanceId)
  if (rejected !== undefined) return rejected
  if (generation !== state.group.generation) return 'ILLEGAL_GENERATION'
  startSession(turn, memberId, { connection })
  return turn.groupState === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
}

/**
 * Checks whether these offsets may be committed. A client without a generation only stores offsets in the group: it may do so while the group has no
 * members, and creates a group that does not exist. A member's commit also extends its session.
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
    const rejected = claimError(state, memberId, groupInstanceId)
    if (rejected !== undefined) return rejected
    if (generation !== state.group.generation) return 'ILLEGAL_GENERATION'
  } else if (!transactional && groupState !== 'Empty') {
    return 'UNKNOWN_MEMBER_ID'
  }
  if (transactional) return 'NONE'
  // The member has its answer to JoinGroup, for its id and generation are right; but its partitions may already belong to another member.
  if (groupState === 'CompletingRebalance') return 'REBALANCE_IN_PROGRESS'
  startSession(turn, memberId, { connection: request.connection })
  return 'NONE'
}
