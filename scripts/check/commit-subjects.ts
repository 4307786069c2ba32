// The subjects of new commits: `area: imperative`, at most 72 characters.
import { execFile } from 'node:child_process'
import type { Check } from './check.ts'

/** The rule holds for commits after this one. */
const base = '989ec1c50185112928da850e58e70b735ff43901'
const longestSubject = 72

/** Passes where these commits are not known: in a shallow clone, in one without history, and without Git. */
export const commitSubjects: Check = {
  name: 'commit subjects',
  run: async ({ root }) => {
    const commits = await commitsAfter(base, root)
    return commits.flatMap(({ id, subject }) => subjectProblems(subject).map((problem) => `${id} "${subject}": ${problem}`))
  },
}

/** Exported for its test. */
export function subjectProblems(subject: string): readonly string[] {
  const problems: string[] = []
  if (subject.length > longestSubject) problems.push(`${subject.length} characters; at most ${longestSubject}`)
  if (subject.startsWith('Revert "')) return problems
  const shape = /^[a-z0-9][a-z0-9-]*(?:, [a-z0-9][a-z0-9-]*)*: (?<verb>[a-z]+)\b.*[^.]$/.exec(subject)
  if (shape === null) problems.push('write `area: imperative`, without a full stop')
  else if (isNoImperative(shape.groups?.['verb']))
    problems.push(`"${shape.groups?.['verb']}" is not an imperative: write what the commit does, as "fix"`)
  return problems
}

/** The forms that are easily taken for an imperative: `added`, `adding`. */
function isNoImperative(verb: string | undefined): boolean {
  return verb !== undefined && /(?:[^e]ed|ing)$/.test(verb) && !/^(?:embed|bring|ping|shed|spring|string|swing|wed)$/.test(verb)
}

interface Commit {
  readonly id: string
  readonly subject: string
}

/** Empty if Git does not know the commit. */
function commitsAfter(commit: string, root: string): Promise<readonly Commit[]> {
  return new Promise((resolve) => {
    execFile('git', ['log', '--no-merges', '--format=%h %s', `${commit}..HEAD`], { cwd: root }, (error, output) => {
      const lines = error === null ? output.split('\n').filter((line) => line !== '') : []
      resolve(lines.map((line) => ({ id: line.slice(0, line.indexOf(' ')), subject: line.slice(line.indexOf(' ') + 1) })))
    })
  })
}
