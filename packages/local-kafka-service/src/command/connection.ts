// How a client command reaches its cluster: --bootstrap-servers, -X and the environment, turned into ConnectionOptions.
import { didYouMean } from '../did-you-mean.ts'
import { UserError } from '../user-error.ts'
import type { CommandOption, ConnectionOptions, SaslOptions, TlsOptions } from './client-command.ts'

export const bootstrapOption: CommandOption = {
  name: 'bootstrap-servers',
  short: 'b',
  placeholder: 'host:port,…',
  doc: 'The cluster. Else LKS_BOOTSTRAP_SERVERS, KAFKA_BOOTSTRAP_SERVERS or KAFKA_BROKERS, else localhost:9092.',
}

export const propertyOption: CommandOption = {
  name: 'property',
  short: 'X',
  placeholder: 'key=value',
  repeatable: true,
  doc: 'A setting of the connection, as security.protocol=SASL_SSL. Else LKS_CLIENT_SECURITY_PROTOCOL and so on.',
}

export const connectionOptions: readonly CommandOption[] = [bootstrapOption, propertyOption]

export interface Property {
  /** As librdkafka has it, where it does. */
  readonly name: string
  readonly doc: string
  readonly values?: readonly string[]
  /** Never printed. */
  readonly secret?: true
}

const properties = [
  { name: 'bootstrap.servers', doc: 'As --bootstrap-servers.' },
  { name: 'client.id', doc: 'The name that the cluster sees; lks without it.' },
  {
    name: 'security.protocol',
    doc: 'PLAINTEXT without it.',
    values: ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'],
  },
  { name: 'sasl.mechanism', doc: 'How to log in.', values: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] },
  { name: 'sasl.username', doc: 'Who logs in.' },
  { name: 'sasl.password', doc: 'Their password. In LKS_CLIENT_SASL_PASSWORD nobody sees it in a list of processes.', secret: true },
  { name: 'ssl.ca.location', doc: 'A PEM file with the certificates to trust. Those of Node without it.' },
  { name: 'ssl.certificate.location', doc: 'A PEM file with the certificate of this client.' },
  { name: 'ssl.key.location', doc: 'A PEM file with its private key.' },
  { name: 'ssl.key.password', doc: 'The password of the private key.', secret: true },
  { name: 'enable.ssl.certificate.verification', doc: 'false trusts whoever answers.', values: ['true', 'false'] },
  { name: 'ssl.endpoint.identification.algorithm', doc: 'none does not compare the host name.', values: ['https', 'none'] },
  { name: 'socket.connection.setup.timeout.ms', doc: 'How long a connection may take; 5000 without it.' },
  { name: 'request.timeout.ms', doc: 'How long an answer may take; 30000 without it.' },
] as const satisfies readonly Property[]

/** The settings of -X. */
export const connectionProperties: readonly Property[] = properties

type PropertyName = (typeof properties)[number]['name']

/** Other names for the same, as Java and librdkafka have them. */
const synonyms: Readonly<Record<string, PropertyName>> = {
  'metadata.broker.list': 'bootstrap.servers',
  'sasl.mechanisms': 'sasl.mechanism',
}

const variablePrefix = 'LKS_CLIENT_'
const bootstrapVariables = ['LKS_BOOTSTRAP_SERVERS', 'KAFKA_BOOTSTRAP_SERVERS', 'KAFKA_BROKERS'] as const

/** Variables that are read by client commands, or given by `lks exec` to its child; no option of a server, and nothing to warn about. */
export function isClientVariable(name: string): boolean {
  return name.startsWith(variablePrefix) || ['LKS_BOOTSTRAP_SERVERS', 'LKS_URL', 'LKS_DATA_URL'].includes(name)
}

