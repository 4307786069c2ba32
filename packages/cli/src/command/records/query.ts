// The row of `lks query`: searches for records between two times and shows them in a table.
import type { ClientCommand } from '../client-command.ts'
import { instantAgo, instantForms } from '../instants.ts'
import { isolationOption } from './isolation.ts'
import { count, whatIsWrong } from './option-checks.ts'
import { prettyOption } from './pretty.ts'
import { parseFilter } from './record-filter.ts'
import { recordOutput } from './record-output.ts'

export const queryFormats = ['table', 'json', 'name'] as const

export const query: ClientCommand = {
  path: ['query'],
  summary: 'Search for records by key, text and time.',
  arguments: [{ name: 'topic', required: true, doc: 'The topic.', completes: 'topic' }],
  options: [
    { name: 'key', short: 'k', placeholder: 'key', doc: 'Only records with exactly this key.' },
    {
      name: 'grep',
      placeholder: 'text',
      doc: 'Only records whose key or value contains this text; /…/i is a regular expression.',
      check: (value) => whatIsWrong(parseFilter(value)),
    },
    {
      name: 'since',
      placeholder: 'time',
      doc: 'Only records of this time or later: a duration before now (90s, 1h30m, 2d), or 2026-01-31, 2026-01-31T08:15:00Z.',
      check: instant,
    },
    {
      name: 'until',
      placeholder: 'time',
      doc: 'Only records before this time. It stops at the first newer record of each partition.',
      check: instant,
    },
    {
      name: 'partition',
      short: 'p',
      placeholder: 'number',
      repeatable: true,
      doc: 'Read only this partition; may be repeated.',
      check: count,
    },
    { name: 'count', short: 'n', placeholder: 'records', default: '100', doc: 'Stop when this number of records is found.', check: count },
    isolationOption,
    prettyOption,
    recordOutput(queryFormats, 'table; json: one record per line, as in `lks consume -o json`; name: topic[partition]@offset.'),
  ],
  examples: [
    'lks query orders --key 42 --pretty',
    'lks query orders --grep \'"sku":"A"\' --since 1h',
    'lks query orders --since 2026-01-31 --until 2026-02-01 -o json',
  ],
  async run(given, context) {
    const { runQuery } = await import('./query-run.ts')
    await runQuery(given, context)
  },
}

function instant(value: string): string | undefined {
  return instantAgo(value, Date.now()).kind === 'wrong' ? `is not a valid time; ${instantForms}` : undefined
}
