// Texts that several screens share.

/** `0,1,2,5` → `0-2,5`. */
export function ranges(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].toSorted((a, b) => a - b)
  const runs: { first: number; last: number }[] = []
  for (const number of sorted) {
    const run = runs.at(-1)
    if (run !== undefined && run.last === number - 1) run.last = number
    else runs.push({ first: number, last: number })
  }
  return runs
    .map(({ first, last }) => (first === last ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`))
    .join(',')
}

/** `-` for undefined, which means unknown. */
export function orUnknown(value: number | string | undefined): number | string {
  return value ?? '-'
}
