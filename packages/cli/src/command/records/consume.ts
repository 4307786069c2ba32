// The row of `lks consume`: prints the records of topics, and follows the topics.
import type { ClientCommand } from '../client-command.ts'
import { orPatterns } from '../topic/topic-pattern.ts'
import { isolationOption } from './isolation.ts'
import { parseOffsetRange } from './offset-range.ts'
import { count, whatIsWrong } from './option-checks.ts'
import { prettyOption } from './pretty.ts'
import { parseFilter } from './record-filter.ts'
import { parseFormat } from './record-format.ts'
import { recordOutput } from './record-output.ts'

export const consumeFormats = ['table', 'json', 'name'] as const
export type ConsumeFormat = (typeof consumeFormats)[number]

export const consume: ClientCommand = {
  path: ['consume'],
  summary: 'Print the records of topics, and follow them until Ctrl-C.',
  arguments: [
    {
      name: 'topic',
      required: true,
      variadic: true,
      doc: `One or more topics${orPatterns} A pattern means the topics that match at the start.`,
      completes: 'topic',
    },
  ],
  options: [
    {
      name: 'offset',
      short: 'O',
      placeholder: 'offset',
      default: 'start',
      doc: 'The first offset: start, end, 7, +5 (after the start), -10 (before the end), @-1h, @2026-01-31; and after a colon where to stop: 7:9, :end, @-1h:end. In a group it applies to partitions without a committed offset.',
      completes: ['start', 'end', ':end', '-10', '@-1h'],
      check: (value) => whatIsWrong(parseOffsetRange(value, { nowMs: Date.now() })),
    },
    { name: 'exit', short: 'e', doc: 'Stop at the end of the log as of the start, instead of following.' },
    { name: 'count', short: 'n', placeholder: 'records', doc: 'Stop after this number of records.', check: count },
    {
      name: 'partition',
      short: 'p',
      placeholder: 'number',
      repeatable: true,
      doc: 'Read only this partition; may be repeated.',
      check: count,
    },
    {
      name: 'group',
      short: 'g',
      placeholder: 'group',
      doc: 'Join this group, and commit the offsets of printed records.',
      completes: 'group',
    },
    {
      name: 'grep',
      placeholder: 'text',
      doc: 'Only records whose key or value contains this text; /…/i is a regular expression.',
      check: (value) => whatIsWrong(parseFilter(value)),
    },
    {
      name: 'format',
      short: 'f',
      placeholder: 'format',
      doc: "The format of kcat's -f: %t topic, %p partition, %o offset, %T timestamp, %k key, %s value, %K and %S their lengths, %h headers; \\n, \\t, \\xNN, %%.",
      check: (value) => whatIsWrong(parseFormat(value)),
    },
    isolationOption,
    prettyOption,
    recordOutput(
      consumeFormats,
      'table: lines for people on a terminal, otherwise values, each with a line feed; json: one record per line, byte for byte; name: topic[partition]@offset.',
      outputFormat,
    ),
  ],
  examples: [
    'lks consume orders',
    'lks consume orders -e -O -10',
    "lks consume orders -e -O @-1h -f '%k: %s\\n'",
    'lks consume orders -g billing',
    "lks consume 'orders-*' --pretty",
    'lks consume orders -e -o json | lks produce copy --json',
  ],
  async run(given, context) {
    const { runConsume } = await import('./consume-run.ts')
    await runConsume(given, context)
  },
}

/** kcat and rpk use -o for the offset. */
function outputFormat(value: string): string | undefined {
  if (consumeFormats.some((format) => format === value)) return undefined
  const isOffset = parseOffsetRange(value, { nowMs: Date.now() }).kind === 'range'
  return `is not one of ${consumeFormats.join(', ')}${isOffset ? `; to give an offset use -O ${value}` : ''}`
}
