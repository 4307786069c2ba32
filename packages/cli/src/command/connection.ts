// How a client command reaches its cluster: --bootstrap-servers, -X and the environment, turned into ConnectionOptions.
import { clientVariablePrefix } from 'local-kafka-service/internal/client-variables'
import { didYouMean } from 'local-kafka-service/internal/did-you-mean'
import { UserError } from 'local-kafka-service/internal/user-error'
import type { ConnectionOptions, SaslOptions, TlsOptions } from '../cluster/connection-options.ts'
import type { CommandOption } from './client-command.ts'
import { urlProblem } from './control-option.ts'
import { type ChosenProfile, chosenProfile } from './profile/profiles.ts'

export const bootstrapOption: CommandOption = {
  name: 'bootstrap-servers',
  short: 'b',
  placeholder: 'host:port,…',
  doc: 'The cluster. Default: LKS_BOOTSTRAP_SERVERS, KAFKA_BOOTSTRAP_SERVERS, KAFKA_BROKERS or localhost:9092, in this order.',
}

export const propertyOption: CommandOption = {
  name: 'property',
  short: 'X',
  placeholder: 'key=value',
  repeatable: true,
  doc: 'A setting of the connection, such as security.protocol=SASL_SSL. Its variable is LKS_CLIENT_SECURITY_PROTOCOL, and so on.',
}

export const profileOption: CommandOption = {
  name: 'profile',
  placeholder: 'name',
  doc: 'The connection of this profile (lks profile set). Default: LKS_PROFILE or the current profile, unless something else names a cluster.',
}

export const connectionOptions: readonly CommandOption[] = [bootstrapOption, propertyOption, profileOption]

export interface Property {
  /** librdkafka's name, where it has one. */
  readonly name: string
  readonly doc: string
  readonly values?: readonly string[]
  /** Never printed. */
  readonly secret?: true
  /** Undefined when the value is valid, otherwise the reason why it is not. */
  readonly check?: (value: string) => string | undefined
}

const properties = [
  { name: 'bootstrap.servers', doc: 'As --bootstrap-servers.' },
  { name: 'control.url', doc: 'As --url, for the commands that use the control plane.', check: urlProblem },
  { name: 'client.id', doc: 'The client id that the cluster sees. Default: lks.' },
  {
    name: 'security.protocol',
    doc: 'Default: PLAINTEXT.',
    values: ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'],
  },
  { name: 'sasl.mechanism', doc: 'The SASL mechanism.', values: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] },
  { name: 'sasl.username', doc: 'The user name.' },
  { name: 'sasl.password', doc: 'The password. Put it in LKS_CLIENT_SASL_PASSWORD to keep it out of the list of processes.', secret: true },
  { name: 'ssl.ca.location', doc: 'A PEM file with the trusted CA certificates. Default: those of Node.' },
  { name: 'ssl.certificate.location', doc: 'A PEM file with the client certificate.' },
  { name: 'ssl.key.location', doc: 'A PEM file with its private key.' },
  { name: 'ssl.key.password', doc: 'The password of the private key.', secret: true },
  { name: 'enable.ssl.certificate.verification', doc: 'false accepts any server certificate.', values: ['true', 'false'] },
  { name: 'ssl.endpoint.identification.algorithm', doc: 'none skips the check of the host name.', values: ['https', 'none'] },
  { name: 'socket.connection.setup.timeout.ms', doc: 'The time-out of a connection attempt. Default: 5000.' },
  { name: 'request.timeout.ms', doc: 'The time-out of a request. Default: 30000.' },
] as const satisfies readonly Property[]

/** The settings of -X. */
export const connectionProperties: readonly Property[] = properties

type PropertyName = (typeof properties)[number]['name']

/** Aliases of these settings in Java and librdkafka. */
const synonyms: Readonly<Record<string, PropertyName>> = {
  'metadata.broker.list': 'bootstrap.servers',
  'sasl.mechanisms': 'sasl.mechanism',
}

const bootstrapVariables = ['LKS_BOOTSTRAP_SERVERS', 'KAFKA_BOOTSTRAP_SERVERS', 'KAFKA_BROKERS'] as const

export interface ConnectionSources {
  /** From --bootstrap-servers. */
  readonly bootstrap: string | undefined
  /** From -X, each as `key=value`. */
  readonly properties: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly profile?: ChosenProfile | undefined
}

/** The sources of a client command, from its parsed options. Throws a UserError for a profile that does not exist. */
export function connectionOf(
  options: { readonly bootstrap: string | undefined; readonly properties: readonly string[]; readonly profile: string | undefined },
  env: ConnectionSources['env'],
): ConnectionOptions {
  return connectionFrom({ ...options, env, profile: chosenProfile(options.profile, env) })
}

