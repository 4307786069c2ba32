// The diagnosis of an address: what is wrong and what to do. It also tries with TLS if the client uses none, and without TLS if it does.
import type { UserErrorCode } from 'local-kafka-service/internal/user-error'
import { tlsOptions } from './client-options.ts'
import type { ConnectionOptions } from './connection-options.ts'
import { type Finding, probe } from './probe.ts'
import { splitServer } from './server-address.ts'

export interface Diagnosis {
  readonly server: string
  readonly finding: Finding
  /** Undefined: a Kafka server that accepts the connection settings. */
  readonly problem: ConnectionProblem | undefined
}

export interface ConnectionProblem {
  readonly code: UserErrorCode
  /** `no server listens on localhost:9092`: a whole sentence without its full stop. */
  readonly what: string
  readonly fix: readonly string[]
}

const timeoutMs = 3_000

/** Connects as the client does: with its TLS certificates and the first step of its login. Rejects with a UserError for an unreadable PEM file. */
export async function diagnose(server: string, connection: Pick<ConnectionOptions, 'tls' | 'sasl'>): Promise<Diagnosis> {
  const { tls, sasl } = connection
  const address = splitServer(server)
  const login = sasl?.mechanism ?? 'none'
  const wanted = tls === undefined ? undefined : await tlsOptions(tls)
  const finding = await probe(address, { timeoutMs, tls: wanted, login })
  if (finding.kind === 'kafka') return { server, finding, problem: undefined }
  if (isListener(finding)) return { server, finding, problem: settingsProblem(server, finding, connection) }
  if (!isMute(finding)) return { server, finding, problem: problemOf(server, finding) }
  const otherwise = await probe(address, { timeoutMs, tls: tls === undefined ? { rejectUnauthorized: false } : undefined, login })
  const problem = isListener(otherwise) ? otherTls(server, otherwise, connection) : problemOf(server, finding)
  return { server, finding, problem }
}

/** The answer does not show what kind of server it is. */
function isMute({ kind }: Finding): boolean {
  return kind === 'closed' || kind === 'silent' || kind === 'speaks TLS' || kind === 'no TLS'
}

export type KafkaListener = Extract<
  Finding,
  { readonly kind: 'kafka' | 'wants login' | 'wants no login' | 'other mechanisms' | 'wants certificate' }
>

/** A Kafka server that clients can use with the right settings. */
function isListener(finding: Finding): finding is KafkaListener {
  const { kind } = finding
  return (
    kind === 'kafka' || kind === 'wants login' || kind === 'wants no login' || kind === 'other mechanisms' || kind === 'wants certificate'
  )
}

type SecuritySettings = Pick<ConnectionOptions, 'tls' | 'sasl'>

/** The value of security.protocol. */
function protocolOf({ tls, sasl }: { readonly tls: boolean; readonly sasl: boolean }): string {
  return `${sasl ? 'SASL_' : ''}${tls ? 'SSL' : 'PLAINTEXT'}`
}

function saidOf({ tls, sasl }: SecuritySettings): string {
  return protocolOf({ tls: tls !== undefined, sasl: sasl !== undefined })
}

/** Whether the listener uses SASL, from its answer to this client. */
function hasLogin({ kind }: KafkaListener, { sasl }: SecuritySettings): boolean {
  return kind === 'wants login' || (kind !== 'wants no login' && sasl !== undefined)
}

/** The wrong settings when TLS or its absence is already right. Exported for its test. */
export function settingsProblem(server: string, finding: KafkaListener, settings: SecuritySettings): ConnectionProblem | undefined {
  const said = saidOf(settings)
  const right = (sasl: boolean): string => protocolOf({ tls: settings.tls !== undefined, sasl })
  switch (finding.kind) {
    case 'wants login':
      return {
        code: 'LKS-4003',
        what: `${server} requires SASL, but security.protocol is ${said}`,
        fix: [
          `set a login: -X security.protocol=${right(true)} -X sasl.username=… -X sasl.password=…`,
          'or use a listener without SASL, if there is one',
        ],
      }
    case 'wants no login':
      return {
        code: 'LKS-4003',
        what: `${server} has no login (SASL), but security.protocol is ${said}`,
        fix: [`remove the login: -X security.protocol=${right(false)}`, 'or use a listener with SASL, if there is one'],
      }
    case 'other mechanisms':
      return {
        code: 'LKS-4003',
        what: `${server} does not serve sasl.mechanism ${settings.sasl?.mechanism ?? ''}`,
        fix: [`use one that it serves: -X sasl.mechanism=${finding.offered.join(' or ')}`],
      }
    case 'wants certificate':
      return {
        code: 'LKS-4003',
        what:
          settings.tls?.certificate === undefined
            ? `${server} requires a client certificate, but ssl.certificate.location is not set`
            : `${server} does not accept the certificate of ssl.certificate.location: ${finding.message}`,
        fix: ['use a certificate that it trusts: -X ssl.certificate.location=client.pem -X ssl.key.location=client.key'],
      }
    case 'kafka':
      return undefined
  }
}

