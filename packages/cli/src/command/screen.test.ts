// The output of a server that is ready.
import { join, resolve } from 'node:path'
import { number } from '@local-kafka-service/agent'
import { resolveOptions } from 'local-kafka-service/internal/options'
import { planOf } from 'local-kafka-service/internal/server/server-plan'
import { expect, test } from 'vitest'
import { type FirstScreen, firstScreen, readyLine } from './screen.ts'

/** A ready server with these flags; `movedFrom`: the default port of the control plane was in use. */
function ready(
  flags: Readonly<Record<string, string>>,
  { movedFrom, recovered }: { readonly movedFrom?: number; readonly recovered?: FirstScreen['server']['recovered'] } = {},
): FirstScreen {
  const plane = (port: number, from?: number) => ({
    url: `http://127.0.0.1:${port}`,
    port,
    addresses: [{ host: '127.0.0.1', port }],
    movedFrom: from,
  })
  const plan = planOf('dev', resolveOptions('dev', { flags, env: {}, file: undefined }).values)
  return {
    server: {
      recovered,
      kafka: [
        { host: '127.0.0.1', port: 9092 },
        { host: '::1', port: 9092 },
      ],
      http: { control: plane(movedFrom === undefined ? 8000 : 8001, movedFrom), data: plane(8123), drain() {}, stop: async () => {} },
    },
    plan,
    retentionMs: number(plan.settings, 'log.retention.ms'),
    version: '1.2.3',
    ms: 120,
    pid: 42,
    lks: 'npx lks',
    columns: 80,
  }
}

test('programs receive exactly one line', () => {
  expect(readyLine(ready({}))).toBe(
    '{"event":"ready","kafka":"127.0.0.1:9092","urls":{"control":"http://127.0.0.1:8000","data":"http://127.0.0.1:8123"},"ms":120,"pid":42}\n',
  )
})

test('people see the addresses, the storage, the durability and commands to paste', () => {
  expect(firstScreen(ready({}))).toBe(`
  lks 1.2.3   ready in 120 ms

  Kafka            localhost:9092
  Console          http://localhost:8000/
  Control API      http://localhost:8000/topics
  Data API         http://localhost:8123/topics/{topic}/produce/{partition}
  API docs         http://localhost:8000/docs
  Storage          .lks (kept between runs; use --memory to keep nothing)
  Durability       os: survives kill -9, not a power loss (--durability strict)
  Retention        records are kept, unless their topic has a retention.ms

  Try:
    curl -X POST localhost:8000/topics -d '{"name":"hello"}'
    curl -X POST localhost:8123/topics/hello/produce/0 -d "key:value"
    npx lks consume hello

  Ctrl-C stops it.

`)
})

test.each<{ readonly flags: Readonly<Record<string, string>>; readonly says: readonly RegExp[] }>([
  { flags: { memory: 'true' }, says: [/Storage +memory/, /Durability +memory: nothing survives/] },
  { flags: { durability: 'strict' }, says: [/Durability +strict: every acknowledged record survives a power loss/] },
  { flags: { 'store.latency': '100ms' }, says: [/Store latency +100 ms/] },
  { flags: { listen: '0.0.0.0' }, says: [/Open to +every client that reaches 0\.0\.0\.0/] },
  {
    flags: { storage: 's3://b/p', dir: '/d' },
    says: [
      /Storage +s3:\/\/b\/p, metadata in .*metadata\.db/,
      /Durability +os: messages are in S3/,
      /\n {2}Store requests {3}up to 14,400 PUTs an hour \(\$0\.07\), 72,000 \(\$0\.36\) under load\n/,
    ],
  },
  {
    flags: { storage: 's3://b/p', metadata: 'postgres://me:secret@db:5432/lks' },
    says: [/metadata in postgres:\/\/me@db:5432\/lks/, /Durability +acknowledged records are in S3 and PostgreSQL/],
  },
])('with $flags the screen says so, without a password', ({ flags, says }) => {
  const screen = firstScreen(ready(flags))
  for (const pattern of says) expect(screen).toMatch(pattern)
  expect(screen).not.toContain('secret')
})

test('the screen says nothing about costs where requests cost nothing', () => {
  const free = { 'store.price.per.1000.puts': '0', 'store.price.per.1000.gets': '0' }
  for (const flags of [{}, { 'store.latency': '100ms' }, { storage: 's3://b/p', ...free }])
    expect(firstScreen(ready(flags))).not.toMatch(/PUT|\$0/)
})

test('the screen shows the cost of the budget that the settings allow, at their price', () => {
  const budget = { 'flush.puts.per.second': '0.1', 'flush.puts.per.second.max': '0' }
  const screen = firstScreen(ready({ storage: 's3://b/p', ...budget, 'store.price.per.1000.puts': '0.02' }))
  expect(screen).toContain('\n  Store requests   up to 360 PUTs an hour ($0.007)\n')
})

test.each(['/a deep folder/with blanks in its name/and-a-rather-long-one/that-goes-on', '/short'])(
  'N1: the path %s stays on one line at any length',
  (dir) => {
    const lines = firstScreen(ready({ storage: 's3://b/p', dir })).split('\n')
    expect(lines.filter((line) => line.includes(join(resolve(dir), 'metadata.db')))).toHaveLength(1)
    expect(firstScreen(ready({ dir }))).toContain(dir)
  },
)

test('the screen names a default port that was in use', () => {
  expect(firstScreen(ready({}, { movedFrom: 8000 }))).toContain('http://localhost:8001/ (8000 was in use)')
})

test('the screen reports records lost to a power loss, and omits a recovery without loss', () => {
  const cut = (partition: number, offsets: number) => ({
    topicId: 'id',
    topic: 'hello',
    partition,
    logId: partition,
    deleted: false,
    fromOffset: 10,
    offsets,
  })
  const whole = { kind: 'recovered', objects: 3, unreadable: 0, cuts: [] } as const
  expect(firstScreen(ready({}, { recovered: whole }))).toBe(firstScreen(ready({})))
  const torn = { kind: 'recovered', objects: 3, unreadable: 2, cuts: [cut(0, 4), cut(1, 1)] } as const
  expect(firstScreen(ready({}, { recovered: torn }))).toContain(
    '\n  Lost             5 records at the end of 2 partitions: 2 of the newest objects\n                   did not survive the power loss\n',
  )
})
