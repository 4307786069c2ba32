// Turns errors of the client library into UserErrors: what went wrong between a client command and its cluster.
import { UserError, type UserErrorCode } from 'local-kafka-service/internal/user-error'
import type { ConnectionOptions } from './connection-options.ts'

/** An error of the client library, or one nested in it, recognised by its shape: this does not load the library. */
interface ClientError extends Error {
  readonly code?: unknown
  readonly apiId?: unknown
  readonly serverErrorMessage?: unknown
  readonly errors?: readonly unknown[]
}

/** For a connection failure it probes the bootstrap servers to find the cause. */
export async function explainClient(error: unknown, connection: ConnectionOptions): Promise<UserError> {
  const all = flat(error)
  const login = all.find(({ code }) => code === 'PLT_KFK_AUTHENTICATION')
  // A listener without SASL, or without this mechanism, does not reject the credentials: it never checks them.
  if (login !== undefined) return (await bootstrapError(connection, error)) ?? ofLogin(login, connection)
  const rejected = rejectionIn(error)
  if (rejected !== undefined) return rejected.error
  const unsupported = all.find(({ code }) => code === 'PLT_KFK_UNSUPPORTED_API')
  if (unsupported !== undefined) return unserved(/API (\w+)/.exec(unsupported.message)?.[1] ?? 'the requested API', error)
  const topic = all.map(({ message }) => /^Unknown topic (.*)\.$/.exec(message)?.[1]).find((name) => name !== undefined)
  if (topic !== undefined) return noTopic(topic, error)
  const misuse = all.find(({ code, message }) => code === 'PLT_KFK_USER' && !message.includes('TLS'))
  if (misuse !== undefined)
    return new UserError('LKS-4007', {
      what: misuse.message.replace(/\.$/, ''),
      why: 'the client cannot send this request',
      fix: ['use different arguments'],
      cause: error,
    })
  return await unreachable(error, connection)
}

/** Whether the cluster answered with one of these errors, by Kafka's names: `OFFSET_OUT_OF_RANGE`. */
export function hasApiError(error: unknown, ...names: readonly string[]): boolean {
  return flat(error).some(({ apiId }) => typeof apiId === 'string' && names.includes(apiId))
}

/** The cluster's own answer, if that is the error. */
export function rejectionIn(error: unknown): { readonly id: string; readonly error: UserError } | undefined {
  const rejected = flat(error).find(({ apiId }) => typeof apiId === 'string')
  if (rejected === undefined) return undefined
  const id = String(rejected.apiId)
  const said =
    typeof rejected.serverErrorMessage === 'string' && rejected.serverErrorMessage !== '' ? rejected.serverErrorMessage : rejected.message
  return { id, error: rejection(id, said, error) }
}

/** `id`: `TOPIC_ALREADY_EXISTS`; `said`: the cluster's message. */
export function rejection(id: string, said: string, cause?: unknown): UserError {
  const { code, fix } = known[id] ?? { code: 'LKS-4007', fix: ['check the log of the cluster'] }
  return new UserError(code, { what: said.replace(/\.$/, ''), why: `the cluster answered ${id}`, fix, cause })
}

export function unserved(api: string, cause?: unknown): UserError {
  return new UserError('LKS-4006', {
    what: `this cluster does not serve ${api}`,
    why: 'ApiVersions does not list it',
    fix: ['list the served APIs: lks cluster info --apis'],
    cause,
  })
}

export function noTopic(name: string, cause?: unknown): UserError {
  return new UserError('LKS-4008', {
    what: `there is no topic '${name}'`,
    fix: ['list the topics: lks topic list', `create it: lks topic create ${name}`],
    cause,
  })
}

/** `among`: the number of named topics; the operation was not run for any of them. */
export function noTopics(names: readonly string[], among: number): UserError {
  const [name = ''] = names
  return new UserError('LKS-4008', {
    what: names.length === 1 ? `there is no topic '${name}'` : `there are no topics ${names.map((one) => `'${one}'`).join(', ')}`,
    why: among > names.length ? 'nothing was done for the other topics' : undefined,
    fix: ['list the topics: lks topic list'],
  })
}

export function noGroup(id: string): UserError {
  return new UserError('LKS-4009', { what: `there is no group '${id}'`, fix: ['list the groups: lks group list'] })
}

export function noTransaction(id: string): UserError {
  return new UserError('LKS-4019', {
    what: `there is no transactional id '${id}'`,
    fix: ['list the transactional ids: lks transaction list'],
  })
}

