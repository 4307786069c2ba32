// A small live chart: one line over the last minutes, with its newest value beside it.
import type { JSX } from 'preact'

export interface ChartProps {
  readonly label: string
  /** The newest value is the last one; the first ones are undefined until there are enough. */
  readonly values: readonly number[]
  readonly format: (value: number) => string
  /** What the values are, in a few words: `a second`. */
  readonly unit?: string
}

/** The number of values over which a chart reaches. */
export const chartLength = 60

const width = 240
const height = 44

export function Chart({ label, values, format, unit }: ChartProps): JSX.Element {
  const newest = values.at(-1)
  const most = Math.max(...values, 0)
  const shown = newest === undefined ? '–' : format(newest)
  const line = pathOf(values, most)
  const described =
    newest === undefined ? `${label}: no values yet` : `${label}: ${shown}${unit === undefined ? '' : ` ${unit}`}, at most ${format(most)}`
  return (
    <figure class="chart">
      <figcaption>{label}</figcaption>
      <strong>
        {shown} {newest !== undefined && unit !== undefined && <small>{unit}</small>}
      </strong>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={described}>
        {line !== '' && <path class="area" d={`${line} L${width} ${height} L${xOf(chartLength - values.length)} ${height} Z`} />}
        {line !== '' && <path class="line" d={line} vector-effect="non-scaling-stroke" />}
      </svg>
    </figure>
  )
}

/** A line without numbers, for a cell of a table that has the newest value beside it. */
export function Trend({ values }: { readonly values: readonly number[] }): JSX.Element {
  return (
    <svg class="trend" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="line" d={pathOf(values, Math.max(...values, 0))} vector-effect="non-scaling-stroke" />
    </svg>
  )
}

function pathOf(values: readonly number[], most: number): string {
  if (values.length < 2) return ''
  const first = chartLength - values.length
  return values
    .map(
      (value, index) =>
        `${index === 0 ? 'M' : 'L'}${xOf(first + index)} ${(height - 2 - (most === 0 ? 0 : (value / most) * (height - 6))).toFixed(1)}`,
    )
    .join(' ')
}

function xOf(index: number): string {
  return ((index / (chartLength - 1)) * width).toFixed(1)
}
