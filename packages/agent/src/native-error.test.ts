// Errors of every realm are recognized, and every thrown value has a text.
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { errorStack, errorText, isError } from './native-error.ts'

const foreign: unknown = runInNewContext("new TypeError('from another realm')")

test('an error of another realm is an error, and its text is its message', () => {
  expect(foreign instanceof Error).toBe(false)
  expect(isError(foreign)).toBe(true)
  expect(errorText(foreign)).toBe('from another realm')
  expect(errorStack(foreign)).toMatch(/^TypeError: from another realm\n {4}at /)
})

test('the text of any other thrown value is the value', () => {
  expect([errorText('words'), errorText(undefined), errorStack(7)]).toEqual(['words', 'undefined', '7'])
})
