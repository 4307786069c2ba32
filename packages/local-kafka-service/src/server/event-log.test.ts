// Which of an agent's events are logged, and which are only counted.
import type { AgentEvent } from '@local-kafka-service/agent'
import { expect, test } from 'vitest'
import { eventLog, type LogLine } from './event-log.ts'

const failure: AgentEvent = { kind: 'store request failed', operation: 'put', message: 'away' }
const created: AgentEvent = { kind: 'topic created', name: 'hello', partitions: 1, auto: true }
const stored: AgentEvent = { kind: 'stored', sequence: 1, durationMs: 2.04 }

function logged({ verbose }: { readonly verbose: boolean }) {
  const lines: LogLine[] = []
  const clock = { now: 0 }
  return { lines, clock, hook: eventLog({ verbose, write: (line) => lines.push(line), monotonic: () => clock.now }) }
}

test('topics and failures are logged; requests and flushes only with -v', () => {
  const quiet = logged({ verbose: false })
  const loud = logged({ verbose: true })
  for (const event of [created, stored, failure]) {
    quiet.hook(event)
    loud.hook(event)
  }
  expect(quiet.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'info topic hello created with 1 partition, because a client named it',
    'warn the FileStorage Service failed (put): away',
  ])
  expect(loud.lines.map(({ level }) => level)).toEqual(['info', 'debug', 'warn'])
})

test('a kind of event that comes too often is counted, and the count is logged', () => {
  const { lines, clock, hook } = logged({ verbose: false })
  for (let i = 0; i < 1_000; i++) hook(failure)
  expect(lines).toHaveLength(20)
  hook(created)
  expect(lines).toHaveLength(21)
  clock.now = 10_000
  hook(failure)
  expect(lines.slice(21).map(({ message }) => message)).toEqual([
    '980 more lines like the next one were left out',
    'the FileStorage Service failed (put): away',
  ])
})

test('H4, H8: events that one client causes repeatedly are one line a minute, with the count of omitted lines', () => {
  const { lines, clock, hook } = logged({ verbose: false })
  const from = (address: string): void => hook({ kind: 'gave way', connectionId: 7, address, held: 'request', message: 'too slow' })
  for (let i = 0; i < 1_000; i++) from('10.0.0.1')
  from('10.0.0.2')
  hook({ kind: 'connection rejected', address: '10.0.0.1', setting: 'max.connections', limit: 5 })
  expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'warn connection 7 from 10.0.0.1 was closed: too slow',
    'warn connection 7 from 10.0.0.2 was closed: too slow',
    'warn a connection from 10.0.0.1 was closed at once: max.connections is 5, and no other connection could give way; raise max.connections, or close some',
  ])
  clock.now = 60_000
  from('10.0.0.1')
  expect(lines[3]?.message).toBe('connection 7 from 10.0.0.1 was closed: too slow (and 999 more like it before)')
})

test('N4: a full disk is one line, its recovery is one line, and the consequences are logged only with -v', () => {
  const { lines, hook } = logged({ verbose: false })
  hook({ kind: 'store failed', message: 'the disk of /d is full' })
  for (let i = 0; i < 100; i++) {
    hook(failure)
    hook({ kind: 'commit retried', sequence: 6, outcome: 'unknown', message: 'SQLite: database or disk is full' })
    hook({ kind: 'heartbeat failed', message: 'SQLite: database or disk is full' })
    hook({ kind: 'line stopped', sequence: 6, abandoned: 1, message: 'ENOSPC' })
  }
  hook({ kind: 'store recovered', durationMs: 61_000 })
  expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'error the disk of /d is full',
    'info the disk can be written again, after 61 s',
  ])
  hook(failure)
  expect(lines).toHaveLength(3)
})

test('every lost record range is logged', () => {
  const { lines, hook } = logged({ verbose: false })
  for (let partition = 0; partition < 100; partition++) hook({ kind: 'tail cut', topic: 'hello', partition, fromOffset: 7, offsets: 2 })
  expect(lines).toHaveLength(100)
  expect(lines[99]).toMatchObject({ level: 'warn', message: 'hello[99] was cut at offset 7: 2 records did not survive the power loss' })
})

const unserved: AgentEvent = {
  kind: 'protocol error',
  connectionId: 7,
  client: { id: 'billing', software: { name: 'sarama', version: '1.41.0' }, address: '10.0.0.9' },
  request: { api: 'Fetch', version: 3 },
  message: 'Fetch 3 is not served: versions 4 to 18 are',
  advice: 'use a newer client',
}

test('C10: a client that retries is logged once, with its name, its request and the advice', () => {
  const { lines, clock, hook } = logged({ verbose: false })
  for (let connectionId = 0; connectionId < 50; connectionId++) {
    hook({ ...unserved, connectionId })
    clock.now += 1_000
  }
  hook({ ...unserved, client: { ...unserved.client, address: '10.0.0.10' } })
  hook({ ...unserved, message: 'Produce 2 is not served: versions 3 to 13 are' })
  expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    "warn client 'billing' (sarama 1.41.0) at 10.0.0.9: Fetch 3 is not served: versions 4 to 18 are. The connection was closed; use a newer client",
    "warn client 'billing' (sarama 1.41.0) at 10.0.0.10: Fetch 3 is not served: versions 4 to 18 are. The connection was closed; use a newer client",
    "warn client 'billing' (sarama 1.41.0) at 10.0.0.9: Produce 2 is not served: versions 3 to 13 are. The connection was closed; use a newer client",
  ])
  expect(lines[0]?.fields).toMatchObject({ clientId: 'billing', address: '10.0.0.9', api: 'Fetch', version: 3 })
})

test('N10: the log reports once which client sent a request and why it was rejected, and a name cannot move the cursor', () => {
  const { lines, hook } = logged({ verbose: false })
  const rejected: AgentEvent = {
    kind: 'rejected',
    client: { id: null, software: undefined, address: '127.0.0.1' },
    api: 'CreateTopics',
    version: 3,
    subject: "topic 'a\u001b[2J'",
    error: 'INVALID_CONFIG',
    message: 'Unknown topic config name: foo',
  }
  for (let times = 0; times < 3; times++) hook(rejected)
  expect(lines.map(({ message }) => message)).toEqual([
    "a client at 127.0.0.1: CreateTopics 3 of topic 'a\\x1b[2J' was rejected with INVALID_CONFIG: Unknown topic config name: foo",
  ])
})

test('the memory of logged lines is bounded: the oldest line may be written again', () => {
  const { lines, clock, hook } = logged({ verbose: false })
  for (let number = 0; number <= 1_000; number++) {
    clock.now += 1_000
    hook({ ...unserved, message: `API ${number} 0 is not served` })
  }
  hook({ ...unserved, message: 'API 1000 0 is not served' })
  expect(lines).toHaveLength(1_001)
  hook({ ...unserved, message: 'API 0 0 is not served' })
  expect(lines).toHaveLength(1_002)
})

test('H1: damage is logged once per object, with its place and the advice', () => {
  const { lines, hook } = logged({ verbose: false })
  const damage = { topicId: 'id', offset: 20, lastOffset: 39, objectKey: 'a/b', message: 'it is gone' } as const
  for (let partition = 0; partition < 100; partition++)
    hook({ kind: 'corrupt data', topic: 'hello', partition, firstOfObject: partition === 0, ...damage })
  expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'error partition 0 of topic hello is damaged at offsets 20 to 39, in object a/b: it is gone; consumers can seek past it, and /readyz lists all damage that was found',
  ])
})
