// Checks of option values; each returns the reason why the value is not valid.

/** Checks the result of a parser. */
export function whatIsWrong(parsed: { readonly kind: string; readonly why?: string }): string | undefined {
  return parsed.kind === 'wrong' ? `is not valid: ${parsed.why ?? ''}` : undefined
}

/** An integer from 0 to 2³¹ - 1. */
export function count(value: string): string | undefined {
  return /^\d{1,10}$/.test(value) && Number(value) < 2 ** 31 ? undefined : 'is not an integer from 0 to 2147483647'
}

/** A word that the command line has checked with `oneOf`. */
export function givenWord<T extends string>(words: readonly T[], value: string): T {
  const word = words.find((candidate) => candidate === value)
  if (word === undefined) throw new RangeError(`'${value}' is not one of ${words.join(', ')}, although the option was checked`)
  return word
}

export function oneOf(words: readonly string[]): (value: string) => string | undefined {
  return (value) => (words.includes(value) ? undefined : `is not one of ${words.join(', ')}`)
}
