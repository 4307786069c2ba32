// Where the word list does not hold: lines that stay as they are, with the reason.
import type { LineException } from './exceptions.ts'

export const wordExceptions: readonly LineException[] = [
  { path: 'scripts/check.test.ts', line: "', 'x.", why: 'the words themselves' },
  { path: 'scripts/check.test.ts', line: 'ECONNREFUSED: the port', why: 'the words themselves' },
]
