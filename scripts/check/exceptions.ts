// Exceptions of a check: lines that may stay as they are, each with its reason. An exception that allows nothing any more is a problem itself.

export interface LineException {
  readonly path: string
  /** A part of the line, long enough to be found only there. */
  readonly line: string
  readonly why: string
}

export interface LineProblem {
  readonly path: string
  /** From 1. */
  readonly lineNumber: number
  /** The text of the line. */
  readonly line: string
  readonly message: string
}

/** The problems that no exception allows, one line each. */
export function unexcepted(problems: readonly LineProblem[], exceptions: readonly LineException[]): readonly string[] {
  return problems
    .filter((problem) => !exceptions.some((exception) => allows(exception, problem)))
    .map(({ path, lineNumber, message }) => `${path}:${lineNumber}: ${message}`)
}

/** One problem for each exception that allows none of these problems. `table`: the file that lists the exceptions. */
export function unused(problems: readonly LineProblem[], exceptions: readonly LineException[], table: string): readonly string[] {
  return exceptions
    .filter((exception) => !problems.some((problem) => allows(exception, problem)))
    .map(({ path, line }) => `${table}: the exception for ${path} (${line}) allows nothing any more: delete it`)
}

function allows({ path, line }: LineException, problem: LineProblem): boolean {
  return problem.path === path && problem.line.includes(line)
}
