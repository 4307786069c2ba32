// Defaults in the agent's code: what cannot happen is asserted, so `?? 0` and its kin stand only where "nothing there" has that meaning.
import type { Check, Tree } from './check.ts'
import { defaultExceptions } from './default-exceptions.ts'
import { type LineProblem, unexcepted, unused } from './exceptions.ts'
import { withoutCommentsAndStrings } from './house-rules.ts'
import { isTest } from './tree.ts'

/** Strings are blank in the text that this reads, so `''` is found in the source. */
const harmlessLooking = /\?\? (?:-?[01]n?(?![\w.])|''|""|\[\]|\{\}|new (?:Set|Map)(?:<[^>]*>)?\(\))/

/** Where absence has the meaning of the default: no entry of a map, the size of an absent thing, a counter, an option that was not given. */
const meaningful: readonly RegExp[] = [
  /\.get\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\) \?\? (?:0|\[\]|new (?:Set|Map)(?:<[^>]*>)?\(\))/g,
  /\?\.(?:\w+\.)*(?:length|size) \?\? 0/g,
  /\([^()]* \?\? 0\) [+-] 1\b/g,
  /\b#?options\.\w+ \?\? (?:0|''|\[\])/g,
]

export const defaults: Check = {
  name: 'defaults',
  run: (tree) => {
    const problems = agentSources(tree).flatMap((path) => defaultProblems(path, tree.read(path)))
    return [...unexcepted(problems, defaultExceptions), ...unused(problems, defaultExceptions, 'scripts/check/default-exceptions.ts')]
  },
}

/** Exported for its test. A comment on the line, or directly above it, explains its default. */
export function defaultProblems(path: string, source: string): readonly LineProblem[] {
  const lines = source.split('\n')
  const code = withoutCommentsAndStrings(source).split('\n')
  return lines.flatMap((line, index) => {
    // `''` is blank in the code, so the place of `??` says whether it is code.
    const isCode = code[index]?.includes('??') === true
    const isExplained = isComment(line.slice(code[index]?.trimEnd().length)) || isComment(lines[index - 1] ?? '')
    if (!isCode || isExplained) return []
    const rest = meaningful.reduce((text, pattern) => text.replace(pattern, ''), line)
    const found = harmlessLooking.exec(rest)?.[0]
    if (found === undefined) return []
    const message = `"${found}": use must() of core/assert.ts if this cannot happen, or explain in a comment what is absent`
    return [{ path, lineNumber: index + 1, line, message }]
  })
}

function agentSources(tree: Tree): readonly string[] {
  return tree.sources.filter((path) => path.startsWith('packages/agent/src/') && !isTest(path))
}

function isComment(text: string): boolean {
  return /^\s*(?:\/\/|\/\*|\*)/.test(text)
}
