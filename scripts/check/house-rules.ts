// The house rules that the linter cannot check: a file's opening comment, its length, and code that core and the product must not contain.
import type { Check } from './check.ts'
import { isTest } from './tree.ts'

const longFile = 400

/** Where the text of an unknown error is written out: the helper, and the protocol, which uses no module of Node. */
const errorTexts: ReadonlySet<string> = new Set(['packages/agent/src/native-error.ts', 'packages/protocol/src/records/codecs.ts'])

/** A rule for code without its comments and strings; the pattern's first match is the problem. */
interface Ban {
  readonly where: (path: string) => boolean
  readonly pattern: RegExp
  readonly message: string
}

const bans: readonly Ban[] = [
  { where: isCore, pattern: /\basync\b|\bawait\b|\bPromise\b/, message: 'core is pure: nothing in it is asynchronous' },
  { where: isProduct, pattern: /^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s/m, message: 'no enum: a union of literals' },
  { where: isProduct, pattern: /\bclass\s+\w+(<[^{]*>)?\s+extends\s+(?!\w*Error\b)/, message: 'no inheritance beyond Error' },
  { where: isProduct, pattern: /^\s*@\w+(\(.*\))?\s*(export\s+)?(class\s|\w+\()/m, message: 'no decorators' },
  {
    where: (path) => isTest(path),
    pattern: /\bvi\s*\.\s*(mock|doMock|spyOn)\b/,
    message: 'no mocks and no spies: build real parts, or a named fake that passes the contract',
  },
  {
    where: (path) => path.startsWith('packages/') && !path.startsWith('packages/console/') && path !== 'packages/agent/src/time/abort.ts',
    pattern: /\baddEventListener\b/,
    message: 'no listener on a signal: onAbort or orAborted (packages/agent/src/time/abort.ts)',
  },
  {
    where: (path) => /^packages\/(agent|http|cli|local-kafka-service)\/src\/(?!time\/)/.test(path) && !isTest(path),
    pattern: /\b(after|setTimeout)\([^\n]*\bresolve\b/,
    message: 'no race with a timer by hand: orLate or sleep (packages/agent/src/time)',
  },
  {
    where: (path) => !errorTexts.has(path),
    pattern: /\b(instanceof Error|isError\(\w+\))\s*\?[^:;]*:\s*String\(/,
    message: 'the text of an unknown error: errorText or errorStack (packages/agent/src/native-error.ts)',
  },
  { where: isHot, pattern: /\bBuffer\s*\.\s*concat\b/, message: 'no Buffer.concat on the path of the bytes: hand on lists of slices' },
]

export const houseRules: Check = {
  name: 'house rules',
  run: (tree) => tree.sources.flatMap((path) => problemsOf(path, tree.read(path)).map((problem) => `${path}: ${problem}`)),
}

/** Exported for its test. */
export function problemsOf(path: string, source: string): readonly string[] {
  const problems: string[] = []
  const text = source.replace(/^#!.*\n/, '')
  const lines = text.split('\n')
  const opening = openingComment(lines)
  if (opening === undefined) problems.push('begins without a comment that says in one sentence what it is')
  else if (!/[.:!?)]$/.test(opening)) problems.push('its opening comment is not a sentence')
  const length = lines.length - (lines.at(-1) === '' ? 1 : 0)
  if (length > longFile && !/one thing|lines/.test(lines.slice(0, 12).join('\n'))) {
    problems.push(`${length} lines; over ${longFile} a file says at its top why it is one thing`)
  }
  const code = withoutCommentsAndStrings(text)
  for (const ban of bans) {
    const match = ban.where(path) ? ban.pattern.exec(code) : null
    if (match !== null) problems.push(`line ${code.slice(0, match.index).split('\n').length + (text === source ? 0 : 1)}: ${ban.message}`)
  }
  return problems
}

function isProduct(path: string): boolean {
  return path.startsWith('packages/') && !isTest(path)
}

function isCore(path: string): boolean {
  return path.startsWith('packages/agent/src/core/') && !isTest(path)
}

/** The code that every byte of a record passes through. */
function isHot(path: string): boolean {
  return /^packages\/agent\/src\/(net|api|write|flush|read|objects)\//.test(path) && !isTest(path)
}

/** The comment at the top, up to its first empty line, as one text. */
function openingComment(lines: readonly string[]): string | undefined {
  const comment: string[] = []
  for (const line of lines) {
    if (!/^\s*(\/\/|\/\*|\*)/.test(line)) break
    comment.push(
      line
        .replace(/^\s*(\/\/|\/\*\*?|\*\/|\*)/, '')
        .replace(/\*\/\s*$/, '')
        .trim(),
    )
  }
  const said = comment.join(' ').trim()
  return said === '' ? undefined : said
}

/** Replaces comments and strings by spaces and keeps line breaks, so that positions still give the line. Good enough for bans: a regular expression literal with quotes may hide the rest of a line. */
export function withoutCommentsAndStrings(source: string): string {
  const blank = (text: string): string => text.replace(/[^\n]/g, ' ')
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g, blank)
}
