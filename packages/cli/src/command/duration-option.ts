// An option of a client command whose value is a duration: 500ms, 30s, 5m, 2h, 1d.
import { spanMs } from 'local-kafka-service/internal/duration'
import type { CommandOption } from './client-command.ts'

export function durationOption(of: Pick<CommandOption, 'name' | 'doc' | 'default'>): CommandOption {
  return { ...of, placeholder: 'duration', check: whatIsWrong }
}

/** In milliseconds. The option's check has validated the value. */
export function givenDuration(text: string): number {
  const ms = spanMs(text)
  if (ms === undefined) throw new RangeError(`'${text}' is not a valid duration, although the option was checked`)
  return ms
}

function whatIsWrong(value: string): string | undefined {
  const ms = spanMs(value)
  if (ms === undefined || ms === 0) return 'must be a duration such as 500ms, 30s or 5m'
  return ms <= longestMs ? undefined : 'must be at most 24 days'
}

/** A longer time-out would fire at once, because timers have 31 bits. */
const longestMs = 24 * 86_400_000
