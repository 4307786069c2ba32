// A table for people: aligned columns under upper-case headers, two spaces apart; long names go on in their own column where a terminal is narrow.
import { cutToWidth, displayWidth, printable } from './display-width.ts'

export interface Column<Row> {
  /** In upper case. */
  readonly header: string
  readonly value: (row: Row) => string | number
  /** Numbers stand to the right. */
  readonly align?: 'right'
}

export interface TableOptions {
  /** Undefined: no limit, for programs and files; a line is then never broken. */
  readonly columns?: number | undefined
}

const gap = 2
/** A column is never made narrower than this, whatever the terminal's width. */
const narrowest = 12

/** With a line break at its end. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], { columns: width }: TableOptions = {}): string {
  const cells = rows.map((row) => columns.map(({ value }) => printable(String(value(row)))))
  const natural = columns.map(({ header }, at) => Math.max(displayWidth(header), ...cells.map((line) => displayWidth(line[at] ?? ''))))
  const widths = width === undefined ? natural : fitted(natural, width)
  const lines = [columns.map(({ header }) => header), ...cells].flatMap((line) => wrapped(columns, line, widths))
  return lines.map((line) => `${line}\n`).join('')
}

/** `Name   value` lines. */
export function fields(rows: readonly (readonly [name: string, value: string | number])[]): string {
  const width = Math.max(...rows.map(([name]) => displayWidth(name)))
  return rows.map(([name, value]) => `${pad(name, width)}  ${printable(String(value))}\n`).join('')
}

/** Takes from the widest column until the line fits. */
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

function wrapped<Row>(columns: readonly Column<Row>[], line: readonly string[], widths: readonly number[]): readonly string[] {
  const pieces = line.map((cell, at) => cutToWidth(cell, widths[at] ?? 0))
  const height = Math.max(1, ...pieces.map(({ length }) => length))
  return Array.from({ length: height }, (_, row) =>
    pieces
      .map((piece, at) => {
        const text = piece[row] ?? ''
        return columns[at]?.align === 'right' ? padStart(text, widths[at] ?? 0) : pad(text, widths[at] ?? 0)
      })
      .join(' '.repeat(gap))
      .trimEnd(),
  )
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)))
}

function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + text
}