/** Throws a UserError that names the wrong value. */
export function connectionFrom(sources: ConnectionSources): ConnectionOptions {
  const { said, text } = serversOf(sources)
  const values = propertiesFrom(sources, said)
  const protocol = (values.get('security.protocol') ?? 'PLAINTEXT').toUpperCase()
  return {
    bootstrapServers: serversIn(text, said),
    said,
    clientId: values.get('client.id') ?? 'lks',
    tls: tlsFrom(values, protocol),
    sasl: saslFrom(values, protocol),
    connectTimeoutMs: milliseconds(values, 'socket.connection.setup.timeout.ms', 5_000),
    requestTimeoutMs: milliseconds(values, 'request.timeout.ms', 30_000),
  }
}

/**
 * The control plane of a command: that of --url, -X, a profile or the environment, in the order of the other settings. Throws a UserError for a profile that
 * is used but names none: another server must not be changed in its place.
 */
export function controlUrlOf(
  { url, ...options }: Parameters<typeof connectionOf>[0] & { readonly url: string | undefined },
  env: ConnectionSources['env'],
): string {
  if (url !== undefined) return url
  const profile = chosenProfile(options.profile, env)
  const { LKS_URL: variable = '' } = env
  const sources = { ...options, env: { ...env, ...(variable !== '' && { [`${clientVariablePrefix}CONTROL_URL`]: variable }) }, profile }
  const { said } = serversOf(sources)
  const found = propertiesFrom(sources, said).get('control.url')
  if (found !== undefined) return found
  if (profile === undefined || (!profile.isNamed && said !== nameOf(profile))) return 'http://localhost:8000'
  throw new UserError('LKS-1008', {
    what: `profile '${profile.name}' names no control plane`,
    fix: ['name it: --url http://host:8000', `or keep it in the profile: lks profile set ${profile.name} … --url http://host:8000`],
  })
}

type PropertyValues = ReadonlyMap<PropertyName, string>

/** The servers, and the source that named them. A profile that is only the current one comes last. */
function serversOf({ bootstrap, properties: given, env, profile }: ConnectionSources): { readonly said: string; readonly text: string } {
  const ofProfile = [nameOf(profile), profile?.settings['bootstrap.servers']] as const
  const candidates: readonly (readonly [said: string, text: string | undefined])[] = [
    ['--bootstrap-servers', bootstrap],
    ['-X bootstrap.servers', pairsIn(given, '-X').get('bootstrap.servers')],
    ...(profile?.isNamed === true ? [ofProfile] : []),
    ['-X bootstrap.servers', propertiesIn(env).get('bootstrap.servers')],
    ...bootstrapVariables.map((name) => [name, env[name] === '' ? undefined : env[name]] as const),
    ...(profile?.isNamed === true ? [] : [ofProfile]),
  ]
  const [said, text = ''] = candidates.find(([, found]) => found !== undefined) ?? ['default', 'localhost:9092']
  return { said, text }
}

/**
 * -X comes first, then a profile that --profile names, then the environment. A profile that is only the current one is all or nothing: if anything else names
 * the cluster, none of its settings counts, so that its password goes to no other server.
 */
function propertiesFrom({ properties: given, env, profile }: ConnectionSources, servers: string): PropertyValues {
  const settings = Object.entries(profile?.settings ?? {}).map(([key, value]) => `${key}=${value}`)
  const ofProfile = profile?.isNamed === true || servers === nameOf(profile) ? pairsIn(settings, nameOf(profile)) : []
  const ofEnv = propertiesIn(env)
  return new Map([...(profile?.isNamed === true ? [...ofEnv, ...ofProfile] : [...ofProfile, ...ofEnv]), ...pairsIn(given, '-X')])
}

function nameOf(profile: ChosenProfile | undefined): string {
  return profile === undefined ? 'no profile' : `profile ${profile.name}`
}

function propertiesIn(env: ConnectionSources['env']): PropertyValues {
  const values = new Map<PropertyName, string>()
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(clientVariablePrefix) || value === undefined) continue
    put(values, variable.slice(clientVariablePrefix.length).toLowerCase().replaceAll('_', '.'), value, variable)
  }
  return values
}

function pairsIn(pairs: readonly string[], said: string): PropertyValues {
  const values = new Map<PropertyName, string>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at <= 0) throw wrong(`${said}: '${pair}' is not key=value`)
    put(values, pair.slice(0, at).trim(), pair.slice(at + 1), said)
  }
  return values
}

/** Settings as a profile keeps them. Throws a UserError for an unknown setting or an invalid value. */
export function settingsOf(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(pairsIn(pairs, '-X'))
}

export function isSecret(name: string): boolean {
  return connectionProperties.some((property) => property.name === name && property.secret === true)
}

