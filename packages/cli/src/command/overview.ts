// The output of `lks` without arguments: every command on one screen of 80 columns.
import type { ClientCommand } from './client-command.ts'
import { commandGroups } from './commands.ts'
import { folded } from './output/folded.ts'
import { serverCommands } from './server-commands.ts'

export function overview(version: string, commands: readonly ClientCommand[]): string {
  const rows: (readonly [call: string, says: string])[] = Object.entries(serverCommands)
  for (const { path, summary } of commands.filter(({ hidden, minor }) => hidden !== true && minor !== true)) {
    const [first = '', second] = path
    if (second === undefined) rows.push([first, summary])
    else if (!rows.some(([call]) => call === first))
      rows.push([first, `${commandGroups[first] ?? ''}: ${verbsOf(first, commands).join(', ')}`])
  }
  rows.push(['more', commands.flatMap(({ path: [first = ''], minor }) => (minor === true ? [first] : [])).join(', ')])
  const width = Math.max(...rows.map(([call]) => call.length))
  const lines = rows.flatMap(([call, says]) =>
    folded(says, 80 - width - 4).map((line, at) => `  ${(at === 0 ? call : '').padEnd(width)}  ${line}`),
  )
  return `lks ${version}: a Kafka server for this machine, and commands for any cluster.\n\n${lines.join('\n')}\n
  lks topic create hello    on localhost:9092 as lks dev, or wherever -b says
  lks COMMAND --help        how a command is called, with examples
`
}

function verbsOf(first: string, commands: readonly ClientCommand[]): readonly string[] {
  return commands.filter(({ path }) => path[0] === first && path.length > 1).map(({ path }) => path.slice(1).join(' '))
}
