// The contract of a client command: each command is one row, and the command line, help, completion and reference page are made from the rows.

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

/** How to reach a cluster of any vendor. */
export interface ConnectionOptions {
  /** `host:port` or `[address]:port`, at least one. */
  readonly bootstrapServers: readonly string[]
  /** Where the servers come from, as the user wrote it: `--bootstrap-servers`, `KAFKA_BROKERS`; `default` when neither is given. */
  readonly said: string
  readonly clientId: string
  /** Undefined: without TLS. */
  readonly tls: TlsOptions | undefined
  readonly sasl: SaslOptions | undefined
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
}

/** Paths of PEM files; Node's default applies to a path that is undefined. */
export interface TlsOptions {
  readonly ca: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
  readonly keyPassword: string | undefined
  readonly verifyCertificate: boolean
  readonly verifyHostName: boolean
}

export interface SaslOptions {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
  readonly username: string
  readonly password: string
}

export interface CommandContext {
  readonly terminal: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts on Ctrl-C and SIGTERM. A command that then resolves ends with exit code 0, one that rejects with 130. */
  readonly signal: AbortSignal
  readonly verbose: boolean
  readonly connection: ConnectionOptions
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
export interface Given {
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
  readonly summary: string
  readonly arguments: readonly CommandArgument[]
  readonly options: readonly CommandOption[]
  readonly examples: readonly string[]
  /** The command needs no cluster: it has no connection options and handles signals itself. */
  readonly standalone?: true
  /** The words after the first argument belong to that argument: `lks exec npm test --watch`. */
  readonly passThrough?: true
  /** Help and completion do not list the command. */
  readonly hidden?: true
  /** Imports its own modules, because `lks dev` must not load a client library. Rejects with a UserError when the user can fix the cause. */
  run(given: Given, context: CommandContext): Promise<void>
}
