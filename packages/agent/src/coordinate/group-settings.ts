// What the groups' machines need of the agent's settings.
import type { ClassicSettings } from '../core/group/classic-messages.ts'
import { limits } from '../limits.ts'
import { flag, number, type Settings } from '../settings.ts'

export function groupSettings(of: Settings): ClassicSettings {
  return {
    initialRebalanceDelayMs: number(of, 'group.initial.rebalance.delay.ms'),
    minSessionTimeoutMs: number(of, 'group.min.session.timeout.ms'),
    maxSessionTimeoutMs: number(of, 'group.max.session.timeout.ms'),
    maxSize: number(of, 'group.max.size'),
    newMemberJoinTimeoutMs: limits.newMemberJoinTimeoutMs,
    leaveOnDisconnect: flag(of, 'group.leave.on.disconnect'),
  }
}
