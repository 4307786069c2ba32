// Moves a server's time on request, after validating the arguments.
import type { MovableTime } from '@local-kafka-service/agent'
import { durationMs } from '../duration.ts'
import { UserError } from '../user-error.ts'
import type { AdvanceOptions, KafkaClock } from './kafka-clock.ts'
import { ofPostgres } from './of-postgres.ts'
import { checkOptionNames } from './option-names.ts'

/** `asked` runs a call unless the server has stopped. `now` is undefined if the time cannot be moved. */
export function clockOf(
  time: MovableTime | undefined,
  { asked, now }: { readonly asked: (work: () => Promise<void>) => Promise<void>; readonly now: () => number },
): KafkaClock {
  const move = (work: (movable: MovableTime) => Promise<void>): Promise<void> =>
    asked(async () => {
      if (time === undefined) throw ofPostgres('its clock cannot be moved')
      await work(time)
    })
  return {
    now,
    advance: (duration, options = {}) => move((movable) => movable.advance(advanceOf(duration), { sessions: sessionsOf(options) })),
    set: (to, options = {}) => move((movable) => movable.set(instantOf(to), { sessions: sessionsOf(options) })),
  }
}

function sessionsOf(options: AdvanceOptions): 'keep' | 'expire' {
  checkOptionNames('clock', options)
  const { sessions = 'keep' } = options
  if (sessions === 'keep' || sessions === 'expire') return sessions
  throw new UserError('LKS-1004', {
    what: `sessions: '${String(sessions)}' is not valid: use keep or expire`,
    fix: ["let members expire: sessions: 'expire'"],
  })
}

function advanceOf(duration: string | number): number {
  const ms = durationMs(String(duration))
  if (ms !== undefined && ms <= longestMs) return ms
  throw new UserError('LKS-1004', {
    what: `'${duration}' is not a valid duration`,
    fix: ['write it as 8d, 36h, 1h30m, 30s or 250ms, or as a number of milliseconds', 'to go back in time: clock.set(time)'],
  })
}

/** The range of a Date. */
const longestMs = 8.64e15

function instantOf(time: number | Date): number {
  const ms = typeof time === 'number' ? time : time.getTime()
  if (Number.isFinite(ms) && Math.abs(ms) <= longestMs) return ms
  throw new UserError('LKS-1004', { what: `'${String(time)}' is not a valid time`, fix: ['use a Date, or milliseconds since the epoch'] })
}
