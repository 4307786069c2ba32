// The row of `lks produce`: writes lines or JSON records to a topic.
import type { ClientCommand } from '../client-command.ts'
import { compressionOption } from './compression-option.ts'
import { count, oneOf, whatIsWrong } from './option-checks.ts'
import { acknowledgements, produceFormats } from './produce-words.ts'
import { escapedBytes } from './record-format.ts'
import { parseHeader } from './record-lines.ts'
import { recordOutput } from './record-output.ts'

export const produce: ClientCommand = {
  path: ['produce'],
  summary: 'Write lines of standard input, or of a file, to a topic.',
  arguments: [{ name: 'topic', required: true, doc: 'The topic.', completes: 'topic' }],
  options: [
    { name: 'file', placeholder: 'path', doc: 'Read this file instead of standard input.' },
    { name: 'key', short: 'k', placeholder: 'key', doc: 'The key of every record.' },
    {
      name: 'key-separator',
      short: 'K',
      placeholder: 'text',
      doc: 'The separator between key and value; a line without it has no key.',
      check: notEmpty,
    },
    {
      name: 'header',
      short: 'H',
      placeholder: 'name=value',
      repeatable: true,
      doc: 'A header of every record; may be repeated. A name alone has no value.',
      check: (value) => whatIsWrong(parseHeader(value)),
    },
    {
      name: 'partition',
      short: 'p',
      placeholder: 'number',
      doc: 'Write to this partition; any: the keys decide, even if a JSON record names a partition.',
      check: partition,
    },
    {
      name: 'delimiter',
      short: 'D',
      placeholder: 'text',
      doc: 'What ends a record, instead of a line feed; \\n, \\t, \\0 and \\xNN are bytes.',
      check: (value) => (value === '' ? 'is empty; to write all of the input as one record use --whole' : whatIsWrong(escapedBytes(value))),
    },
    { name: 'whole', doc: 'All of the input is one record, such as a file.' },
    { name: 'json', doc: 'Each line is a record as `lks consume -o json` prints it: key, value, headers, partition, timestamp.' },
    { name: 'null', short: 'Z', doc: 'An empty value is null, which is a tombstone; an empty key is null.' },
    compressionOption,
    {
      name: 'acks',
      placeholder: 'acks',
      default: 'all',
      doc: 'Which replicas acknowledge a record: all (without duplicates), 1 (the leader), 0 (none: a record may be lost without an error).',
      completes: acknowledgements,
      check: oneOf(acknowledgements),
    },
    recordOutput(
      produceFormats,
      'table: a summary, on a terminal; json: partition and offset of each record, one per line; name: topic[partition]@offset.',
    ),
  ],
  examples: [
    'echo hello | lks produce orders',
    'echo \'42:{"sku":"A"}\' | lks produce orders -K :',
    "echo '42:' | lks produce orders -K : -Z",
    'lks produce orders --file orders.txt -z zstd -H source=import',
    'lks produce images --file logo.png --whole -k logo',
    'lks consume orders -e -o json | lks produce copy --json',
  ],
  async run(given, context) {
    const { runProduce } = await import('./produce-run.ts')
    await runProduce(given, context)
  },
}

function notEmpty(value: string): string | undefined {
  return value === '' ? 'is empty' : undefined
}

function partition(value: string): string | undefined {
  return value === 'any' ? undefined : count(value)
}
