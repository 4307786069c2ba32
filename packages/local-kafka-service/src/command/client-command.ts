// The contract of a client command: one row each, from which the command line, its help, completion and the reference page are made.

export interface Terminal {
  readonly input: NodeJS.ReadableStream
  /** Standard output: what was asked for. */
  readonly data: NodeJS.WritableStream
  /** When nobody reads the data any more, this is done before the process ends, quietly. Until it is disposed of. */
  withoutReader(farewell: () => Promise<void>): Disposable
  /** Standard error: everything else. */
  readonly talk: NodeJS.WritableStream
  /** People are there: data goes to a terminal. */
  readonly interactive: boolean
  readonly inputInteractive: boolean
  readonly columns: number
  readonly colours: boolean
}

/** How to reach a cluster, whoever runs it. */
export interface ConnectionOptions {
  /** `host:port` or `[address]:port`, at least one. */
  readonly bootstrapServers: readonly string[]
  /** As the user said them: `--bootstrap-servers`, `KAFKA_BROKERS`; `default` when nobody did. */
  readonly said: string
  readonly clientId: string
  /** Undefined: no TLS. */
  readonly tls: TlsOptions | undefined
  readonly sasl: SaslOptions | undefined
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
}

/** Paths of PEM files; what is undefined is as Node has it. */
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
  /** One letter. */
  readonly short?: string
  /** The name of the value in the help. Absent: a switch. */
  readonly placeholder?: string
  readonly repeatable?: true
  readonly default?: string
  readonly doc: string
  readonly completes?: Completes
  /** Undefined when the value is fine, else what is wrong with it, in words. */
  readonly check?: (value: string) => string | undefined
}

export interface CommandArgument {
  readonly name: string
  readonly required: boolean
  /** The last one only: as many as are given. */
  readonly variadic?: true
  readonly doc: string
  readonly completes?: Completes
}

/** What was said on the command line. */
export interface Given {
  readonly arguments: readonly string[]
  /** The value, or the default, or undefined. */
  option(name: string): string | undefined
  /** Of a repeatable option, in their order. */
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
  /** It needs no cluster: it gets no options of connection, and signals are its own. */
  readonly standalone?: true
  /** What stands behind its first argument belongs to that: `lks exec npm test --watch`. */
  readonly passThrough?: true
  /** Neither help nor completion tells of it. */
  readonly hidden?: true
  /** Loads what it needs itself: `lks dev` must not load a client library. Rejects with a UserError where a person can help. */
  run(given: Given, context: CommandContext): Promise<void>
}
