// How to reach a cluster of any vendor: its servers, TLS, SASL and time-outs.

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

/** What an open cluster needs. */
export interface ClusterAccess {
  readonly connection: ConnectionOptions
  /** All requests end when it aborts. */
  readonly signal: AbortSignal
}
