// The printed form of an error.
import { expect, test } from 'vitest'
import { explain, UserError } from './user-error.ts'

const error = new UserError('LKS-1001', {
  what: 'port 9092 is in use',
  why: 'probably by another Kafka',
  fix: ['use another port: --kafka-port 9093', 'stop the other one'],
  cause: new Error('listen EADDRINUSE'),
})

test('what, why and each fix are on separate lines, without a stack trace', () => {
  expect(explain(error, { verbose: false })).toBe(
    'error: port 9092 is in use (LKS-1001)\n  why: probably by another Kafka\n  fix: use another port: --kafka-port 9093\n  fix: stop the other one\n',
  )
})

test('-v adds the stack traces of the error and its cause', () => {
  const told = explain(error, { verbose: true })
  expect(told).toContain('user-error.test.ts')
  expect(told).toContain('caused by:')
  expect(told).toContain('listen EADDRINUSE')
})
