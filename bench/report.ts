// The report of a bench: rows that compare our result with an older build and with a baseline of the same run; on the screen and as JSON lines.
import { median } from './rounds.ts'

export interface BenchRow {
  readonly bench: string
  readonly ours: string
  /** The result of the older checkout that `--against` names, and our value divided by its value. */
  readonly before?: string
  readonly change?: number
  readonly baseline: string
  /** Our value divided by the baseline's; `goal` says which direction is good. */
  readonly ratio: number | undefined
  readonly goal: string
}

/** The samples of one number. */
export interface ComparedSamples {
  readonly bench: string
  readonly ours: readonly number[]
  readonly before?: readonly number[] | undefined
  readonly baseline?: readonly number[] | undefined
  /** For the baseline's cell: what it is. */
  readonly baselineName?: string
  readonly shown: (value: number) => string
  readonly goal?: string
}

/** A row of medians. Samples that are not numbers do not count. */
export function comparedRow({ bench, ours, before, baseline, baselineName, shown, goal = '' }: ComparedSamples): BenchRow {
  const middle = (samples: readonly number[]): number => median(samples.filter((sample) => !Number.isNaN(sample)))
  const cell = (samples: readonly number[]): string => (Number.isNaN(middle(samples)) ? 'not measured' : shown(middle(samples)))
  const ratioTo = (other: readonly number[] | undefined): number | undefined => {
    const ratio = other === undefined ? Number.NaN : middle(ours) / middle(other)
    return Number.isFinite(ratio) ? ratio : undefined
  }
  const change = ratioTo(before)
  return {
    bench,
    ours: cell(ours),
    ...(before !== undefined && { before: cell(before) }),
    ...(change !== undefined && { change }),
    baseline: baseline === undefined ? '' : `${cell(baseline)}${baselineName === undefined ? '' : ` (${baselineName})`}`,
    ratio: ratioTo(baseline),
    goal,
  }
}

/** The columns of the older build appear only if a row has them. */
export function print(rows: readonly BenchRow[], json: boolean): void {
  if (json) {
    for (const row of rows) console.log(JSON.stringify(row))
    return
  }
  const compared = rows.some(({ before }) => before !== undefined)
  const number = (ratio: number | undefined): string => (ratio === undefined ? '' : ratio.toFixed(2))
  const cells = rows.map(({ bench, ours, before = '', change, baseline, ratio, goal }) => [
    bench,
    ours,
    ...(compared ? [before, number(change)] : []),
    baseline,
    number(ratio),
    goal,
  ])
  const table = [['bench', 'ours', ...(compared ? ['before', 'ours/before'] : []), 'baseline', 'ratio', 'goal'], ...cells]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}
