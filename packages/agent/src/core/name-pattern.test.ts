// A name pattern matches the same names as a regular expression of JavaScript, and no pattern takes long.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { namePattern, PatternError } from './name-pattern.ts'

test.each([
  ['tx-.*', ['tx-', 'tx-1'], ['tx', 'a tx-1', 'tx-1\n']],
  ['a|bc|', ['a', 'bc', ''], ['b', 'abc']],
  ['[a-c_]{2,3}', ['ab', '__c'], ['a', 'abca', 'ad']],
  ['[^0-9\\]]+', ['abc'], ['a1', ']', '']],
  ['\\d+\\.\\w*', ['12.', '1.a_9'], ['12', 'a.b']],
  ['(?:ab)*c?', ['', 'ababc', 'c'], ['abb', 'cc']],
  ['^x$', ['x'], ['xx']],
  ['x{3}', ['xxx'], ['xx', 'xxxx']],
  ['[-a]', ['-', 'a'], ['b']],
  ['[a-]', ['-', 'a'], ['b']],
])('%s', (pattern, matching, others) => {
  const matches = namePattern(pattern)
  expect(matching.filter((name) => !matches(name))).toEqual([])
  expect(others.filter((name) => matches(name))).toEqual([])
})

test.each(['[', '(', ')', '*a', 'a{2,1}', '(?=a)', '\\', '\\q', '[b-a]', 'a{1001}', '((((a{100}){100}){100}){100})', 'x'.repeat(1_001)])(
  '%s is not a pattern',
  (pattern) => {
    expect(() => namePattern(pattern)).toThrow(PatternError)
  },
)

describe('properties', () => {
  const piece = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', 'a*', 'b+', 'a?', 'a{0,2}', '(?:ab)*', '(a|b)', 'b{2}', '^', '$')
  test('it answers as the regular expressions of JavaScript', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 }), (pieces, name) => {
        const pattern = pieces.join('')
        expect(namePattern(pattern)(name)).toBe(new RegExp(`^(?:${pattern})$`).test(name))
      }),
      { numRuns: 2_000 },
    )
  })

  test('a pattern on which backtracking would take forever answers', () => {
    expect(namePattern('(a*)*(a*)*(a|a)*b')('a'.repeat(2_000))).toBe(false)
  })
})
