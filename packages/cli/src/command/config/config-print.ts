// lks config print: the options that a start of a server would have, each with its value and its source.
import type { OptionValue, OptionValues } from 'local-kafka-service/internal/options'
import { UserError } from 'local-kafka-service/internal/user-error'
import type { ClientCommand } from '../client-command.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { isServerCommand } from '../server-commands.ts'

export const configPrint: ClientCommand = {
  path: ['config', 'print'],
  summary: 'Show the options that a server would start with, and where each comes from.',
  arguments: [
    {
      name: 'words',
      required: false,
      variadic: true,
      doc: 'The command and its options, as for the start itself: start --config /etc/lks.json. Default: start.',
      completes: ['start', 'dev'],
    },
  ],
  options: [outputOption],
  examples: ['lks config print', 'lks config print start --config /etc/lks.json', 'lks config print -o json dev --memory'],
  standalone: true,
  passThrough: true,
  async run(given, { terminal, env }) {
    const [command = 'start', ...words] = given.arguments
    if (!isServerCommand(command))
      throw new UserError('LKS-1008', {
        what: `'${command}' does not run a server`,
        fix: ['lks config print start', 'lks config print dev'],
      })
    const [{ completeServer }, { effectiveOptions }, { resolveOptions, withoutPassword }, { quiet }, { Command }] = await Promise.all([
      import('../server-command.ts'),
      import('local-kafka-service/internal/server/server-plan'),
      import('local-kafka-service/internal/options'),
      import('../program.ts'),
      import('commander'),
    ])
    let values: OptionValues = new Map()
    let warnings: readonly string[] = []
    const call = quiet(new Command(command))
    completeServer(call, {
      name: command,
      env,
      async run(_, sources) {
        const resolved = resolveOptions(command, sources)
        values = effectiveOptions(resolved.values)
        warnings = resolved.warnings
      },
    })
    await call.parseAsync([...words], { from: 'user' })
    for (const warning of warnings) terminal.talk.write(`warning: ${warning}\n`)
    const rows = [...values].map(([name, option]) => ({
      name,
      ...option,
      value: option.value === null ? null : withoutPassword(option.value),
    }))
    show(terminal, formatOf(given), {
      value: rows.map(({ name, value, source, said }) => ({ name, value, source, said: source === 'default' ? null : said })),
      names: rows.map(({ name }) => name),
      blocks: [tableBlock(columns, rows)],
    })
  },
}

interface PrintedOption extends OptionValue {
  readonly name: string
}

/** Values may be long, so they are the last column. */
const columns: readonly Column<PrintedOption>[] = [
  { header: 'OPTION', value: ({ name }) => name },
  { header: 'FROM', value: ({ source, said }) => (source === 'default' ? source : said) },
  { header: 'VALUE', value: ({ value }) => value ?? '-' },
]
