// The classic group coordinator as a machine: members join, the leader assigns, heartbeats keep members in the group. The rules are docs/specs/classic-group.md.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import type { ClassicReply, ClassicRequest, ClassicSettings } from './classic-messages.ts'
import { applyChange, type ClassicChange, emptyState, type GroupState } from './classic-state.ts'
import { Turn } from './classic-turn.ts'
import { describe, offsetsInUse, offsetsThatStay } from './describe.ts'
import { commitError, heartbeatError } from './heartbeat.ts'
import { joinGroup } from './join-group.ts'
import { disconnect, leaveGroup } from './leave-group.ts'
import type { Machine, RequestId, Step } from './machine.ts'
import { syncGroup } from './sync-group.ts'
import { expire, mustResume, nextEnd, resume } from './timers.ts'

export class ClassicGroup implements Machine<ClassicRequest, ClassicReply, ClassicChange> {
  readonly #settings: ClassicSettings
  readonly #state: GroupState = emptyState()

  constructor(settings: ClassicSettings) {
    this.#settings = settings
  }

  handle(request: ClassicRequest, from: RequestId, nowMs: number): Step<ClassicReply, ClassicChange> {
    const turn = this.#turn(nowMs)
    answer(turn, request, from)
    return turn.end()
  }

  wake(nowMs: number): Step<ClassicReply, ClassicChange> {
    const turn = this.#turn(nowMs)
    expire(turn)
    return turn.end()
  }

  apply(change: ClassicChange): void {
    applyChange(this.#state, change)
  }

  nextWake(): number | null {
    return nextEnd(this.#state)
  }

  /** The first turn after a reload also starts the sessions and the phase, which the journal does not keep. */
  #turn(nowMs: number): Turn {
    const turn = new Turn(this.#state, this.#settings, nowMs)
    if (mustResume(turn.state)) resume(turn)
    return turn
  }
}

function answer(turn: Turn, request: ClassicRequest, from: RequestId): void {
  switch (request.kind) {
    case 'join':
      return joinGroup(turn, request, from)
    case 'sync':
      return syncGroup(turn, request, from)
    case 'heartbeat':
      return turn.answer(from, { kind: 'heartbeat', error: heartbeatError(turn, request) })
    case 'leave':
      return leaveGroup(turn, request, from)
    case 'commit':
      return turn.answer(from, { kind: 'commit', error: commitError(turn, request) })
    case 'offset delete':
      return turn.answer(from, offsetsInUse(turn.state))
    case 'offset expiry':
      return turn.answer(from, offsetsThatStay(turn.state))
    case 'delete':
      return turn.answer(from, { kind: 'delete', error: deleteGroup(turn) })
    case 'describe':
      return turn.answer(from, describe(turn.state))
    case 'disconnect':
      return disconnect(turn, request, from)
  }
}

/** Deletes a group without members, with its pending ids. The runner deletes the offsets with the group row. */
function deleteGroup(turn: Turn): KafkaErrorName {
  const { state } = turn
  if (state.group === undefined) return 'GROUP_ID_NOT_FOUND'
  if (state.group.state !== 'Empty') return 'NON_EMPTY_GROUP'
  for (const [id] of state.pending) turn.setPending(id, null)
  turn.setGroup(null)
  return 'NONE'
}
