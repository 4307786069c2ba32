// Where an embedded Kafka's events go as lines of text: trouble to the standard error output, unless its user says otherwise.
import type { EventHook } from '@local-kafka-service/agent'
import { eventLog } from '../command/event-log.ts'
import type { StartKafkaOptions } from './start-options.ts'

// Taken as the module loads: a test that fakes time, or the output, wants its own lines only.
const monotonic = performance.now.bind(performance)

export function logLines(log: NonNullable<StartKafkaOptions['log']>): EventHook {
  if (log === 'silent') return () => {}
  if (typeof log !== 'function' && log !== 'warn' && log !== 'debug')
    throw new TypeError(`log is ${String(log)}; it is 'silent', 'warn', 'debug' or a function of a line`)
  const write = typeof log === 'function' ? log : (line: string) => void process.stderr.write(`${line}\n`)
  return eventLog({
    verbose: log === 'debug',
    monotonic,
    write: ({ level, message }) => {
      if (log === 'debug' || level === 'warn' || level === 'error') write(`kafka ${level.padEnd(5)} ${message}`)
    },
  })
}
