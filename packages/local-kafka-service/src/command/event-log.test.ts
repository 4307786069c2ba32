// What is written of an agent's events, and what is only counted.
import type { AgentEvent } from '@local-kafka-service/agent'
import { expect, test } from 'vitest'
import { eventLog, type LogLine } from './event-log.ts'

const trouble: AgentEvent = { kind: 'store trouble', operation: 'put', message: 'away' }
const created: AgentEvent = { kind: 'topic created', name: 'hello', partitions: 1, auto: true }
const stored: AgentEvent = { kind: 'stored', sequence: 1, durationMs: 2.04 }

function logged({ verbose }: { readonly verbose: boolean }) {
  const lines: LogLine[] = []
  const clock = { now: 0 }
  return { lines, clock, hook: eventLog({ verbose, write: (line) => lines.push(line), monotonic: () => clock.now }) }
}

test('topics and trouble are told, requests and flushes only when asked for', () => {
  const quiet = logged({ verbose: false })
  const loud = logged({ verbose: true })
  for (const event of [created, stored, trouble]) {
    quiet.hook(event)
    loud.hook(event)
  }
  expect(quiet.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'info topic hello created with 1 partition, because a client named it',
    'warn the FileStorage Service has trouble (put): away',
  ])
  expect(loud.lines.map(({ level }) => level)).toEqual(['info', 'debug', 'warn'])
})

test('a kind of event that comes too often is counted, and the count is told', () => {
  const { lines, clock, hook } = logged({ verbose: false })
  for (let i = 0; i < 1_000; i++) hook(trouble)
  expect(lines).toHaveLength(20)
  hook(created)
  expect(lines).toHaveLength(21)
  clock.now = 10_000
  hook(trouble)
  expect(lines.slice(21).map(({ message }) => message)).toEqual([
    '980 more lines like the next were left out',
    'the FileStorage Service has trouble (put): away',
  ])
})

test('of records that are gone every line is written', () => {
  const { lines, hook } = logged({ verbose: false })
  for (let partition = 0; partition < 100; partition++) hook({ kind: 'tail cut', topic: 'hello', partition, fromOffset: 7, offsets: 2 })
  expect(lines).toHaveLength(100)
  expect(lines[99]).toMatchObject({ level: 'warn', message: 'hello[99] was cut at offset 7: 2 records did not survive the power loss' })
})