/** The client uses TLS and the listener does not, or the other way round. Exported for its test. */
export function otherTls(server: string, finding: KafkaListener, settings: SecuritySettings): ConnectionProblem {
  const hasTls = settings.tls === undefined
  const protocol = protocolOf({ tls: hasTls, sasl: hasLogin(finding, settings) })
  return {
    code: 'LKS-4003',
    what: hasTls
      ? `${server} speaks Kafka over TLS, but security.protocol is ${saidOf(settings)}`
      : `${server} speaks Kafka without TLS, but security.protocol is ${saidOf(settings)}`,
    fix: [`set -X security.protocol=${protocol}`, ...(hasTls ? ['or use a listener without TLS, if there is one'] : [])],
  }
}

/** A server that is not a Kafka listener, or cannot be reached. */
export type Wrong = Exclude<Finding, KafkaListener>

/** Exported for its test. */
export function problemOf(server: string, finding: Wrong): ConnectionProblem {
  const { host, port } = splitServer(server)
  const unreachable = (what: string, ...fix: readonly string[]): ConnectionProblem => ({ code: 'LKS-4001', what, fix })
  const stranger = (what: string, ...fix: readonly string[]): ConnectionProblem => ({ code: 'LKS-4002', what, fix })
  switch (finding.kind) {
    case 'unresolvable':
      return unreachable(`the host '${host}' cannot be resolved (${finding.code})`, 'check the spelling, DNS and /etc/hosts')
    case 'refused':
      return unreachable(
        `no server listens on ${server}`,
        isLoopback(host)
          ? `start one: lks dev${port === 9092 ? '' : ` --kafka-port ${port}`}`
          : `check that the server runs on ${host}, and its port`,
        'use another address: -b host:port, or KAFKA_BOOTSTRAP_SERVERS',
      )
    case 'unreachable':
      return unreachable(`${server} cannot be reached (${finding.code})`, 'check the network between this machine and ${host}')
    case 'no connection':
      return unreachable(
        `${server} did not accept a connection within ${timeoutMs / 1000} s`,
        'check the firewalls on the way, and the host name',
      )
    case 'silent':
      return stranger(
        `${server} accepts the connection, but does not answer within ${timeoutMs / 1000} s`,
        'check that a Kafka server listens there and does not hang',
      )
    case 'closed':
      return stranger(
        `${server} closes the connection without an answer: it is not a Kafka server, or rejects this client`,
        'check the log of that server',
      )
    case 'speaks HTTP':
      return stranger(
        `${server} speaks HTTP, not Kafka`,
        port === 8000 || port === 8123 ? 'use the Kafka port: 9092 is the default' : 'use the Kafka port of that server',
      )
    case 'speaks TLS':
      return stranger(`${server} speaks TLS, but not Kafka`, 'use the Kafka port of that server')
    case 'no TLS':
      return stranger(
        `${server} does not speak TLS: ${finding.message}`,
        'set -X security.protocol=PLAINTEXT',
        'check that a Kafka server listens there',
      )
    case 'untrusted':
      return {
        code: 'LKS-4003',
        what: `the certificate of ${server} is not trusted: ${finding.message}`,
        fix: ['name the CA to trust: -X ssl.ca.location=ca.pem', 'trust any certificate: -X enable.ssl.certificate.verification=false'],
      }
    case 'no kafka':
      return stranger(`the server on ${server} does not speak Kafka: ${finding.message}`, 'use the Kafka port of that server')
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || host.startsWith('127.')
}
