// The names in the diagrams: each name in a Mermaid diagram in docs/uml must be a file, a name in the code, or a word of the glossary.
import type { Check, Tree } from './check.ts'
import { withoutCommentsAndStrings } from './house-rules.ts'

const folder = 'docs/uml'
const glossary = 'docs/glossary.md'

/** One name in a diagram, and its line. */
interface DiagramName {
  readonly name: string
  readonly line: number
  /** The file that declares the class must contain `member`. */
  readonly kind: 'path' | 'class' | 'member' | 'call' | 'state' | 'part'
  readonly of?: string
}

export const uml: Check = {
  name: 'diagrams',
  run(tree) {
    const pages = tree.below(folder, '.md')
    if (pages.length === 0) return [`${folder}: there are no diagrams`]
    const known = knownNames(tree)
    return pages.flatMap((page) => {
      const named = namesIn(tree.read(page))
      if (named.length === 0) return [`${page}: holds no diagram`]
      return named.flatMap((each) => {
        const wrong = problem(each, known, tree)
        return wrong === undefined ? [] : [`${page}:${each.line}: ${wrong}`]
      })
    })
  },
}

interface Known {
  /** The identifiers of the code, without comments and strings. */
  readonly words: ReadonlySet<string>
  /** String literals of one or several words: kinds of unions, states. */
  readonly literals: ReadonlySet<string>
  /** Declared class, interface or type → the text of the files that declare it. */
  readonly declared: ReadonlyMap<string, string>
  readonly glossary: ReadonlySet<string>
}

function knownNames(tree: Tree): Known {
  const words = new Set<string>()
  const literals = new Set<string>()
  const declared = new Map<string, string>()
  for (const path of tree.sources) {
    if (!path.startsWith('packages/')) continue
    const text = tree.read(path)
    const code = withoutCommentsAndStrings(text)
    for (const [word] of code.matchAll(/[A-Za-z_][A-Za-z0-9_]*/g)) words.add(word)
    for (const [, literal = ''] of text.matchAll(/'([a-z][a-z -]*)'/g)) literals.add(literal)
    for (const [, name = ''] of code.matchAll(/\b(?:class|interface|type|function\*?|const)\s+([A-Za-z_]\w*)/g))
      declared.set(name, `${declared.get(name) ?? ''}\n${code}`)
  }
  const terms = tree.exists(glossary)
    ? [...tree.read(glossary).matchAll(/^\|\s*\**([^|*]+?)\**\s*\|/gm)].map(([, term = '']) => term.toLowerCase())
    : []
  return { words, literals, declared, glossary: new Set(terms) }
}

function problem({ name, kind, of }: DiagramName, known: Known, tree: Tree): string | undefined {
  switch (kind) {
    case 'path':
      return ['', 'packages/', 'packages/agent/src/'].some((base) => tree.exists(base + name)) ? undefined : `there is no ${name}`
    case 'class':
      return known.declared.has(name) ? undefined : `no class, interface or type is called ${name}`
    case 'member': {
      const text = of === undefined ? undefined : known.declared.get(of)
      return text !== undefined && new RegExp(`\\b${name}\\b`).test(text) ? undefined : `${of} has no ${name}`
    }
    case 'call':
      return known.words.has(name) ? undefined : `nothing in the code is called ${name}`
    case 'state':
      return known.literals.has(name) || known.words.has(name) || known.glossary.has(name)
        ? undefined
        : `no state, event or word of the glossary is called ${name}`
    case 'part':
      return known.glossary.has(name.toLowerCase()) || known.declared.has(name)
        ? undefined
        : `${name} is neither in the code nor in ${glossary}`
  }
}

/** Exported for its test. */
export function namesIn(page: string): readonly DiagramName[] {
  const found: DiagramName[] = []
  let diagram: string | undefined
  let openClass: string | undefined
  for (const [index, raw] of page.split('\n').entries()) {
    const line = raw.trim()
    const add = (kind: DiagramName['kind'], name: string, of?: string): void =>
      void found.push({ name, line: index + 1, kind, ...(of !== undefined && { of }) })
    if (line.startsWith('```')) {
      diagram = line === '```mermaid' ? '' : undefined
      continue
    }
    if (diagram === undefined || line === '' || line.startsWith('%%')) continue
    if (diagram === '') {
      diagram = line.split(/\s/)[0] ?? ''
      continue
    }
    // Paths count everywhere in a diagram.
    for (const [path] of line.replaceAll(/<br\s*\/?>/g, ' ').matchAll(/\b[a-z][\w-]*(?:\/[\w-]+)*\/(?:[\w-]+\.ts)?|\b[a-z][\w-]*\.ts\b/g))
      add('path', path)
    switch (diagram) {
      case 'classDiagram':
        openClass = classNames(line, openClass, add)
        break
      case 'sequenceDiagram':
        sequenceNames(line, add)
        break
      case 'stateDiagram-v2':
        for (const [, state = ''] of line.replace(/:.*$/, '').matchAll(/(?:^|-->|\bstate\s)\s*([a-z]\w*)\b/g))
          if (state !== 'state' && state !== 'note' && state !== 'direction') add('state', state.replaceAll('_', ' '))
        calls(line, add)
        break
      case 'flowchart':
        for (const [, label = ''] of line.matchAll(/[[({]+"([^"]+)"[\])}]+/g)) {
          for (const part of label.split(/<br\s*\/?>/)) if (!/[/.]/.test(part)) add('part', part.trim())
        }
        break
      default:
        add('part', `a ${diagram} diagram`)
    }
  }
  return found
}

type Add = (kind: DiagramName['kind'], name: string, of?: string) => void

function classNames(line: string, open: string | undefined, add: Add): string | undefined {
  if (open !== undefined) {
    if (line === '}') return undefined
    const member = /^[+\-#~]?(?:\w+\s+)?(\w+)\s*(?:\(|:|$)/.exec(line)?.[1]
    if (member !== undefined && !line.startsWith('<<')) add('member', member, open)
    return open
  }
  const declared = /^class\s+(\w+)/.exec(line)?.[1]
  if (declared !== undefined) {
    add('class', declared)
    return line.endsWith('{') ? declared : undefined
  }
  const related = /^(\w+)\s*(?:"[^"]*"\s*)?[<|*o.-]+[-.]+[>|*o.-]*\s*(?:"[^"]*"\s*)?(\w+)/.exec(line)
  if (related !== null) for (const name of related.slice(1, 3)) add('class', name ?? '')
  return undefined
}

function sequenceNames(line: string, add: Add): void {
  const [, id, alias] = /^(?:participant|actor)\s+(\w+)(?:\s+as\s+(.+))?$/.exec(line) ?? []
  if (id !== undefined) {
    const shown = (alias ?? id).trim()
    if (!/\.ts\b|\//.test(shown)) add('part', shown)
    return
  }
  calls(line, add)
}

/** `word(` in a message or a label is a call. */
function calls(line: string, add: Add): void {
  for (const [, name = ''] of line.matchAll(/\b([a-zA-Z]\w*)\(/g)) add('call', name)
}
