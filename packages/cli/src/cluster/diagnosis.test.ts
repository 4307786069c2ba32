// The diagnosis of an address, and the translation of a cluster's errors.
import { expect, test } from 'vitest'
import { rejection } from './client-errors.ts'
import { isLoopback, type KafkaListener, otherTls, problemOf, settingsProblem, type Wrong } from './diagnosis.ts'
import { asServer, splitServer } from './server-address.ts'
import { serverGuess } from './server-guess.ts'

const findings: readonly (readonly [Wrong, RegExp])[] = [
  [{ kind: 'unresolvable', code: 'ENOTFOUND' }, /the host 'localhost' cannot be resolved/],
  [{ kind: 'refused' }, /no server listens on localhost:9093/],
  [{ kind: 'unreachable', code: 'EHOSTUNREACH' }, /cannot be reached \(EHOSTUNREACH\)/],
  [{ kind: 'no connection' }, /did not accept a connection within 3 s/],
  [{ kind: 'silent' }, /does not answer/],
  [{ kind: 'closed' }, /closes the connection/],
  [{ kind: 'speaks HTTP' }, /speaks HTTP, not Kafka/],
  [{ kind: 'speaks TLS' }, /speaks TLS/],
  [{ kind: 'no TLS', message: 'reset' }, /does not speak TLS: reset/],
  [{ kind: 'untrusted', message: 'self-signed certificate' }, /is not trusted: self-signed/],
  [{ kind: 'no kafka', message: 'a frame claims -1 bytes' }, /does not speak Kafka/],
]

test.each(findings.map(([finding, words]) => [finding.kind, finding, words] as const))(
  '%s names the address and a fix',
  (_kind, finding, words) => {
    const { what, fix, code } = problemOf('localhost:9093', finding)
    expect(what).toMatch(words)
    expect(what).toContain('localhost')
    expect(fix.length).toBeGreaterThan(0)
    expect(code).toMatch(/^LKS-40\d\d$/)
  },
)

test('for a closed port on this machine the fix names the command that starts a server', () => {
  expect(problemOf('localhost:9093', { kind: 'refused' }).fix[0]).toBe('start one: lks dev --kafka-port 9093')
  expect(problemOf('broker:9092', { kind: 'refused' }).fix[0]).not.toContain('lks dev')
  expect(isLoopback('127.1.2.3')).toBe(true)
  expect(isLoopback('10.0.0.1')).toBe(false)
})

test('addresses with a port, including IPv6, are parsed and printed', () => {
  for (const server of ['a:1', '[::1]:9092', '10.0.0.1:65535']) expect(asServer(splitServer(server))).toBe(server)
  expect(splitServer('[::1]:9092')).toEqual({ host: '::1', port: 9092 })
})

test("a cluster's error keeps its message and gets a code and a fix", () => {
  const known = rejection('TOPIC_ALREADY_EXISTS', "Topic 'orders' already exists.")
  expect(known).toMatchObject({ code: 'LKS-4010', what: "Topic 'orders' already exists" })
  expect(rejection('SOMETHING_NEW', 'Whatever')).toMatchObject({ code: 'LKS-4007', why: 'the cluster answered SOMETHING_NEW' })
})

test('the Kafka version of a server, from its APIs', () => {
  expect(serverGuess([{ key: 0, min: 0, max: 13 }])).toContain('4.1')
  expect(
    serverGuess([
      { key: 60, min: 0, max: 0 },
      { key: 1, min: 0, max: 11 },
    ]),
  ).toContain('2.8')
  expect(serverGuess([])).toBe('unknown')
})

const noFiles = {
  ca: undefined,
  certificate: undefined,
  key: undefined,
  keyPassword: undefined,
  verifyCertificate: true,
  verifyHostName: true,
}
const user = { mechanism: 'PLAIN', username: 'me', password: 'hunter2' } as const
const clients = {
  PLAINTEXT: { tls: undefined, sasl: undefined },
  SSL: { tls: noFiles, sasl: undefined },
  SASL_PLAINTEXT: { tls: undefined, sasl: user },
  SASL_SSL: { tls: noFiles, sasl: user },
} as const
type Protocol = keyof typeof clients
const protocols = Object.keys(clients) as readonly Protocol[]
const pairs = protocols.flatMap((client) =>
  protocols.filter((listener) => listener !== client).map((listener) => [client, listener] as const),
)

test.each(pairs)(
  'C16: the error for a client with security.protocol=%s at a listener of %s names the wrong setting and the right one',
  (client, listener) => {
    const settings = clients[client]
    const [hasTls, hasLogin] = [listener.endsWith('SSL'), listener.startsWith('SASL')]
    const kind = hasLogin === (settings.sasl !== undefined) ? 'kafka' : hasLogin ? 'wants login' : 'wants no login'
    const finding: KafkaListener = kind === 'kafka' ? { kind, apis: [], ms: 1, remoteAddress: '::1' } : { kind }
    const problem =
      hasTls === (settings.tls !== undefined)
        ? settingsProblem('localhost:9093', finding, settings)
        : otherTls('localhost:9093', finding, settings)
    expect(problem?.code).toBe('LKS-4003')
    expect(problem?.what).toMatch(new RegExp(`localhost:9093 .*security\\.protocol is ${client}$`))
    expect(problem?.fix[0]).toMatch(new RegExp(`-X security\\.protocol=${listener}( |$)`))
  },
)

test('C16: an unsupported mechanism and a missing or untrusted certificate are reported with their settings', () => {
  expect(settingsProblem('a:1', { kind: 'other mechanisms', offered: ['SCRAM-SHA-512'] }, clients.SASL_SSL)).toMatchObject({
    what: 'a:1 does not serve sasl.mechanism PLAIN',
    fix: ['use one that it serves: -X sasl.mechanism=SCRAM-SHA-512'],
  })
  const wants = { kind: 'wants certificate', message: 'bad certificate' } as const
  expect(settingsProblem('a:1', wants, clients.SSL)?.what).toContain('ssl.certificate.location is not set')
  const withOne = { tls: { ...noFiles, certificate: 'c.pem' }, sasl: undefined }
  expect(settingsProblem('a:1', wants, withOne)?.what).toContain('does not accept the certificate of ssl.certificate.location')
})