/** For a failed connection: the servers are probed for the cause first. */
export async function unreachable(error: unknown, connection: ConnectionOptions): Promise<UserError> {
  const problem = await bootstrapError(connection, error)
  if (problem !== undefined) return problem
  const [server = ''] = connection.bootstrapServers
  const why = flat(error).at(-1)?.message ?? String(error)
  if (/timed out/i.test(why) && !why.startsWith('Connection'))
    return new UserError('LKS-4015', {
      what: 'the cluster did not answer in time',
      why,
      fix: ['wait longer: -X request.timeout.ms=60000'],
      cause: error,
    })
  return new UserError('LKS-4005', {
    what: 'the cluster answers, but not at every advertised address',
    why,
    fix: [`find the wrong address: lks doctor connect ${server}`],
    cause: error,
  })
}

/** Undefined: at least one of the servers is a Kafka server that answers. */
export async function bootstrapError(connection: ConnectionOptions, cause?: unknown): Promise<UserError | undefined> {
  // Loaded for an error only: a command that succeeds needs neither TLS nor the protocol for it.
  const { diagnose } = await import('./diagnosis.ts')
  const looked = await Promise.all(connection.bootstrapServers.map((server) => diagnose(server, connection)))
  const problems = looked.flatMap(({ problem }) => (problem === undefined ? [] : [problem]))
  const [first, ...others] = problems
  if (first === undefined || problems.length < looked.length) return undefined
  const unsaid = connection.said === 'default' ? 'no cluster was named, so lks used the default address' : undefined
  const why = others.length > 0 ? others.map(({ what }) => what).join('; ') : unsaid
  return new UserError(first.code, { what: first.what, why, fix: first.fix, cause })
}

function ofLogin(error: ClientError, connection: ConnectionOptions): UserError {
  const { sasl } = connection
  const inner = flat(error).find(({ serverErrorMessage }) => typeof serverErrorMessage === 'string')
  return new UserError('LKS-4004', {
    what: `the cluster rejected the credentials${sasl === undefined ? '' : ` of '${sasl.username}' (${sasl.mechanism})`}`,
    why: inner === undefined ? error.message : String(inner.serverErrorMessage),
    fix: ['check sasl.username and sasl.password', 'check sasl.mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512'],
    cause: error,
  })
}

/** The error and all errors nested in it, outermost first. */
function flat(error: unknown): readonly ClientError[] {
  if (!(error instanceof Error)) return []
  const { errors = [] }: ClientError = error
  return [error, ...errors.flatMap(flat), ...flat(error.cause)]
}

const known: Readonly<Record<string, { readonly code: UserErrorCode; readonly fix: readonly string[] }>> = {
  TOPIC_ALREADY_EXISTS: { code: 'LKS-4010', fix: ['show it: lks topic describe NAME', 'ignore existing topics: --if-not-exists'] },
  UNKNOWN_TOPIC_OR_PARTITION: { code: 'LKS-4008', fix: ['list the topics: lks topic list'] },
  UNKNOWN_TOPIC_ID: { code: 'LKS-4008', fix: ['list the topics: lks topic list'] },
  GROUP_ID_NOT_FOUND: { code: 'LKS-4009', fix: ['list the groups: lks group list'] },
  TRANSACTIONAL_ID_NOT_FOUND: { code: 'LKS-4019', fix: ['list the transactional ids: lks transaction list'] },
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: {
    code: 'LKS-4004',
    fix: ['log in as an authorized user, or ask the operator of the cluster for the permission'],
  },
  NON_EMPTY_GROUP: { code: 'LKS-4011', fix: ['list its members: lks group describe GROUP', 'stop its members first'] },
  UNKNOWN_MEMBER_ID: { code: 'LKS-4011', fix: ['list its members: lks group describe GROUP', 'stop its members first'] },
  TOPIC_AUTHORIZATION_FAILED: {
    code: 'LKS-4004',
    fix: ['log in as an authorized user, or ask the operator of the cluster for the permission'],
  },
  GROUP_AUTHORIZATION_FAILED: {
    code: 'LKS-4004',
    fix: ['log in as an authorized user, or ask the operator of the cluster for the permission'],
  },
  CLUSTER_AUTHORIZATION_FAILED: {
    code: 'LKS-4004',
    fix: ['log in as an authorized user, or ask the operator of the cluster for the permission'],
  },
  INVALID_PARTITIONS: { code: 'LKS-4007', fix: ['use another number of partitions; it can only increase'] },
  INVALID_REPLICATION_FACTOR: { code: 'LKS-4007', fix: ['omit it: the cluster has a default', 'list its brokers: lks cluster info'] },
  INVALID_CONFIG: { code: 'LKS-4007', fix: ['list the configs: lks config describe topic NAME --all'] },
  INVALID_TOPIC_EXCEPTION: { code: 'LKS-4007', fix: ['use letters, digits, dots, underscores and hyphens, at most 249 characters'] },
}
