// What a test hands to its faults, checked: a wrong name or number is a UserError that says so, and changes nothing.
import { didYouMean } from '../../did-you-mean.ts'
import { durationMs } from '../../duration.ts'
import { UserError } from '../../user-error.ts'
import type { BelowOptions, Duration, FaultOptions } from './fault-types.ts'
import { kafkaErrorNames } from './kafka-names.ts'

/** `what`: `API`, `error`. */
export function checkName(name: string, { what, known }: { readonly what: string; readonly known: readonly string[] }): void {
  if (known.includes(name)) return
  const asked = String(name).toLowerCase()
  const near =
    known.find((one) => one.toLowerCase() === asked) ?? known.find((one) => asked.length > 3 && one.toLowerCase().startsWith(asked))
  const hint = near === undefined ? didYouMean(String(name), known) : `; did you mean ${near}?`
  const few = known.length <= 12 ? `it is one of ${known.join(', ')}` : undefined
  throw wrong(`there is no ${what} '${String(name)}'${hint}`, few, 'see docs/guides/faults.md')
}

export function checkError(name: string): void {
  checkName(name, { what: 'error', known: kafkaErrorNames.filter((known) => known !== 'NONE') })
}

/** Milliseconds, above 0. */
export function millisecondsOf(duration: Duration, what: string): number {
  const milliseconds = durationMs(String(duration))
  if (milliseconds !== undefined && milliseconds > 0 && milliseconds <= longestMs) return milliseconds
  const why = "it is a number of milliseconds above 0, or a text such as '800ms', '2s', '1m'; at most a day"
  throw wrong(`${what}: '${String(duration)}' is no duration`, why, "give it as '2s'")
}

const longestMs = 24 * 3_600_000

/** `when` and the texts are the caller's types to check; numbers that make no sense are not. */
export function checkCounts({ times, rate }: Pick<FaultOptions & BelowOptions<never>, 'times' | 'rate'>): void {
  if (times !== undefined && !(Number.isSafeInteger(times) && times >= 1))
    throw wrong(`times: ${String(times)}`, 'it is a whole number from 1 on', 'leave times out for every time')
  if (rate !== undefined && !(rate > 0 && rate <= 1))
    throw wrong(`rate: ${String(rate)}`, 'it is above 0 and at most 1', 'give 0.1 for one in ten')
}

const requestOptions = ['topic', 'clientId', 'group', 'times', 'rate', 'seed', 'when']
const belowOptions = ['times', 'rate', 'seed', 'for', 'when']

export function checkOptions(options: object, of: 'request' | 'below'): void {
  for (const name of Object.keys(options)) checkName(name, { what: 'option', known: of === 'request' ? requestOptions : belowOptions })
  checkCounts(options)
}

function wrong(what: string, why: string | undefined, fix: string): UserError {
  return new UserError('LKS-1004', { what, why, fix: [fix] })
}
