// A cluster for the commands: the client library's connections, the newest version of each API that both sides know, and retries for transient errors.
import { onAbort, orAborted } from '@local-kafka-service/agent/abort'
import type { Admin, API, apiVersionsV3, Broker, Connection } from '@platformatic/kafka'
import { UserError } from 'local-kafka-service/internal/user-error'
import { bootstrapError, explainClient, hasApiError, unserved } from './client-errors.ts'
import { clientOptions } from './client-options.ts'
import type { ClusterAccess, ConnectionOptions } from './connection-options.ts'

type Library = typeof import('@platformatic/kafka')

/** Without a first answer within this time, the address is probed. */
const firstAnswerMs = 2_000
/** The time to retry while a cluster starts, or moves a coordinator. */
const retryMs = 15_000
const pauseMs = 200

export class ClusterClient implements AsyncDisposable {
  readonly library: Library
  readonly admin: Admin
  readonly connection: ConnectionOptions
  /** The served APIs, by name. */
  readonly apis: ReadonlyMap<string, apiVersionsV3.ApiVersionsResponseApi>
  readonly #signal: AbortSignal
  readonly #release: () => void

  private constructor(of: {
    readonly library: Library
    readonly admin: Admin
    readonly connection: ConnectionOptions
    readonly apis: readonly apiVersionsV3.ApiVersionsResponseApi[]
    readonly signal: AbortSignal
    readonly release: () => void
  }) {
    this.library = of.library
    this.admin = of.admin
    this.connection = of.connection
    this.apis = new Map(of.apis.map((api) => [api.name, api]))
    this.#signal = of.signal
    this.#release = of.release
  }

  /** Rejects with a UserError that describes the address when no Kafka server answers. All requests end when the signal aborts. */
  static async open({ connection, signal }: ClusterAccess): Promise<ClusterClient> {
    const library = await import('@platformatic/kafka')
    const admin = new library.Admin(await clientOptions(connection))
    const release = onAbort(signal, () => void admin.close().catch(() => {})) // an error of the abandoned connection does not matter
    try {
      const apis = await firstAnswer(admin, connection)
      return new ClusterClient({ library, admin, connection, apis, signal, release })
    } catch (error) {
      release()
      await admin.close()
      if (signal.aborted) throw error
      throw error instanceof UserError ? error : await explainClient(error, connection)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#release()
    await this.admin.close()
  }

  /** From any bootstrap server that answers. */
  async anyConnection(): Promise<Connection> {
    const { library, admin, connection } = this
    return await admin.connections.getFirstAvailable(connection.bootstrapServers.map((server) => library.parseBroker(server)))
  }

  async connectionTo({ host, port }: Broker): Promise<Connection> {
    return await this.admin.connections.get({ host, port })
  }

  serves(api: string): boolean {
    return this.apis.has(api)
  }

  /** `newest` is the library's newest version of an API; returns the newest version that the cluster also serves. Throws a UserError if there is none. */
  version<Arguments extends unknown[], Response>(name: string, newest: API<Arguments, Response>): API<Arguments, Response> {
    const served = this.apis.get(name)
    if (served === undefined) throw unserved(name)
    const prefix = name.charAt(0).toLowerCase() + name.slice(1)
    for (let version = Math.min(served.maxVersion, newest.version); version >= served.minVersion; version--) {
      if (version === newest.version) return newest
      // The cast: the library names its versions like this, and all versions of an API take the same arguments.
      const found = (this.library as unknown as Readonly<Record<string, { readonly api?: API<Arguments, Response> } | undefined>>)[
        `${prefix}V${version}`
      ]
      if (found?.api !== undefined) return found.api
    }
    throw unserved(`${name} in a version that lks knows (it has ${served.minVersion} to ${served.maxVersion})`)
  }

  /** Retries for some seconds while the cluster answers with transient errors. An answer that contains errors counts as an answer: see `partial`. */
  async withRetries<T>(ask: () => Promise<T>): Promise<T> {
    const until = performance.now() + retryMs
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (!isTransient(error) || performance.now() > until || this.#signal.aborted) throw error
      }
      await pause(pauseMs, this.#signal)
    }
  }

  /** A response, even if parts of it are errors: the caller checks their codes. */
  async partial<T>(asked: Promise<T>): Promise<T> {
    try {
      return await asked
    } catch (error) {
      // The cast: the library attaches the decoded response to the error.
      if (error instanceof this.library.ResponseError && !isTransient(error)) return (error as unknown as { readonly response: T }).response
      throw error
    }
  }

  /** An error code as `{ id: 'UNKNOWN_TOPIC_OR_PARTITION', message }`. */
  errorOf(code: number): { readonly id: string; readonly message: string } {
    const { protocolErrors, protocolErrorsCodesById } = this.library
    const id = (protocolErrorsCodesById as Readonly<Record<number, string | undefined>>)[code] ?? 'UNKNOWN_SERVER_ERROR'
    const { message } = (protocolErrors as Readonly<Record<string, { readonly message: string } | undefined>>)[id] ?? {
      message: `error ${code}`,
    }
    return { id, message }
  }
}

/** Keeps the cluster open while `use` runs. */
export async function withCluster(access: ClusterAccess, use: (cluster: ClusterClient) => Promise<void>): Promise<void> {
  const cluster = await ClusterClient.open(access)
  try {
    await use(cluster)
  } finally {
    await cluster[Symbol.asyncDispose]()
  }
}

/** Rejects when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { setTimeout } = await import('node:timers/promises')
  await setTimeout(ms, undefined, { signal })
}

/** A server that does not speak Kafka may stay silent indefinitely, and the client library would wait for its whole request time-out. */
async function firstAnswer(admin: Admin, connection: ConnectionOptions): Promise<readonly apiVersionsV3.ApiVersionsResponseApi[]> {
  const asked = admin.listApis()
  const answer = await orAborted(asked, AbortSignal.timeout(firstAnswerMs), () => undefined)
  if (answer !== undefined) return answer
  const problem = await bootstrapError(connection)
  if (problem === undefined) return await asked
  throw problem
}

/** Whether the cluster's answer is a transient error. */
function isTransient(error: unknown): boolean {
  return hasApiError(
    error,
    'LEADER_NOT_AVAILABLE',
    'NOT_LEADER_OR_FOLLOWER',
    'COORDINATOR_LOAD_IN_PROGRESS',
    'COORDINATOR_NOT_AVAILABLE',
    'NOT_COORDINATOR',
    'NOT_CONTROLLER',
    'CONCURRENT_TRANSACTIONS',
  )
}
