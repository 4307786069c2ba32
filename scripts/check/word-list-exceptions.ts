// Where the word list does not hold: lines that stay as they are, with the reason.

export interface WordException {
  readonly path: string
  /** A part of the line, long enough to be found only there. */
  readonly line: string
  readonly why: string
}

export const wordExceptions: readonly WordException[] = [
  { path: 'scripts/check/word-list.ts', line: 'pattern: ', why: 'the words themselves' },
  { path: 'scripts/check.test.ts', line: "', 'x.", why: 'the words themselves' },
  { path: 'scripts/check.test.ts', line: 'ECONNREFUSED: the port', why: 'the words themselves' },
]
