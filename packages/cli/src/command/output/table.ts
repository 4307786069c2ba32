// A table for people: aligned columns under upper-case headers, two spaces apart; on a narrow terminal long names wrap within their column.
import { printable } from 'local-kafka-service/internal/printable'
import { cutToWidth, displayWidth } from './display-width.ts'
import { type Paint, plain, type Style } from './paint.ts'

export interface Column<Row> {
  /** In upper case. */
  readonly header: string
  readonly value: (row: Row) => string | number
  /** Numbers are aligned right. */
  readonly align?: 'right'
  /** The style of the value when colours are on. */
  readonly style?: (row: Row) => Style | undefined
}

export interface TableOptions {
  /** Undefined: no limit, for programs and files; lines are then never broken. */
  readonly columns?: number | undefined
  readonly paint?: Paint
}

const gap = 2
/** The narrowest width to which a column is reduced, on any terminal. */
const narrowest = 12

/** Ends with a line feed. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { columns: width, paint = plain }: TableOptions = {},
): string {
  const cells = rows.map((row) => columns.map(({ value }) => printable(String(value(row)))))
  const natural = columns.map(({ header }, at) => Math.max(displayWidth(header), ...cells.map((line) => displayWidth(line[at] ?? ''))))
  const widths = width === undefined ? natural : fitted(natural, width)
  const stylesOf = (row: Row): readonly (Style | undefined)[] => columns.map(({ style }) => style?.(row))
  const lines = [
    ...wrapped(columns, { cells: columns.map(({ header }) => header), styles: columns.map(() => 'key') }, { widths, paint }),
    ...rows.flatMap((row, at) => wrapped(columns, { cells: cells[at] ?? [], styles: stylesOf(row) }, { widths, paint })),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

/** The style applies to the value when colours are on. */
export type NamedValue = readonly [name: string, value: string | number, style?: Style | undefined]

/** `Name   value` lines. */
export function fields(rows: readonly NamedValue[], paint: Paint = plain): string {
  const width = Math.max(...rows.map(([name]) => displayWidth(name)))
  return rows
    .map(([name, value, style]) => {
      const text = printable(String(value))
      return `${pad(name, width, (key) => (key === '' ? key : paint('key', key)))}  ${style === undefined ? text : paint(style, text)}\n`
    })
    .join('')
}

/** Narrows the widest column until the line fits. */
function fitted(natural: readonly number[], width: number): readonly number[] {
  const widths = [...natural]
  const total = (): number => widths.reduce((sum, one) => sum + one, 0) + gap * (widths.length - 1)
  while (total() > width) {
    const widest = widths.indexOf(Math.max(...widths))
    const rest = Math.max(narrowest, ...widths.filter((_, at) => at !== widest))
    const current = widths[widest] ?? 0
    if (current <= narrowest) break
    widths[widest] = Math.max(narrowest, Math.min(current - 1, Math.max(rest, current - (total() - width))))
  }
  return widths
}

interface TableLine {
  readonly cells: readonly string[]
  readonly styles: readonly (Style | undefined)[]
}

function wrapped<Row>(
  columns: readonly Column<Row>[],
  { cells, styles }: TableLine,
  { widths, paint }: { readonly widths: readonly number[]; readonly paint: Paint },
): readonly string[] {
  const pieces = cells.map((cell, at) => cutToWidth(cell, widths[at] ?? 0))
  const height = Math.max(1, ...pieces.map(({ length }) => length))
  return Array.from({ length: height }, (_, row) =>
    pieces
      .map((piece, at) => {
        const text = piece[row] ?? ''
        const style = styles[at]
        const painted = (shown: string): string => (style === undefined || shown === '' ? shown : paint(style, shown))
        return columns[at]?.align === 'right' ? padStart(text, widths[at] ?? 0, painted) : pad(text, widths[at] ?? 0, painted)
      })
      .join(' '.repeat(gap))
      .trimEnd(),
  )
}

type Painted = (text: string) => string

/** Colours do not count as width. */
function pad(text: string, width: number, painted: Painted): string {
  return painted(text) + ' '.repeat(Math.max(0, width - displayWidth(text)))
}

function padStart(text: string, width: number, painted: Painted): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + painted(text)
}
