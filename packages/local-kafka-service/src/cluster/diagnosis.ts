// What is wrong with an address, in words, with what to do about it; TLS is tried the other way round before anybody is blamed.
import type { ConnectionOptions } from '../command/client-command.ts'
import type { UserErrorCode } from '../user-error.ts'
import { tlsOptions } from './client-options.ts'
import { type Finding, probe, splitServer } from './probe.ts'

export interface Diagnosis {
  readonly server: string
  readonly finding: Finding
  /** Undefined: it is a Kafka, spoken to in the right way. */
  readonly trouble: Trouble | undefined
}

export interface Trouble {
  readonly code: UserErrorCode
  /** `nobody listens on localhost:9092`, a whole sentence without its full stop. */
  readonly what: string
  readonly fix: readonly string[]
}

const timeoutMs = 3_000

/** Asks as the client does: over TLS with its certificates, and with the first step of its login. Rejects with a UserError for a PEM file that cannot be read. */
export async function diagnose(server: string, connection: Pick<ConnectionOptions, 'tls' | 'sasl'>): Promise<Diagnosis> {
  const { tls, sasl } = connection
  const address = splitServer(server)
  const login = sasl?.mechanism ?? 'none'
  const wanted = tls === undefined ? undefined : await tlsOptions(tls)
  const finding = await probe(address, { timeoutMs, tls: wanted, login })
  if (finding.kind === 'kafka') return { server, finding, trouble: undefined }
  if (isListener(finding)) return { server, finding, trouble: settingsTrouble(server, finding, connection) }
  if (!isMute(finding)) return { server, finding, trouble: troubleOf(server, finding) }
  const otherwise = await probe(address, { timeoutMs, tls: tls === undefined ? { rejectUnauthorized: false } : undefined, login })
  const trouble = isListener(otherwise) ? otherTls(server, otherwise, connection) : troubleOf(server, finding)
  return { server, finding, trouble }
}

/** What it says does not show what it is. */
function isMute({ kind }: Finding): boolean {
  return kind === 'closed' || kind === 'silent' || kind === 'speaks TLS' || kind === 'no TLS'
}

export type Listener = Extract<
  Finding,
  { readonly kind: 'kafka' | 'wants login' | 'wants no login' | 'other mechanisms' | 'wants certificate' }
>

/** It is one that Kafka's clients can speak to, with the right settings. */
function isListener(finding: Finding): finding is Listener {
  const { kind } = finding
  return (
    kind === 'kafka' || kind === 'wants login' || kind === 'wants no login' || kind === 'other mechanisms' || kind === 'wants certificate'
  )
}

type Settings = Pick<ConnectionOptions, 'tls' | 'sasl'>

/** As security.protocol names it. */
function protocolOf({ tls, sasl }: { readonly tls: boolean; readonly sasl: boolean }): string {
  return `${sasl ? 'SASL_' : ''}${tls ? 'SSL' : 'PLAINTEXT'}`
}

function saidOf({ tls, sasl }: Settings): string {
  return protocolOf({ tls: tls !== undefined, sasl: sasl !== undefined })
}

/** Whether the listener has a login, by what it answered to this client. */
function hasLogin({ kind }: Listener, { sasl }: Settings): boolean {
  return kind === 'wants login' || (kind !== 'wants no login' && sasl !== undefined)
}

/** The settings that are wrong, where it was spoken to over TLS as it wants. Exported for its test. */
export function settingsTrouble(server: string, finding: Listener, settings: Settings): Trouble | undefined {
  const said = saidOf(settings)
  const right = (sasl: boolean): string => protocolOf({ tls: settings.tls !== undefined, sasl })
  switch (finding.kind) {
    case 'wants login':
      return {
        code: 'LKS-4003',
        what: `${server} wants a login, and security.protocol is ${said}`,
        fix: [
          `log in: -X security.protocol=${right(true)} -X sasl.username=… -X sasl.password=…`,
          'or name a listener without a login, if it has one',
        ],
      }
    case 'wants no login':
      return {
        code: 'LKS-4003',
        what: `${server} has no login (SASL), and security.protocol is ${said}`,
        fix: [`leave it out: -X security.protocol=${right(false)}`, 'or name the listener that has a login, if there is one'],
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
            ? `${server} wants a certificate of the client, and ssl.certificate.location is not set`
            : `${server} does not accept the certificate of ssl.certificate.location: ${finding.message}`,
        fix: ['name one that it trusts: -X ssl.certificate.location=client.pem -X ssl.key.location=client.key'],
      }
    case 'kafka':
      return undefined
  }
}

