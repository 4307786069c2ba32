// The output of a command in the requested format: tables for people, JSON and YAML for programs, bare names for shells.
import type { CommandOption, ParsedCommand, Terminal } from '../client-command.ts'
import { type Paint, paintOf } from './paint.ts'
import { type Column, fields, type NamedValue, table } from './table.ts'
import { yaml } from './yaml.ts'

export const outputFormats = ['table', 'json', 'yaml', 'name'] as const
export type OutputFormat = (typeof outputFormats)[number]

export const outputOption: CommandOption = {
  name: 'output',
  short: 'o',
  placeholder: 'format',
  default: 'table',
  doc: 'table, json, yaml, or name: one name per line.',
  completes: outputFormats,
  check: (value) => (isFormat(value) ? undefined : `must be one of ${outputFormats.join(', ')}`),
}

export function formatOf(given: ParsedCommand): OutputFormat {
  const format = given.option('output') ?? 'table'
  if (!isFormat(format)) throw new RangeError(`output: ${format}`)
  return format
}

/** One answer in each of the formats. */
export interface OutputView {
  /** For json and yaml: plain values. */
  readonly value: unknown
  /** For name. */
  readonly names: readonly string[]
  /** For people, an empty line between them. */
  readonly blocks: readonly TextBlock[]
  /** A note for people when the result is empty, such as `there are no topics`. */
  readonly nothing?: string
}

/** Text no wider than the given columns; undefined: no limit. */
export type TextBlock = (columns: number | undefined, paint: Paint) => string

export function tableBlock<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): TextBlock {
  return (width, paint) => table(columns, rows, { columns: width, paint })
}

export function fieldsBlock(rows: readonly NamedValue[]): TextBlock {
  return (_width, paint) => fields(rows, paint)
}

export function show(terminal: Terminal, format: OutputFormat, view: OutputView): void {
  if (format === 'table' && view.blocks.length === 0 && view.nothing !== undefined) terminal.talk.write(`${view.nothing}\n`)
  terminal.data.write(rendered(format, view, terminal))
}

/** Exported for its test and for output that is printed repeatedly. */
export function rendered(
  format: OutputFormat,
  view: OutputView,
  { interactive, columns, colours }: Pick<Terminal, 'interactive' | 'columns' | 'colours'>,
): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(view.value, undefined, 2)}\n`
    case 'yaml':
      return yaml(view.value)
    case 'name':
      return view.names.map((name) => `${name}\n`).join('')
    case 'table':
      return view.blocks.map((block) => block(interactive ? columns : undefined, paintOf({ colours }))).join('\n')
  }
}

function isFormat(value: string): value is OutputFormat {
  return outputFormats.some((format) => format === value)
}
