// The words that STYLE's plain English replaces: comments, prose in string literals and Markdown do not contain them.
import type { Check, Tree } from './check.ts'
import { type LineProblem, unexcepted, unused } from './exceptions.ts'
import { wordExceptions } from './word-list-exceptions.ts'

interface Word {
  readonly pattern: RegExp
  /** Completes "write …". */
  readonly instead: string
}

const words: readonly Word[] = [
  { pattern: /\bin vain\b/i, instead: '"without success"' },
  { pattern: /\banew\b/i, instead: '"again"' },
  { pattern: /\bmend(s|ed|ing)?\b/i, instead: '"fix"' },
  { pattern: /\bwhoever\b/i, instead: 'who it is: "the client", "the caller"' },
  { pattern: /\bnobody\b/i, instead: '"no client", "no caller" or "no one"' },
  { pattern: /\bfor ever\b/i, instead: '"indefinitely"' },
  { pattern: /(?<!\bconnections? ((is|are|was|were) )?)\brefus(e|es|ed|al|als|ing)\b/i, instead: '"reject"; only a connection is refused' },
  { pattern: /\b(is|are|was|were|be|been|being) told\b/i, instead: '"receives", or "X reports it to Y"' },
  { pattern: /\bunheard\b/i, instead: '"not received"' },
  {
    pattern: /(?<!\b(there|where|here) )\b(is|are) no (?!longer\b|more\b|less\b|fewer\b|later\b|earlier\b|different\b|one\b)[a-z]+/i,
    instead: '"is not a" or "is not a valid"; "there is no" is fine',
  },
  { pattern: /\b(is|are|was|were) none of\b/i, instead: '"is not one of"' },
]

export const wordList: Check = {
  name: 'word list',
  run: (tree) => {
    const problems = pagesAndSources(tree).flatMap((path) => wordProblems(path, tree.read(path)))
    return [...unexcepted(problems, wordExceptions), ...unused(problems, wordExceptions, 'scripts/check/word-list-exceptions.ts')]
  },
}

/** Exported for its test. */
export function wordProblems(path: string, source: string): readonly LineProblem[] {
  const lines = source.split('\n')
  const prose = (path.endsWith('.md') ? proseOfPage(source) : proseOfSource(source)).split('\n')
  return prose.flatMap((text, index) =>
    words.flatMap(({ pattern, instead }) => {
      const found = pattern.exec(text)?.[0]
      const problem = { path, lineNumber: index + 1, line: lines[index] ?? '' }
      return found === undefined ? [] : [{ ...problem, message: `"${found}": write ${instead}` }]
    }),
  )
}

function pagesAndSources(tree: Tree): readonly string[] {
  const pages = ['docs', 'packages', 'examples', 'test', 'bench'].flatMap((folder) => tree.below(folder, '.md'))
  return [...['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md'].filter((page) => tree.exists(page)), ...pages, ...tree.sources]
}

/** Everything but the prose becomes blank; line breaks stay, so that a line's number is the source's. */
function proseOfPage(source: string): string {
  return withoutQuotedNames(source.replace(/^(`{3,}|~{3,})[\s\S]*?^\1/gm, blank))
}

/** Comments, and those string literals that contain a blank: a literal without one is a name. A regular expression literal with quotes may hide a line's rest. */
function proseOfSource(source: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g
  let prose = ''
  let end = 0
  for (const match of source.matchAll(token)) {
    prose += blank(source.slice(end, match.index)) + proseOfToken(match[0])
    end = match.index + match[0].length
  }
  return prose + blank(source.slice(end))
}

function proseOfToken(token: string): string {
  if (token.startsWith('/')) return withoutQuotedNames(token)
  const inner = token.slice(1, -1).replace(/\$\{[^}]*\}/g, (code) => code.replace(/[^\n]/g, '.'))
  return inner.trim().includes(' ') ? ` ${withoutQuotedNames(inner)} ` : blank(token)
}

/** Names of the code in prose: a code span, or one word in quotation marks. */
function withoutQuotedNames(text: string): string {
  return text.replace(/`[^`\n]*`|(?<!\w)'[\w.-]+'(?!\w)|"[\w.-]+"/g, (name) => name.replace(/[^\n]/g, '.'))
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ')
}
