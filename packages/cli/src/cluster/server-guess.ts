// Guesses the server's version from its APIs: no API of Kafka reports the version, but each version of Kafka added APIs.

interface ApiVersionRange {
  readonly key: number
  readonly min: number
  readonly max: number
}

/** The first version of Apache Kafka that had an API at this version or newer, newest first (from its release notes and message schemas). */
const marks: readonly (readonly [version: string, key: number, atLeast: number])[] = [
  ['4.1', 0, 13],
  ['4.0', 0, 12],
  ['3.9', 1, 17],
  ['3.7', 1, 16],
  ['3.5', 1, 15],
  ['3.1', 1, 13],
  ['2.8', 60, 0],
  ['2.7', 1, 12],
  ['2.4', 46, 0],
  ['2.3', 44, 0],
  ['1.0', 37, 0],
  ['0.10', 18, 0],
]

/** `speaks as Apache Kafka 4.1 or newer does`: other servers may look the same. */
export function serverGuess(apis: readonly ApiVersionRange[]): string {
  const found = marks.find(([, key, atLeast]) => apis.some((api) => api.key === key && api.max >= atLeast))
  return found === undefined ? 'unknown' : `speaks as Apache Kafka ${found[0]} or newer does`
}
