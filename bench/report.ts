// The report of a bench: rows that compare our result with a baseline of the same run, as a ratio; on the screen and as JSON lines.

export interface BenchRow {
  readonly bench: string
  readonly ours: string
  readonly baseline: string
  /** Our value divided by the baseline's; `goal` says which direction is good. */
  readonly ratio: number | undefined
  readonly goal: string
}

export function print(rows: readonly BenchRow[], json: boolean): void {
  if (json) {
    for (const row of rows) console.log(JSON.stringify(row))
    return
  }
  const cells = rows.map(({ bench, ours, baseline, ratio, goal }) => [
    bench,
    ours,
    baseline,
    ratio === undefined ? '' : ratio.toFixed(2),
    goal,
  ])
  const table = [['bench', 'ours', 'baseline', 'ratio', 'goal'], ...cells]
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

/** The median of an odd or even number of values. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
