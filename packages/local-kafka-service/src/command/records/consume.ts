// The row of `lks consume`: prints the records of topics as they are, and follows them.
import type { ClientCommand } from '../client-command.ts'
import { parseOffsetRange } from './offset-range.ts'
import { count, whatIsWrong } from './option-checks.ts'
import { parseFilter } from './record-filter.ts'
import { parseFormat } from './record-format.ts'

export const consumeFormats = ['table', 'json', 'name'] as const
export type ConsumeFormat = (typeof consumeFormats)[number]

export const consume: ClientCommand = {
  path: ['consume'],
  summary: 'Print the records of topics, and follow them until Ctrl-C.',
  arguments: [{ name: 'topic', required: true, variadic: true, doc: 'One or more topics.', completes: 'topic' }],
  options: [
    {
      name: 'offset',
      short: 'O',
      placeholder: 'offset',
      default: 'start',
      doc: 'Where to begin: start, end, 7, +5 (after the start), -10 (before the end), @-1h, @2026-01-31; and where to stop, behind a colon: 7:9, :end, @-1h:end. In a group, for partitions that it has no offset of.',
      completes: ['start', 'end', ':end', '-10', '@-1h'],
      check: (value) => whatIsWrong(parseOffsetRange(value, { nowMs: Date.now() })),
    },
    { name: 'exit', short: 'e', doc: 'Stop at the end of the moment it started, instead of following.' },
    { name: 'count', short: 'n', placeholder: 'records', doc: 'Stop after so many records.', check: count },
    { name: 'partition', short: 'p', placeholder: 'number', repeatable: true, doc: 'This partition only; may be repeated.', check: count },
    { name: 'group', short: 'g', placeholder: 'group', doc: 'Join this group, and commit what was printed.', completes: 'group' },
    {
      name: 'grep',
      placeholder: 'text',
      doc: 'Only records whose key or value has this text in it; /…/i is a regular expression.',
      check: (value) => whatIsWrong(parseFilter(value)),
    },
    {
      name: 'format',
      short: 'f',
      placeholder: 'format',
      doc: "As kcat's -f: %t topic, %p partition, %o offset, %T timestamp, %k key, %s value, %K and %S their lengths, %h headers; \\n, \\t, \\xNN, %%.",
      check: (value) => whatIsWrong(parseFormat(value)),
    },
    {
      name: 'output',
      short: 'o',
      placeholder: 'format',
      default: 'table',
      doc: 'table: lines for people on a terminal, else values, each with a line break; json: one record on a line, to the byte; name: topic[partition]@offset.',
      completes: consumeFormats,
      check: outputFormat,
    },
  ],
  examples: [
    'lks consume orders',
    'lks consume orders -e -O -10',
    "lks consume orders -e -O @-1h -f '%k: %s\\n'",
    'lks consume orders -g billing',
    'lks consume orders -e -o json | lks produce copy --json',
  ],
  async run(given, context) {
    const { runConsume } = await import('./consume-run.ts')
    await runConsume(given, context)
  },
}

/** kcat and rpk have the offset at -o. */
function outputFormat(value: string): string | undefined {
  if (consumeFormats.some((format) => format === value)) return undefined
  const isOffset = parseOffsetRange(value, { nowMs: Date.now() }).kind === 'range'
  return `is none of ${consumeFormats.join(', ')}${isOffset ? `; an offset is given with -O ${value}` : ''}`
}