function put(values: Map<PropertyName, string>, key: string, value: string, said: string): void {
  const name = synonyms[key] ?? key
  const property = properties.find((candidate) => candidate.name === name)
  if (property === undefined) throw wrong(`${said}: '${key}' is not a known setting${didYouMean(key, propertyNames)}`)
  if (
    'values' in property &&
    property.values !== undefined &&
    !property.values.some((one) => one.toLowerCase() === value.toLowerCase().trim())
  )
    throw wrong(`${said}: ${key} must be ${property.values.join(', ').replace(/, (?=[^,]*$)/, ' or ')}, not '${value}'`)
  const problem = 'check' in property ? property.check(value.trim()) : undefined
  if (problem !== undefined) throw wrong(`${said}: '${value}' ${problem}`)
  values.set(property.name, 'secret' in property ? value : value.trim())
}

const propertyNames = properties.map(({ name }) => name)

function tlsFrom(values: PropertyValues, protocol: string): TlsOptions | undefined {
  if (!protocol.endsWith('SSL')) {
    const ssl = [...values.keys()].find((name) => name.startsWith('ssl.') || name.startsWith('enable.ssl.'))
    if (ssl !== undefined) throw excluded(ssl, protocol, 'SSL or SASL_SSL')
    return undefined
  }
  const certificate = values.get('ssl.certificate.location')
  const key = values.get('ssl.key.location')
  if ((certificate === undefined) !== (key === undefined))
    throw wrong('ssl.certificate.location and ssl.key.location go together: one of them is missing')
  return {
    ca: values.get('ssl.ca.location'),
    certificate,
    key,
    keyPassword: values.get('ssl.key.password'),
    verifyCertificate: values.get('enable.ssl.certificate.verification')?.toLowerCase() !== 'false',
    verifyHostName: values.get('ssl.endpoint.identification.algorithm')?.toLowerCase() !== 'none',
  }
}

function saslFrom(values: PropertyValues, protocol: string): SaslOptions | undefined {
  if (!protocol.startsWith('SASL')) {
    const sasl = [...values.keys()].find((name) => name.startsWith('sasl.'))
    if (sasl !== undefined) throw excluded(sasl, protocol, 'SASL_PLAINTEXT or SASL_SSL')
    return undefined
  }
  const username = values.get('sasl.username')
  const password = values.get('sasl.password')
  if (username === undefined || password === undefined)
    throw wrong(`security.protocol=${protocol} requires sasl.username and sasl.password`)
  const mechanism = mechanisms[(values.get('sasl.mechanism') ?? 'PLAIN').toUpperCase()]
  // The value was validated above against the same names.
  if (mechanism === undefined) throw wrong('sasl.mechanism is not a known mechanism')
  return { mechanism, username, password }
}

const mechanisms: Readonly<Record<string, SaslOptions['mechanism']>> = {
  PLAIN: 'PLAIN',
  'SCRAM-SHA-256': 'SCRAM-SHA-256',
  'SCRAM-SHA-512': 'SCRAM-SHA-512',
}

function serversIn(text: string, said: string): readonly string[] {
  const servers = text
    .split(',')
    .map((server) => server.trim())
    .filter((server) => server !== '')
  if (servers.length === 0) throw noServer(`${said} does not name a server`)
  return servers.map((server) => addressOf(server, said))
}

/** Adds the default port: `host`, `host:port`, `[::1]:port`. Throws a UserError. `said`: the source, as the user named it. */
export function addressOf(server: string, said: string): string {
  if (/^https?:/i.test(server)) throw noServer(`${said}: '${server}' is an HTTP URL; a Kafka server is written as host:port`)
  const [, bracketed, plain, port = '9092'] = /^(?:\[([^\]\s]+)\]|([^:[\]\s/]+))(?::(\d{1,5}))?$/.exec(server) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) throw noServer(`${said}: '${server}' is not a valid host:port`)
  return bracketed === undefined ? `${host}:${port}` : `[${host}]:${port}`
}

function milliseconds(values: PropertyValues, name: PropertyName, fallback: number): number {
  const text = values.get(name)
  if (text === undefined) return fallback
  if (!/^\d{1,7}$/.test(text) || Number(text) < 1) throw wrong(`${name} must be a number of milliseconds, not '${text}'`)
  return Number(text)
}

function excluded(name: string, protocol: string, other: string): UserError {
  return new UserError('LKS-1005', {
    what: `${name} is set, but security.protocol is ${protocol}`,
    fix: [`set -X security.protocol=${other}`, `remove ${name}`],
  })
}

function wrong(what: string): UserError {
  return new UserError('LKS-1004', {
    what,
    fix: ['use host:port, as in: -b localhost:9092', `the connection settings are: ${propertyNames.join(', ')}`],
  })
}

function noServer(what: string): UserError {
  return new UserError('LKS-1004', { what, fix: ['use host:port, as in: localhost:9092', 'separate several servers with commas'] })
}
