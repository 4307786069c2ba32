// What is wrong with the value of an option, in words.

/** Of a parser's answer. */
export function whatIsWrong(parsed: { readonly kind: string; readonly why?: string }): string | undefined {
  return parsed.kind === 'wrong' ? `cannot be used: ${parsed.why ?? ''}` : undefined
}

/** A whole number that fits in 31 bits. */
export function count(value: string): string | undefined {
  return /^\d{1,10}$/.test(value) && Number(value) < 2 ** 31 ? undefined : 'is no whole number from 0 on'
}