/** It was spoken to over TLS, and has none, or the other way round. Exported for its test. */
export function otherTls(server: string, finding: Listener, settings: Settings): Trouble {
  const hasTls = settings.tls === undefined
  const protocol = protocolOf({ tls: hasTls, sasl: hasLogin(finding, settings) })
  return {
    code: 'LKS-4003',
    what: hasTls
      ? `${server} speaks Kafka over TLS, and was spoken to without: security.protocol is ${saidOf(settings)}`
      : `${server} speaks Kafka without TLS, and was spoken to over TLS: security.protocol is ${saidOf(settings)}`,
    fix: [`say it: -X security.protocol=${protocol}`, ...(hasTls ? ['or name a listener without TLS, if it has one'] : [])],
  }
}

/** What is no listener of a Kafka, or cannot be reached. */
export type Wrong = Exclude<Finding, Listener>

/** Exported for its test. */
export function troubleOf(server: string, finding: Wrong): Trouble {
  const { host, port } = splitServer(server)
  const unreachable = (what: string, ...fix: readonly string[]): Trouble => ({ code: 'LKS-4001', what, fix })
  const stranger = (what: string, ...fix: readonly string[]): Trouble => ({ code: 'LKS-4002', what, fix })
  switch (finding.kind) {
    case 'unresolvable':
      return unreachable(
        `there is no host '${host}': its name has no address (${finding.code})`,
        'look for a typing error, or at DNS and /etc/hosts',
      )
    case 'refused':
      return unreachable(
        `nobody listens on ${server}`,
        isLoopback(host)
          ? `start one: lks dev${port === 9092 ? '' : ` --kafka-port ${port}`}`
          : `look whether it runs on ${host}, and on which port`,
        'name another: -b host:port, or KAFKA_BOOTSTRAP_SERVERS',
      )
    case 'unreachable':
      return unreachable(`${server} cannot be reached (${finding.code})`, 'look at the network between here and there')
    case 'no connection':
      return unreachable(
        `nothing answers at ${server}: no connection within ${timeoutMs / 1000} s`,
        'look whether a firewall swallows it, and whether the host is right',
      )
    case 'silent':
      return stranger(
        `${server} takes the connection, but answers nothing within ${timeoutMs / 1000} s`,
        'look whether a Kafka listens there, and whether it hangs',
      )
    case 'closed':
      return stranger(
        `${server} ends the connection without an answer: it is no Kafka, or does not want this client`,
        'look at the log of what listens there',
      )
    case 'speaks HTTP':
      return stranger(
        `${server} speaks HTTP, not Kafka`,
        port === 8000 || port === 8123 ? 'name the Kafka port: 9092 is the default' : 'name the Kafka port of that server',
      )
    case 'speaks TLS':
      return stranger(`${server} speaks TLS, but no Kafka behind it`, 'name the Kafka port of that server')
    case 'no TLS':
      return stranger(
        `${server} does not speak TLS: ${finding.message}`,
        'say it: -X security.protocol=PLAINTEXT',
        'look whether a Kafka listens there',
      )
    case 'untrusted':
      return {
        code: 'LKS-4003',
        what: `the certificate of ${server} is not trusted: ${finding.message}`,
        fix: ['name whom to trust: -X ssl.ca.location=ca.pem', 'trust whoever answers: -X enable.ssl.certificate.verification=false'],
      }
    case 'no kafka':
      return stranger(`what listens on ${server} does not speak Kafka: ${finding.message}`, 'name the Kafka port of that server')
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || host.startsWith('127.')
}
