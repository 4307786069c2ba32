// The candidates at the cursor: commands, options and their values come from the table; for topics and groups it returns only which names are needed.
import type { ClientCommand, CommandOption, Completes } from '../client-command.ts'
import { isServerCommand, serverCommands } from '../server-commands.ts'

export interface Candidates {
  /** Candidates that begin with the current word. */
  readonly words: readonly string[]
  /** Also complete these names, which only the cluster knows. */
  readonly names: 'topic' | 'group' | undefined
  /** The word at the cursor. */
  readonly begun: string
  /** Values of the options before the cursor, by option name. */
  readonly values: ReadonlyMap<string, readonly string[]>
}

export interface Words {
  /** The words after `lks`. The last one is incomplete, and may be empty. */
  readonly words: readonly string[]
  readonly commands: readonly ClientCommand[]
  readonly optionsOf: (command: ClientCommand) => readonly CommandOption[]
  /** The flags of the server's command in `words`, if there is one. */
  readonly serverFlags: readonly string[]
}

export function candidates({ words, commands, optionsOf, serverFlags }: Words): Candidates {
  const begun = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const only = (all: readonly string[]): Candidates => ({ words: fitting(all, begun), names: undefined, begun, values: new Map() })
  const visible = commands.filter(({ hidden }) => hidden !== true)
  const [first, second] = before
  if (first === undefined)
    return only([...Object.keys(serverCommands), ...new Set(visible.map(({ path }) => path[0] ?? '')), '--help', '--version'])
  if (isServerCommand(first)) return only(begun.startsWith('-') ? serverFlags : [])
  if (!visible.some(({ path }) => path[0] === first)) return only([])
  const single = visible.find(({ path }) => path.length === 1 && path[0] === first)
  if (single === undefined && second === undefined)
    return only([...visible.filter(({ path }) => path[0] === first).map(({ path }) => path[1] ?? ''), '--help'])
  const command = single ?? visible.find(({ path, aliases = [] }) => path[0] === first && [path[1], ...aliases].includes(second))
  return command === undefined ? only([]) : within(command, optionsOf(command), before.slice(command.path.length), begun)
}

function within(command: ClientCommand, options: readonly CommandOption[], before: readonly string[], begun: string): Candidates {
  const values = new Map<string, readonly string[]>()
  let at = 0
  let open: CommandOption | undefined
  for (const word of before) {
    if (open !== undefined) {
      values.set(open.name, [...(values.get(open.name) ?? []), word])
      open = undefined
    } else if (word.startsWith('-')) {
      const option = options.find(({ name, short }) => word === `--${name}` || word === `-${short}`)
      open = option?.placeholder === undefined ? undefined : option
    } else at += 1
  }
  const { arguments: all } = command
  const last = all.at(-1)
  const argument = all[at] ?? (last?.variadic === true ? last : undefined)
  if (open !== undefined) return { ...asked(open.completes, begun), begun, values }
  if (begun.startsWith('-'))
    return { words: fitting([...options.map(({ name }) => `--${name}`), '--help'], begun), names: undefined, begun, values }
  return { ...asked(argument?.completes, begun), begun, values }
}

function asked(completes: Completes | undefined, begun: string): Pick<Candidates, 'words' | 'names'> {
  if (completes === 'topic' || completes === 'group') return { words: [], names: completes }
  return { words: fitting(completes ?? [], begun), names: undefined }
}

export function fitting(all: readonly string[], begun: string): readonly string[] {
  return all.filter((word) => word.startsWith(begun))
}

/** Splits a line into words as a shell does: quotes group characters, a backslash escapes the next one. The last word may be empty. */
export function wordsOf(line: string): readonly string[] {
  const words: string[] = ['']
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at)
    const add = (text: string): void => void (words[words.length - 1] += text)
    if (character === '\\' && quote !== "'") add(line.charAt(++at))
    else if (character === quote) quote = ''
    else if (quote === '' && (character === "'" || character === '"')) quote = character
    else if (quote === '' && /\s/.test(character)) {
      if (words.at(-1) !== '') words.push('')
    } else add(character)
  }
  return words
}
