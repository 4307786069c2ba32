// The plan of a server from its options: which stores are used, and which options exclude each other.
import { hostname } from 'node:os'
import type { AgentSettingName } from '@local-kafka-service/agent'
import { describe, expect, test } from 'vitest'
import { embeddedPlan } from '../embedded/embedded-plan.ts'
import { resolveOptions, type ServerCommand } from '../options.ts'
import { UserError } from '../user-error.ts'
import { flushPolicy } from './flush-policy.ts'
import { planOf, type ServerPlan } from './server-plan.ts'

function plan(flags: Readonly<Record<string, string>>, command: ServerCommand = 'dev'): ServerPlan {
  return planOf(command, resolveOptions(command, { flags, env: {}, file: undefined }).values)
}

function rejectionOf(make: () => unknown): UserError {
  try {
    make()
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('nothing was rejected')
}

describe('the stores', () => {
  test('the default is .lks', () => {
    const { dataDirectory, objects, metadata } = plan({})
    expect(dataDirectory).toBe('.lks')
    expect(objects).toMatchObject({ kind: 'directory', path: expect.stringMatching(/\.lks.objects$/) })
    expect(metadata).toMatchObject({ kind: 'sqlite', path: expect.stringMatching(/\.lks.metadata\.db$/) })
  })

  test('in memory nothing is on the disk, and the durability is memory', () => {
    const made = plan({ memory: 'true' })
    expect(made).toMatchObject({ dataDirectory: undefined, objects: { kind: 'memory' }, metadata: { kind: 'memory' } })
    expect(made.settings.values.get('durability')?.value).toBe('memory')
  })

  test('messages in S3 leave metadata in the data directory; with PostgreSQL there is none', () => {
    expect(plan({ storage: 's3://bucket/a/b/' })).toMatchObject({
      dataDirectory: '.lks',
      objects: { kind: 's3', bucket: 'bucket', prefix: 'a/b' },
      metadata: { kind: 'sqlite' },
    })
    expect(plan({ storage: 's3://bucket', metadata: 'postgres://me@host/db' })).toMatchObject({
      dataDirectory: undefined,
      objects: { kind: 's3', bucket: 'bucket', prefix: '' },
      metadata: { kind: 'postgres', url: 'postgres://me@host/db' },
    })
  })
})

describe('H11: when a start takes the cluster over', () => {
  const postgres = { storage: 's3://bucket', metadata: 'postgres://me@host/db' }
  const nameOf = ({ settings }: ServerPlan) => settings.values.get('agent.name')

  test.each([
    [{}, 'all at once'],
    [{ memory: 'true' }, 'all at once'],
    [{ storage: 's3://bucket' }, 'all at once'],
    [postgres, 'once silent'],
    [{ metadata: 'postgres://me@host/db' }, 'once silent'],
    [{ ...postgres, 'take.over': 'true' }, 'own name at once'],
  ])('%j takes over %s', (flags, takeOver) => {
    expect(plan(flags).takeOver).toBe(takeOver)
  })

  test.each([
    [{ dir: '.lks' }, 'all at once'],
    [postgres, 'once silent'],
    [{ ...postgres, takeOver: true }, 'own name at once'],
  ])('inside a process, %j takes over %s', (options, takeOver) => {
    expect(embeddedPlan(options).takeOver).toBe(takeOver)
  })

  test('on a shared database an agent is named after its machine, unless it has a name', () => {
    expect(nameOf(plan(postgres))).toEqual({ value: hostname(), source: 'default' })
    expect(nameOf(embeddedPlan(postgres))).toEqual({ value: hostname(), source: 'default' })
    expect(nameOf(plan({ ...postgres, 'agent.name': 'blue' }))).toEqual({ value: 'blue', source: 'flag' })
    expect(nameOf(plan({}))).toEqual({ value: 'agent-1', source: 'default' })
  })
})

test.each([
  [{ memory: 'true', dir: 'x' }, '--memory and --dir'],
  [{ memory: 'true', storage: 's3://bucket' }, '--memory and --storage'],
  [{ memory: 'true', durability: 'strict' }, '--memory and --durability'],
  [{ durability: 'memory' }, '--durability is memory'],
  [{ advertised: 'host', 'kafka.port': '0' }, 'does not name a port'],
])('%j is rejected', (flags, what) => {
  const error = rejectionOf(() => plan(flags))
  expect(error.code).toBe('LKS-1005')
  expect(error.what).toContain(what)
})

test('a requested port is fixed, a default one may move', () => {
  expect(plan({ 'control.port': '8000' }).http).toMatchObject({
    control: { port: 8000, movable: false },
    data: { port: 8123, movable: true },
  })
})

describe('lks start', () => {
  const stores = { storage: 's3://bucket/a', metadata: 'postgres://me@host/db' }

  test('it keeps everything in S3 and PostgreSQL, has its own defaults, and its HTTP ports do not move', () => {
    const made = plan(stores, 'start')
    expect(made).toMatchObject({
      dataDirectory: undefined,
      objects: { kind: 's3' },
      metadata: { kind: 'postgres' },
      takeOver: 'once silent',
    })
    expect(made.http).toMatchObject({ control: { port: 8000, movable: false }, data: { port: 8123, movable: false } })
    const valueOf = (name: AgentSettingName) => made.settings.values.get(name)?.value
    expect(valueOf('durability')).toBe('strict')
    expect(valueOf('log.retention.ms')).toBe('604800000')
    expect(valueOf('auto.create.topics.enable')).toBe('false')
    expect(valueOf('agent.name')).toBe(hostname())
  })

  test.each([
    [{}, 'needs --storage'],
    [{ storage: 's3://bucket' }, 'needs --metadata'],
    [{ storage: 's3://bucket', metadata: ':memory:' }, 'needs --metadata'],
    [{ ...stores, durability: 'os' }, '--durability is os'],
  ])('%j is rejected', (flags, what) => {
    const error = rejectionOf(() => plan(flags, 'start'))
    expect(error.code).toBe('LKS-1005')
    expect(error.what).toContain(what)
  })

  test.each(['0.0.0.0', '::', '192.168.1.7', '127.0.0.1,10.0.0.1', 'kafka.local', '127.evil.example'])(
    'without authentication it does not listen on %s until that is allowed',
    (listen) => {
      expect(rejectionOf(() => plan({ ...stores, listen }, 'start')).code).toBe('LKS-1011')
      const allowed = { ...stores, listen, 'allow.unauthenticated': 'true', advertised: 'kafka.local' }
      expect(plan(allowed, 'start').hosts).toContain(listen.split(',').at(-1))
    },
  )

  test.each(['0.0.0.0', '::', '0.0.0.0,10.0.0.1'])('on %s it needs an address that the others can name to clients', (listen) => {
    const open = { ...stores, listen, 'allow.unauthenticated': 'true' }
    expect(rejectionOf(() => plan(open, 'start'))).toMatchObject({
      code: 'LKS-1005',
      what: `--listen with ${listen.split(',')[0]} needs --advertised`,
    })
    expect(rejectionOf(() => plan({ metadata: stores.metadata, listen })).what).toContain('needs --advertised')
    expect(plan({ ...open, advertised: 'kafka.local:9094' }, 'start').advertised).toEqual({ host: 'kafka.local', port: 9094 })
    // An agent that is alone names the address of the connection.
    expect(plan({ listen }).advertised).toBeUndefined()
  })

  test.each(['127.0.0.1', '::1', 'localhost', '127.0.0.2,::1'])('it listens on %s', (listen) => {
    expect(plan({ ...stores, listen }, 'start').hosts.length).toBeGreaterThan(0)
  })
})

test('localhost is one address of each family', () => {
  expect(plan({ listen: 'localhost' }).hosts).toEqual(['127.0.0.1', '::1'])
  expect(plan({ listen: '127.0.0.1, localhost' }).hosts).toEqual(['127.0.0.1', '::1'])
})

test('an advertised host without a port gets the Kafka port', () => {
  expect(plan({ advertised: 'kafka.local', 'kafka.port': '9093' }).advertised).toEqual({ host: 'kafka.local', port: 9093 })
})

describe('when a flush is sealed', () => {
  test('a free PUT: group commit, without a budget', () => {
    expect(flushPolicy(plan({}).settings, { putsCost: false })).toMatchObject({ flushesInFlight: 1, lingerMs: 0, putsPerSecond: Infinity })
  })

  test('a PUT that costs, or a budget that the user set: the budget', () => {
    expect(flushPolicy(plan({}).settings, { putsCost: true })).toMatchObject({
      flushesInFlight: 8,
      lingerMs: 250,
      putsPerSecond: 4,
      burst: 4,
      putsPerSecondMax: 20,
    })
    const asked = plan({ 'flush.puts.per.second': '0.5' }).settings
    expect(flushPolicy(asked, { putsCost: false })).toMatchObject({ putsPerSecond: 0.5, burst: 1 })
  })

  test('a ceiling that is not above the budget: none', () => {
    const low = plan({ 'flush.puts.per.second.max': '4' }).settings
    expect(flushPolicy(low, { putsCost: true })).not.toHaveProperty('putsPerSecondMax')
  })
})

describe('embedded', () => {
  test('the defaults: memory, any free port, no HTTP', () => {
    expect(embeddedPlan({})).toMatchObject({
      dataDirectory: undefined,
      objects: { kind: 'memory' },
      metadata: { kind: 'memory' },
      kafkaPort: 0,
      http: undefined,
    })
  })

  test('the error names the wrong option', () => {
    expect(rejectionOf(() => embeddedPlan({ settings: { 'num.partition': 3 } })).what).toContain('did you mean num.partitions?')
    expect(rejectionOf(() => embeddedPlan({ settings: { 'num.partitions': 0 } })).what).toContain('num.partitions')
    expect(rejectionOf(() => embeddedPlan({ storage: 'file:///x' })).what).toContain('storage')
    expect(rejectionOf(() => embeddedPlan({ settings: { durability: 'strict' } })).code).toBe('LKS-1005')
  })
})
