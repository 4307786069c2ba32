// The formats for records: a kcat format, JSON, names, lines for people, or bare values.
import type { Terminal } from '../client-command.ts'
import type { ConsumedRecord } from './consumed-record.ts'
import { recordName } from './consumed-record.ts'
import { prettyJson, prettyRecord } from './pretty.ts'
import { formatted, parseFormat } from './record-format.ts'
import { recordLine } from './record-json.ts'
import { recordView } from './record-view.ts'

/** The pieces to write for one record; its key and value are not copied. */
export type RecordPrinter = (record: ConsumedRecord) => readonly Buffer[]

/** `format` has been validated. Bare values are for programs: `lks consume orders -e | wc -l`. */
export function printerOf(
  { format, output, pretty }: { readonly format: string | undefined; readonly output: string | undefined; readonly pretty: boolean },
  { interactive }: Pick<Terminal, 'interactive'>,
): RecordPrinter {
  if (format !== undefined) {
    const parsed = parseFormat(format)
    if (parsed.kind === 'wrong') throw new RangeError(`format: ${parsed.why}`)
    return (record) => formatted(parsed.parts, record)
  }
  if (output === 'json') return line(pretty ? prettyJson : recordLine)
  // An empty line between records.
  if (pretty) return line((record) => `${prettyRecord(record)}\n`)
  if (output === 'name') return line(recordName)
  return interactive ? line(recordView) : (record) => (record.value === null ? [lineBreak] : [record.value, lineBreak])
}

const lineBreak = Buffer.from('\n')

function line(textOf: (record: ConsumedRecord) => string): RecordPrinter {
  return (record) => [Buffer.from(`${textOf(record)}\n`)]
}
