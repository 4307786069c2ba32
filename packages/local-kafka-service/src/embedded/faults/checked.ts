// Validates the arguments of faults: a wrong name or number is a UserError, and changes nothing.
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
  throw wrong(`'${String(name)}' is not a known ${what}${hint}`, few, 'see docs/guides/faults.md')
}

export function checkError(name: string): void {
  checkName(name, { what: 'error', known: kafkaErrorNames.filter((known) => known !== 'NONE') })
}

/** In milliseconds, above 0. */
export function millisecondsOf(duration: Duration, what: string): number {
  const milliseconds = durationMs(String(duration))
  if (milliseconds !== undefined && milliseconds > 0 && milliseconds <= longestMs) return milliseconds
  const why = "use a number of milliseconds above 0, or a text such as '800ms', '2s', '1m'; at most a day"
  throw wrong(`${what}: '${String(duration)}' is not a valid duration`, why, "write it as '2s'")
}

const longestMs = 24 * 3_600_000

/** Types check `when` and the texts; this validates the numbers. */
export function checkCounts({ times, rate }: Pick<FaultOptions & BelowOptions<never>, 'times' | 'rate'>): void {
  if (times !== undefined && !(Number.isSafeInteger(times) && times >= 1))
    throw wrong(`times: ${String(times)}`, 'must be an integer of at least 1', 'omit times for every request')
  if (rate !== undefined && !(rate > 0 && rate <= 1))
    throw wrong(`rate: ${String(rate)}`, 'must be above 0 and at most 1', 'use 0.1 for one in ten')
}

const requestOptions = ['topic', 'clientId', 'group', 'times', 'rate', 'seed', 'when']
const serviceOptions = ['times', 'rate', 'seed', 'for', 'when']

export function checkOptions(options: object, of: 'request' | 'service'): void {
  for (const name of Object.keys(options)) checkName(name, { what: 'option', known: of === 'request' ? requestOptions : serviceOptions })
  checkCounts(options)
}

function wrong(what: string, why: string | undefined, fix: string): UserError {
  return new UserError('LKS-1004', { what, why, fix: [fix] })
}
