// Spans of time on the command line: 500ms, 30s, 5m, 2h, 1d.
import type { CommandOption } from './client-command.ts'

const pattern = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/
const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export function durationOption(of: Pick<CommandOption, 'name' | 'doc'> & { readonly default: string }): CommandOption {
  return {
    ...of,
    placeholder: 'duration',
    check: (value) => (pattern.test(value) && millisecondsOf(value) > 0 ? undefined : 'must be a duration such as 500ms, 30s or 5m'),
  }
}

/** Checked before; anything else is 0. */
export function millisecondsOf(text: string): number {
  const [, amount = '0', unit = 'ms'] = pattern.exec(text) ?? []
  return Math.round(Number(amount) * (units[unit] ?? 1))
}
