// What is wrong with an address, in words, with what to do about it; TLS is tried the other way round before anybody is blamed.
import type { ConnectionOptions } from '../command/client-command.ts'
import type { UserErrorCode } from '../user-error.ts'
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

export async function diagnose(server: string, { tls }: Pick<ConnectionOptions, 'tls'>): Promise<Diagnosis> {
  const address = splitServer(server)
  const wanted = tls === undefined ? undefined : { verify: tls.verifyCertificate && tls.verifyHostName && tls.ca === undefined }
  const finding = await probe(address, { timeoutMs, tls: wanted })
  if (finding.kind === 'kafka') return { server, finding, trouble: undefined }
  const mute = finding.kind === 'closed' || finding.kind === 'silent' || finding.kind === 'speaks TLS' || finding.kind === 'no TLS'
  if (!mute) return { server, finding, trouble: troubleOf(server, finding) }
  const otherwise = await probe(address, { timeoutMs, tls: tls === undefined ? { verify: false } : undefined })
  if (otherwise.kind !== 'kafka') return { server, finding, trouble: troubleOf(server, finding) }
  return { server, finding, trouble: tls === undefined ? wantsTls(server) : wantsPlain(server) }
}

function wantsTls(server: string): Trouble {
  return {
    code: 'LKS-4003',
    what: `${server} speaks Kafka over TLS, and was spoken to without`,
    fix: ['say it: -X security.protocol=SSL   (SASL_SSL with a user name)', 'name a listener without TLS, if it has one'],
  }
}

function wantsPlain(server: string): Trouble {
  return {
    code: 'LKS-4003',
    what: `${server} speaks Kafka without TLS, and was spoken to over TLS`,
    fix: ['say it: -X security.protocol=PLAINTEXT   (SASL_PLAINTEXT with a user name)'],
  }
}

/** Exported for its test. */
export function troubleOf(server: string, finding: Exclude<Finding, { readonly kind: 'kafka' }>): Trouble {
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
