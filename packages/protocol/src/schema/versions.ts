// Reads Kafka's notation of version ranges.
import type { Versions } from './dsl.ts'

/** Whether `version` lies in the range. An absent range contains every version. */
export function inVersions(range: Versions | undefined, version: number): boolean {
  if (range === undefined) return true
  if (range.endsWith('+')) return version >= Number(range.slice(0, -1))
  const [first = '', last = first] = range.split('-')
  return version >= Number(first) && version <= Number(last)
}
