// The rules of the option table: precedence of sources, rejected values and their messages.
import { describe, expect, test } from 'vitest'
import { isClientVariable } from './client-variables.ts'
import {
  type OptionSources,
  options,
  optionsFor,
  resolveOptions,
  type ServerCommand,
  splitAddress,
  variableOf,
  withoutPassword,
} from './options.ts'
import { UserError } from './user-error.ts'

interface Sources extends Partial<Omit<OptionSources, 'file'>> {
  /** The text of the file. */
  readonly file?: string
}

function resolved({ file, ...sources }: Sources, command: ServerCommand = 'dev') {
  const asFile = file === undefined ? undefined : { path: 'lks.config.json', text: file }
  return resolveOptions(command, { flags: {}, env: {}, ...sources, file: asFile })
}

function rejection(sources: Sources, command?: ServerCommand): UserError {
  try {
    resolved(sources, command)
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('nothing was rejected')
}

describe('the precedence of sources', () => {
  const flags = { 'kafka.port': '1' }
  const env = { LKS_KAFKA_PORT: '2' }
  const file = '{"kafka.port": 3}'

  test('a flag overrides the environment, which overrides the file, which overrides the default', () => {
    expect(resolved({ flags, env, file }).values.get('kafka.port')).toEqual({ value: '1', source: 'flag', said: '--kafka-port' })
    expect(resolved({ env, file }).values.get('kafka.port')).toEqual({ value: '2', source: 'environment', said: 'LKS_KAFKA_PORT' })
    expect(resolved({ file }).values.get('kafka.port')).toEqual({ value: '3', source: 'file', said: 'kafka.port in lks.config.json' })
    expect(resolved({}).values.get('kafka.port')).toEqual({ value: '9092', source: 'default', said: '--kafka-port' })
  })

  test('a setting of the agent is an option like the others', () => {
    const { values } = resolved({ env: { LKS_NUM_PARTITIONS: '3' }, file: '{"auto.create.topics.enable": false}' })
    expect(values.get('num.partitions')).toMatchObject({ value: '3', source: 'environment' })
    expect(values.get('auto.create.topics.enable')).toMatchObject({ value: 'false', source: 'file' })
  })
})

describe('a rejected value names its source', () => {
  test.each([
    [{ flags: { 'kafka.port': '70000' } }, '--kafka-port', 'port from 0 to 65535'],
    [{ env: { LKS_DATA_PORT: 'http' } }, 'LKS_DATA_PORT', 'port from 0 to 65535'],
    [{ file: '{"flush.bytes": 1}' }, 'flush.bytes in lks.config.json', 'whole number'],
    [{ flags: { storage: '/var/data' } }, '--storage', 's3://bucket/prefix'],
    [{ flags: { storage: 's3:///prefix' } }, '--storage', 'must name a bucket'],
    [{ flags: { metadata: 'mysql://host/db' } }, '--metadata', 'postgres://'],
    [{ flags: { 'store.latency': 'slow' } }, '--store-latency', '100ms'],
    [{ flags: { 'store.latency': '2m' } }, '--store-latency', 'at most one minute'],
    [{ flags: { listen: ' , ' } }, '--listen', 'at least one address'],
    [{ flags: { advertised: 'host:0' } }, '--advertised', '1 to 65535'],
    [{ flags: { advertised: '0.0.0.0:9092' } }, '--advertised', 'must not be 0.0.0.0, which clients cannot reach'],
    [{ flags: { advertised: '[::]:9092' } }, '--advertised', 'must not be ::'],
    [{ flags: { durability: 'maybe' } }, '--durability', 'strict, os, memory'],
  ])('%j', (sources, said, wrong) => {
    const error = rejection(sources)
    expect(error.code).toBe('LKS-1004')
    expect(error.exitCode).toBe(2)
    expect(error.what).toContain(said)
    expect(error.what).toContain(wrong)
    expect(error.fix.length).toBeGreaterThan(0)
  })

  test('an option of the other command is not valid in the file', () => {
    expect(rejection({ file: '{"dir": ".lks"}' }, 'start').why).toContain("'dir' is an option of lks dev, not of lks start")
    expect(rejection({ file: '{"allow.unauthenticated": true}' }).why).toContain('an option of lks start')
    expect(rejection({ file: '{"config": "other.json"}' }).why).toContain('LKS_CONFIG')
  })

  test('a password in a value is not printed', () => {
    expect(withoutPassword('postgres://me:secret@host/db?sslmode=require')).toBe('postgres://me:…@host/db?sslmode=require')
    expect(withoutPassword('postgres://me@host/db?password=secret&x=1')).toBe('postgres://me@host/db?password=…&x=1')
    expect(rejection({ flags: { metadata: 'mysql://me:secret@host/db' } }).message).not.toContain('secret')
  })

  test.each([
    ['{', 'it is not valid JSON'],
    ['[]', 'one object'],
    ['{"kafka.prot": 1}', 'did you mean kafka.port?'],
    ['{"kafka.port": {}}', "the value of 'kafka.port'"],
  ])('the file %s', (file, why) => {
    const error = rejection({ file })
    expect(error.code).toBe('LKS-1007')
    expect(error.why).toContain(why)
  })
})

test('each command has its own options and defaults', () => {
  const names = (command: ServerCommand): readonly string[] => optionsFor(command).map(({ name }) => name)
  expect(names('dev').filter((name) => !names('start').includes(name))).toEqual(['dir', 'memory', 'store.latency', 'topic'])
  expect(names('start').filter((name) => !names('dev').includes(name))).toEqual(['allow.unauthenticated'])
  expect(resolved({}, 'start').values.get('log.retention.ms')?.value).toBe('604800000')
  expect(resolved({}, 'dev').values.get('log.retention.ms')?.value).toBe('-1')
  expect(resolved({ env: { LKS_DIR: 'x' } }, 'start').warnings).toEqual([expect.stringContaining('LKS_DIR')])
})

test('an unknown LKS_ variable causes a warning with the nearest name; the variables of the tests do not', () => {
  const { warnings } = resolved({ env: { LKS_KAFKA_PROT: '1', LKS_TEST_S3: 'x', PATH: '/bin' } })
  expect(warnings).toEqual(['LKS_KAFKA_PROT in the environment is not an option and was ignored; did you mean LKS_KAFKA_PORT?'])
})

test('names and variables of options are unique, and every default is valid', () => {
  expect(new Set(options.map(({ name }) => name)).size).toBe(options.length)
  expect(new Set(options.map(({ name }) => variableOf(name))).size).toBe(options.length)
  const wrong = options.flatMap(({ name, default: values, check }) =>
    Object.values(values)
      .flatMap((value) => (value === null ? [] : [check(value)]))
      .flatMap((error) => (error === undefined ? [] : [name])),
  )
  expect(wrong).toEqual([])
})

test.each([
  ['kafka.local:9093', { host: 'kafka.local', port: '9093' }],
  ['kafka.local', { host: 'kafka.local', port: undefined }],
  ['[::1]:9093', { host: '::1', port: '9093' }],
  ['::1', { host: '', port: undefined }],
])('the address %s', (text, address) => expect(splitAddress(text)).toEqual(address))

test('a server does not warn about the variables that client commands read', () => {
  expect(['LKS_BOOTSTRAP_SERVERS', 'LKS_CLIENT_SASL_PASSWORD', 'LKS_URL'].every(isClientVariable)).toBe(true)
  expect(isClientVariable('LKS_FLUSH_BITES')).toBe(false)
})
