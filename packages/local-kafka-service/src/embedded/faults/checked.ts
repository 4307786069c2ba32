// What a test hands to its faults, checked: a wrong name or number is a UserError that says so, and changes nothing.
import { didYouMean } from '../../did-you-mean.ts'
import { UserError } from '../../user-error.ts'
import type { BelowOptions, Duration, FaultOptions } from './fault-types.ts'

/** `what`: `API`, `error`. */
export function checkName(name: string, { what, known }: { readonly what: string; readonly known: readonly string[] }): void {
  if (known.includes(name)) return
  const byCase = known.find((candidate) => candidate.toLowerCase() === String(name).toLowerCase())
  const hint = byCase === undefined ? didYouMean(String(name), known) : `; did you mean ${byCase}?`
  throw wrong(
    `there is no ${what} '${String(name)}'${hint}`,
    known.length <= 40 ? `one of ${known.join(', ')}` : 'see docs/guides/faults.md',
  )
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** Milliseconds, above 0. */
export function millisecondsOf(duration: Duration, what: string): number {
  const [, amount, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(String(duration)) ?? []
  const milliseconds = Number(amount) * (units[unit] ?? Number.NaN)
  if (milliseconds > 0 && milliseconds <= longestMs) return milliseconds
  throw wrong(
    `${what}: '${String(duration)}' is no duration`,
    "a number of milliseconds, or a text such as '800ms', '2s', '1m'; at most a day",
  )
}

const longestMs = 24 * 3_600_000

/** `when` and the texts are the caller's types to check; numbers that make no sense are not. */
export function checkCounts({ times, rate }: Pick<FaultOptions & BelowOptions<never>, 'times' | 'rate'>): void {
  if (times !== undefined && !(Number.isSafeInteger(times) && times >= 1))
    throw wrong(`times: ${String(times)} is no number of times`, 'a whole number from 1 on')
  if (rate !== undefined && !(rate > 0 && rate <= 1))
    throw wrong(`rate: ${String(rate)} is no rate`, 'above 0, and at most 1 for every one')
}

const requestOptions = ['topic', 'clientId', 'group', 'times', 'rate', 'seed', 'when', 'api']
const belowOptions = ['times', 'rate', 'seed', 'for', 'when']

export function checkOptions(options: object, of: 'request' | 'below'): void {
  for (const name of Object.keys(options)) checkName(name, { what: 'option', known: of === 'request' ? requestOptions : belowOptions })
  checkCounts(options)
}

function wrong(what: string, fix: string): UserError {
  return new UserError('LKS-1004', { what, fix: [fix] })
}
