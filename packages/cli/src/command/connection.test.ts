// How a client command finds its cluster: which source has precedence, and which values are rejected.
import { UserError } from 'local-kafka-service/internal/user-error'
import { expect, test } from 'vitest'
import { type ConnectionSources, connectionFrom } from './connection.ts'

function from(given: Partial<ConnectionSources> = {}) {
  return connectionFrom({ bootstrap: undefined, properties: [], env: {}, ...given })
}

function rejection(given: Partial<ConnectionSources>): UserError {
  try {
    from(given)
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('it was not rejected')
}

test('the default is localhost:9092 in plain text', () => {
  expect(from()).toMatchObject({ bootstrapServers: ['localhost:9092'], said: 'default', tls: undefined, sasl: undefined, clientId: 'lks' })
})

test('the flag has precedence, then -X, LKS_, KAFKA_BOOTSTRAP_SERVERS and KAFKA_BROKERS', () => {
  const env = { LKS_BOOTSTRAP_SERVERS: 'c:1', KAFKA_BOOTSTRAP_SERVERS: 'd:1', KAFKA_BROKERS: 'e:1' }
  expect(from({ bootstrap: 'a:1', properties: ['bootstrap.servers=b:1'], env }).bootstrapServers).toEqual(['a:1'])
  expect(from({ properties: ['bootstrap.servers=b:1'], env }).bootstrapServers).toEqual(['b:1'])
  expect(from({ env }).bootstrapServers).toEqual(['c:1'])
  expect(from({ env: { ...env, LKS_BOOTSTRAP_SERVERS: '' } }).bootstrapServers).toEqual(['d:1'])
  expect(from({ env: { KAFKA_BROKERS: 'e:1' } })).toMatchObject({ bootstrapServers: ['e:1'], said: 'KAFKA_BROKERS' })
})

test('a list of servers, IPv6 in brackets, and 9092 as the default port', () => {
  expect(from({ bootstrap: ' a , b:1,[::1]:2,[fe80::1]' }).bootstrapServers).toEqual(['a:9092', 'b:1', '[::1]:2', '[fe80::1]:9092'])
})

test.each(['http://localhost:8000', 'a:0', 'a:65536', 'a:b', '::1', 'a b:1', ',', 'a/b'])('%j is not a valid server', (bootstrap) => {
  expect(rejection({ bootstrap }).code).toBe('LKS-1004')
})

test('TLS and credentials come from -X, then from the environment', () => {
  const connection = from({
    properties: ['security.protocol=sasl_ssl', 'sasl.mechanisms=SCRAM-SHA-512', 'sasl.username=me', 'ssl.ca.location=ca.pem'],
    env: { LKS_CLIENT_SASL_PASSWORD: 'a=b ', LKS_CLIENT_SASL_USERNAME: 'other' },
  })
  expect(connection.sasl).toEqual({ mechanism: 'SCRAM-SHA-512', username: 'me', password: 'a=b ' })
  expect(connection.tls).toMatchObject({ ca: 'ca.pem', verifyCertificate: true, verifyHostName: true })
})

test.each([
  [['sasl.usrname=me'], /'sasl.usrname' is not a known setting; did you mean sasl.username\?/],
  [['security.protocol=TLS'], /PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL/],
  [['sasl.username=me'], /security.protocol is PLAINTEXT/],
  [['ssl.ca.location=ca.pem'], /security.protocol is PLAINTEXT/],
  [['security.protocol=SASL_SSL', 'sasl.username=me'], /requires sasl.username and sasl.password/],
  [['security.protocol=SASL_SSL', 'sasl.mechanism=GSSAPI'], /must be PLAIN/],
  [['security.protocol=SSL', 'ssl.key.location=key.pem'], /go together/],
  [['request.timeout.ms=soon'], /number of milliseconds/],
  [['novalue'], /not key=value/],
])('-X %j is rejected with a reason', (properties, words) => {
  expect(rejection({ properties }).what).toMatch(words)
})

test('an error never contains a secret', () => {
  const error = rejection({ properties: ['sasl.password=hunter2'] })
  expect(`${error.message} ${error.fix.join()}`).not.toContain('hunter2')
})

const staging = {
  name: 'staging',
  settings: {
    'bootstrap.servers': 'staging:9093',
    'security.protocol': 'SASL_SSL',
    'sasl.username': 'me',
    'sasl.password': 'hunter2',
  },
}

test('the current profile counts as a whole, if nothing else names a cluster', () => {
  const profile = { ...staging, isNamed: false }
  expect(from({ profile })).toMatchObject({ bootstrapServers: ['staging:9093'], said: 'profile staging', sasl: { username: 'me' } })
  for (const other of [
    { bootstrap: 'a:1' },
    { properties: ['bootstrap.servers=a:1'] },
    { env: { KAFKA_BROKERS: 'a:1' } },
    { env: { LKS_CLIENT_BOOTSTRAP_SERVERS: 'a:1' } },
  ])
    expect(from({ profile, ...other })).toMatchObject({ bootstrapServers: ['a:1'], sasl: undefined, tls: undefined })
  // One setting of it can be replaced.
  expect(from({ profile, env: { LKS_CLIENT_SASL_PASSWORD: 'other' } }).sasl?.password).toBe('other')
})

test('a profile that --profile names comes before the environment, and after the flags', () => {
  const profile = { ...staging, isNamed: true }
  const env = { KAFKA_BROKERS: 'a:1', LKS_CLIENT_SASL_PASSWORD: 'other', LKS_CLIENT_CLIENT_ID: 'mine' }
  expect(from({ profile, env })).toMatchObject({
    bootstrapServers: ['staging:9093'],
    sasl: { username: 'me', password: 'hunter2' },
    clientId: 'mine',
  })
  expect(from({ profile, env, bootstrap: 'b:1', properties: ['sasl.username=you'] })).toMatchObject({
    bootstrapServers: ['b:1'],
    said: '--bootstrap-servers',
    sasl: { username: 'you' },
  })
})

test('a wrong setting of a profile names the profile', () => {
  expect(rejection({ profile: { name: 'old', settings: { 'sasl.user': 'x' }, isNamed: true } }).what).toMatch(/^profile old: 'sasl.user'/)
})
