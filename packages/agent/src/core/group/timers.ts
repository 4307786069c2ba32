// The timers of a classic group: sessions end, phases end, and both start again after a reload.
import type { GroupState } from './classic-state.ts'
import type { Turn } from './classic-turn.ts'
import { removeMembers, startSession } from './members.ts'
import {
  completeJoin,
  everybodyHasJoined,
  joinPhaseExpired,
  prepareRebalance,
  rebalanceOrCompleteJoin,
  rebalanceTimeoutMs,
  syncPhaseExpired,
} from './rebalance.ts'

/** Handles everything that is due. */
export function expire(turn: Turn): void {
  expireSessions(turn)
  const { phase } = turn.state
  if (phase.kind !== 'resting' && phase.deadlineMs <= turn.nowMs) {
    if (phase.kind === 'joining') joinPhaseExpired(turn)
    else syncPhaseExpired(turn)
  }
  turn.setAlarm(firstSessionEnd(turn.state))
}

/** The time of the next wake-up; at once after a reload. */
export function nextEnd(state: GroupState): number | null {
  if (mustResume(state)) return 0
  const { alarmMs, phase } = state
  return phase.kind === 'resting' ? alarmMs : Math.min(phase.deadlineMs, alarmMs ?? Infinity)
}

/** The journal keeps neither sessions nor phases: a group that lacks the ones its state requires was reloaded. */
export function mustResume({ group, member, session, phase }: GroupState): boolean {
  if (group === undefined) return false
  return (
    session.size < member.size ||
    (phase.kind === 'resting' && (group.state === 'PreparingRebalance' || group.state === 'CompletingRebalance'))
  )
}

/** Starts all time-outs again at full length, because no agent received requests during the outage. Parked requests were lost with their connections. */
export function resume(turn: Turn): void {
  const { state, nowMs, settings } = turn
  const { groupState } = turn
  for (const [id] of state.member) startSession(turn, id)
  const deadlineMs = nowMs + rebalanceTimeoutMs(state)
  if (groupState === 'PreparingRebalance') {
    if (everybodyHasJoined(state)) completeJoin(turn)
    else turn.setPhase({ kind: 'joining', deadlineMs, initial: null })
  } else if (groupState === 'CompletingRebalance') {
    turn.setPhase({ kind: 'syncing', deadlineMs, missing: state.member.size })
  }
  if (state.member.size > settings.maxSize && groupState !== 'PreparingRebalance') prepareRebalance(turn)
}

/** The session of a member with a parked request does not end, because the member waits for the group. Its first JoinGroup is an exception: see `fresh`. */
function expireSessions(turn: Turn): void {
  const { state, nowMs } = turn
  const ids = [...state.pending].filter(([, { expiresAtMs }]) => expiresAtMs <= nowMs).map(([id]) => id)
  for (const id of ids) turn.setPending(id, null)
  const silent: string[] = []
  for (const [id, session] of state.session) {
    if (session.expiresAtMs === null || session.expiresAtMs > nowMs) continue
    if (!session.fresh && (state.join.has(id) || state.sync.has(id))) turn.setSession(id, { ...session, expiresAtMs: null })
    else silent.push(id)
  }
  removeMembers(turn, silent)
  if (ids.length + silent.length === 0) return
  if (turn.groupState === 'PreparingRebalance') {
    // Also during the initial delay of an empty group: it has already waited for a whole session.
    if (everybodyHasJoined(state)) completeJoin(turn)
  } else if (silent.length > 0) {
    rebalanceOrCompleteJoin(turn)
  }
}

function firstSessionEnd({ session, pending }: GroupState): number | null {
  let first = Infinity
  for (const [, { expiresAtMs }] of session) if (expiresAtMs !== null) first = Math.min(first, expiresAtMs)
  for (const [, { expiresAtMs }] of pending) first = Math.min(first, expiresAtMs)
  return first === Infinity ? null : first
}
