// The events of an embedded server as lines of text: failures go to standard error, unless the user sets another target.
import type { EventHook } from '@local-kafka-service/agent'
import { eventLog } from '../server/event-log.ts'
import type { StartKafkaOptions } from './start-options.ts'

// Captured when the module loads: a test that fakes time or output wants only its own lines.
const monotonic = performance.now.bind(performance)

export function logLines(log: NonNullable<StartKafkaOptions['log']>): EventHook {
  if (log === 'silent') return () => {}
  if (typeof log !== 'function' && log !== 'warn' && log !== 'debug')
    throw new TypeError(`log is ${String(log)}; use 'silent', 'warn', 'debug' or a function of a line`)
  const write = typeof log === 'function' ? log : (line: string) => void process.stderr.write(`${line}\n`)
  return eventLog({
    verbose: log === 'debug',
    monotonic,
    write: ({ level, message }) => {
      if (log === 'debug' || level === 'warn' || level === 'error') write(`kafka ${level.padEnd(5)} ${message}`)
    },
  })
}
