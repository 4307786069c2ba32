// The contract of a client command: each command is one row, and the command line, help, completion and reference page are made from the rows.
import type { ClusterAccess } from '../cluster/connection-options.ts'

export interface Terminal {
  readonly input: NodeJS.ReadableStream
  /** Standard output: the requested data. */
  readonly data: NodeJS.WritableStream
  /** Runs this before the process ends quietly because the reader of the data has gone, until it is disposed of. */
  withoutReader(farewell: () => Promise<void>): Disposable
  /** Standard error: everything else. */
  readonly talk: NodeJS.WritableStream
  /** True when data goes to a terminal. */
  readonly interactive: boolean
  readonly inputInteractive: boolean
  readonly columns: number
  readonly colours: boolean
}

export interface CommandContext extends ClusterAccess {
  readonly terminal: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts on Ctrl-C and SIGTERM. A command that then resolves ends with exit code 0, one that rejects with 130. */
  readonly signal: AbortSignal
  readonly verbose: boolean
}

export type Completes = 'topic' | 'group' | readonly string[]

export interface CommandOption {
  /** `group`: the flag is `--group`. */
  readonly name: string
  /** A single letter. */
  readonly short?: string
  /** The name of the value in the help. Absent: the option is a switch. */
  readonly placeholder?: string
  readonly repeatable?: true
  readonly default?: string
  readonly doc: string
  readonly completes?: Completes
  /** Undefined when the value is valid, otherwise the reason why it is not. */
  readonly check?: (value: string) => string | undefined
}

export interface CommandArgument {
  readonly name: string
  readonly required: boolean
  /** Only the last argument: accepts any number of values. */
  readonly variadic?: true
  readonly doc: string
  readonly completes?: Completes
}

/** The parsed command line. */
export interface ParsedCommand {
  readonly arguments: readonly string[]
  /** The value, or the default, or undefined. */
  option(name: string): string | undefined
  /** All values of a repeatable option, in order. */
  options(name: string): readonly string[]
  flag(name: string): boolean
}

export interface ClientCommand {
  /** `['topic', 'create']` */
  readonly path: readonly string[]
  /** Other names of its last word, as users of other tools know it. */
  readonly aliases?: readonly string[]
  readonly summary: string
  readonly arguments: readonly CommandArgument[]
  readonly options: readonly CommandOption[]
  readonly examples: readonly string[]
  /** The command needs no cluster: it has no connection options and handles signals itself. */
  readonly standalone?: true
  /** The words after the first argument belong to that argument: `lks exec npm test --watch`. */
  readonly passThrough?: true
  /** The overview has only its name: it is used less often. */
  readonly minor?: true
  /** Help and completion do not list the command. */
  readonly hidden?: true
  /** Imports its own modules, because `lks dev` must not load a client library. Rejects with a UserError when the user can fix the cause. */
  run(given: ParsedCommand, context: CommandContext): Promise<void>
}