export interface ConnectionSources {
  /** Of --bootstrap-servers. */
  readonly bootstrap: string | undefined
  /** Of -X, `key=value` each. */
  readonly properties: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Throws a UserError that names what is wrong. */
export function connectionFrom({ bootstrap, properties: given, env }: ConnectionSources): ConnectionOptions {
  const values = propertiesFrom(given, env)
  const variable = bootstrapVariables.find((name) => (env[name] ?? '') !== '')
  const { said, text } =
    bootstrap !== undefined
      ? { said: '--bootstrap-servers', text: bootstrap }
      : values.has('bootstrap.servers')
        ? { said: '-X bootstrap.servers', text: values.get('bootstrap.servers') ?? '' }
        : variable !== undefined
          ? { said: variable, text: env[variable] ?? '' }
          : { said: 'default', text: 'localhost:9092' }
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

type Values = ReadonlyMap<PropertyName, string>

function propertiesFrom(given: readonly string[], env: ConnectionSources['env']): Values {
  const values = new Map<PropertyName, string>()
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(variablePrefix) || value === undefined) continue
    put(values, variable.slice(variablePrefix.length).toLowerCase().replaceAll('_', '.'), value, variable)
  }
  for (const pair of given) {
    const at = pair.indexOf('=')
    if (at <= 0) throw wrong(`-X: '${pair}' is not key=value`)
    put(values, pair.slice(0, at).trim(), pair.slice(at + 1), '-X')
  }
  return values
}

function put(values: Map<PropertyName, string>, key: string, value: string, said: string): void {
  const name = synonyms[key] ?? key
  const property = properties.find((candidate) => candidate.name === name)
  if (property === undefined) throw wrong(`${said}: there is no setting '${key}'${didYouMean(key, propertyNames)}`)
  if (
    'values' in property &&
    property.values !== undefined &&
    !property.values.some((one) => one.toLowerCase() === value.toLowerCase().trim())
  )
    throw wrong(`${said}: ${key} must be ${property.values.join(', ').replace(/, (?=[^,]*$)/, ' or ')}, not '${value}'`)
  values.set(property.name, 'secret' in property ? value : value.trim())
}

const propertyNames = properties.map(({ name }) => name)

function tlsFrom(values: Values, protocol: string): TlsOptions | undefined {
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

function saslFrom(values: Values, protocol: string): SaslOptions | undefined {
  if (!protocol.startsWith('SASL')) {
    const sasl = [...values.keys()].find((name) => name.startsWith('sasl.'))
    if (sasl !== undefined) throw excluded(sasl, protocol, 'SASL_PLAINTEXT or SASL_SSL')
    return undefined
  }
  const username = values.get('sasl.username')
  const password = values.get('sasl.password')
  if (username === undefined || password === undefined) throw wrong(`security.protocol ${protocol} needs sasl.username and sasl.password`)
  const mechanism = mechanisms[(values.get('sasl.mechanism') ?? 'PLAIN').toUpperCase()]
  // Checked before against the same names.
  if (mechanism === undefined) throw wrong('there is no such sasl.mechanism')
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
  if (servers.length === 0) throw noServer(`${said} names no server`)
  return servers.map((server) => addressOf(server, said))
}

/** `host`, `host:port`, `[::1]:port` → with its port. Throws a UserError. `said`: as the user named it. */
export function addressOf(server: string, said: string): string {
  if (/^https?:/i.test(server)) throw noServer(`${said}: '${server}' is a URL of HTTP; a Kafka is named as host:port`)
  const [, bracketed, plain, port = '9092'] = /^(?:\[([^\]\s]+)\]|([^:[\]\s/]+))(?::(\d{1,5}))?$/.exec(server) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) throw noServer(`${said}: '${server}' is no host:port`)
  return bracketed === undefined ? `${host}:${port}` : `[${host}]:${port}`
}

function milliseconds(values: Values, name: PropertyName, fallback: number): number {
  const text = values.get(name)
  if (text === undefined) return fallback
  if (!/^\d{1,7}$/.test(text) || Number(text) < 1) throw wrong(`${name} must be a number of milliseconds, not '${text}'`)
  return Number(text)
}

function excluded(name: string, protocol: string, other: string): UserError {
  return new UserError('LKS-1005', {
    what: `${name} is given, but security.protocol is ${protocol}`,
    fix: [`say it: -X security.protocol=${other}`, `leave ${name} out`],
  })
}

function wrong(what: string): UserError {
  return new UserError('LKS-1004', {
    what,
    fix: ['host and port: -b localhost:9092', `settings of a connection: ${propertyNames.join(', ')}`],
  })
}

function noServer(what: string): UserError {
  return new UserError('LKS-1004', { what, fix: ['name host and port: localhost:9092', 'of several, put commas between them'] })
}
