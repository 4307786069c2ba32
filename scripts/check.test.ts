// The checks report what is wrong in small trees that break one rule each.

import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { exercised, proves } from '../test/e2e/compatibility/exercised.ts'
import { resultsAfter } from '../test/e2e/compatibility/results.ts'
import type { Difference } from '../test/e2e/differential/differences.ts'
import type { Tree } from './check/check.ts'
import { circleProblems } from './check/circles.ts'
import { commitSubjects, subjectProblems } from './check/commit-subjects.ts'
import { unproven, untested } from './check/compatibility.ts'
import { defaultProblems } from './check/defaults.ts'
import { differencesPage, differencesProblems } from './check/differences-page.ts'
import { undocumented } from './check/documented.ts'
import { unexcepted, unused } from './check/exceptions.ts'
import { asMermaid, asTable, importGraph } from './check/graph.ts'
import { problemsOf } from './check/house-rules.ts'
import { links } from './check/links.ts'
import { problemsOf as problemsOfSurface, surfaceText } from './check/public-surface.ts'
import { renewed } from './check/published.ts'
import { typeNameProblems } from './check/type-names.ts'
import { uml } from './check/uml.ts'
import { wordProblems } from './check/word-list.ts'

function aTree(files: Readonly<Record<string, string>>): Tree {
  const paths = Object.keys(files).sort()
  return {
    root: '/nowhere/',
    sources: paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts')),
    read: (path) => files[path] ?? '',
    exists: (path) => paths.some((each) => each === path || each.startsWith(path.endsWith('/') ? path : `${path}/`)),
    below: (folder, ending) => paths.filter((path) => path.startsWith(`${folder}/`) && path.endsWith(ending)),
  }
}

const core = 'packages/agent/src/core/x.ts'
const agent = 'packages/agent/src/read/x.ts'

describe('house rules', () => {
  test.each([
    ['a file begins with a sentence', agent, 'export const x = 1\n', /without a comment/],
    ['an opening comment is a sentence', agent, '// reader\nexport const x = 1\n', /not a sentence/],
    ['a long file says why', agent, `// A file.\n${'export {}\n'.repeat(400)}`, /401 lines/],
    ['core is never async', core, '// A file.\nexport async function f() {}\n', /line 2: core is pure/],
    ['core knows no promise', core, '// A file.\nexport type F = () => Promise<void>\n', /core is pure/],
    ['no enum', agent, '// A file.\nexport enum E { a }\n', /no enum/],
    ['no inheritance', agent, '// A file.\nexport class A extends B {}\n', /no inheritance/],
    ['no mocks', 'packages/agent/src/read/x.test.ts', "// A file.\nvi.mock('./y.ts')\n", /no mocks/],
    ['no listener on a signal', agent, "// A file.\nsignal.addEventListener('abort', end)\n", /onAbort/],
    ['no race with a timer', agent, '// A file.\nconst timer = clock.after(9, () => late.resolve())\n', /orLate/],
    ['no text of an unknown error', agent, '// A file.\nexport const x = e instanceof Error ? e.message : String(e)\n', /errorText/],
    ['no stack of an unknown error', agent, '// A file.\nexport const x = isError(e) ? (e.stack ?? e.message) : String(e)\n', /errorStack/],
    ['no Buffer.concat', agent, '// A file.\nexport const x = Buffer.concat([])\n', /no Buffer.concat/],
  ])('%s', (_rule, path, source, expected) => {
    expect(problemsOf(path, source).join('\n')).toMatch(expected)
  })

  test('comments and strings are not code', () => {
    expect(problemsOf(core, "// A file that never does async work.\nexport const x = 'await Promise'\n")).toEqual([])
  })

  test('an error may inherit, a long file may say why it is one thing, a test of core may be asynchronous', () => {
    expect(problemsOf(agent, '// A file.\nexport class StoreError extends Error {}\nexport class Lost extends StoreError {}\n')).toEqual([])
    expect(problemsOf(agent, `// A file. Long because it is one thing: the table of all codes.\n${'export {}\n'.repeat(400)}`)).toEqual([])
    expect(problemsOf('packages/agent/src/core/x.test.ts', '// A file.\nawait 1\n')).toEqual([])
  })
})

const code = {
  'packages/agent/src/write/writer.ts':
    "// A file.\nexport class Writer {\n  admit(): void {}\n}\nexport type State = { kind: 'line stopped' }\n",
  'docs/glossary.md': '| word | meaning |\n|---|---|\n| **agent** | one process |\n| Kafka client | outside |\n',
}

function problemsOfDiagram(diagram: string): readonly string[] {
  const found = uml.run(aTree({ ...code, 'docs/uml/x.md': `# X\n\n\`\`\`mermaid\n${diagram}\n\`\`\`\n` }))
  if (found instanceof Promise) throw new TypeError('the check of the diagrams became asynchronous')
  return found
}

describe('a name in a diagram must be in the code', () => {
  test.each([
    ['a class', 'classDiagram\n  class Scribe {\n  }', 'docs/uml/x.md:5: no class, interface or type is called Scribe'],
    ['a member', 'classDiagram\n  class Writer {\n    +forget(batch)\n  }', 'docs/uml/x.md:6: Writer has no forget'],
    ['a related class', 'classDiagram\n  Writer --> Scribe', 'docs/uml/x.md:5: no class, interface or type is called Scribe'],
    ['a path', 'sequenceDiagram\n  participant w as write/scribe.ts', 'docs/uml/x.md:5: there is no write/scribe.ts'],
    [
      'a participant',
      'sequenceDiagram\n  participant w as Postman',
      'docs/uml/x.md:5: Postman is neither in the code nor in docs/glossary.md',
    ],
    ['a call', 'sequenceDiagram\n  a->>b: scribble(batch)', 'docs/uml/x.md:5: nothing in the code is called scribble'],
    ['a state', 'stateDiagram-v2\n  line_stopped --> lost', 'docs/uml/x.md:5: no state, event or word of the glossary is called lost'],
    [
      'a component',
      'flowchart TD\n  a["Postman"] --> b["agent"]',
      'docs/uml/x.md:5: Postman is neither in the code nor in docs/glossary.md',
    ],
  ])('%s', (_kind, diagram, expected) => {
    expect(problemsOfDiagram(diagram)).toEqual([expected])
  })

  test('names of the code, paths and words of the glossary pass', () => {
    expect(problemsOfDiagram('classDiagram\n  class Writer {\n    +admit(admissions) Admitted\n  }')).toEqual([])
    expect(
      problemsOfDiagram('sequenceDiagram\n  actor c as Kafka client\n  participant w as write/writer.ts\n  c->>w: admit(batch)'),
    ).toEqual([])
    expect(problemsOfDiagram('flowchart TD\n  subgraph a["agent"]\n  w["write/"]\n  end')).toEqual([])
  })

  test('a page without a diagram is a mistake', () => {
    expect(uml.run(aTree({ ...code, 'docs/uml/x.md': '# X\n' }))).toEqual(['docs/uml/x.md: holds no diagram'])
  })
})

describe('circles of files', () => {
  const sources = {
    'packages/some/src/a.ts': "import type { B } from './b.ts'\n",
    'packages/some/src/b.ts': "export { c } from './c.ts'\n",
    'packages/some/src/c.ts': "export const later = import('./a.ts')\n",
    'packages/some/src/d.ts': "import { a } from './a.ts'\n",
  }
  const circle = ['packages/some/src/a.ts', 'packages/some/src/b.ts', 'packages/some/src/c.ts']

  test('are reported with all their files, whatever the kind of import', () => {
    expect(circleProblems(aTree(sources))).toEqual([`these files import one another: ${circle.join(', ')}`])
    expect(circleProblems(aTree({ ...sources, 'packages/some/src/c.ts': '' }))).toEqual([])
  })
})

describe('the names of types', () => {
  const sources = {
    'packages/some/src/a.ts': 'export interface Plan {\n}\n',
    'packages/some/src/b.ts': 'type Plan = string\nfunction f() {\n  type Local = string\n}\n',
    'packages/other/src/c.ts': 'class Local {}\n',
    'packages/other/src/c.test.ts': 'interface Plan {}\n',
  }

  test('two files that define one name are reported, exported or not; tests and inner types are free', () => {
    expect(typeNameProblems(aTree(sources), [])).toEqual([
      'packages/some/src/a.ts, packages/some/src/b.ts: the type Plan is defined more than once; give each meaning its own name',
    ])
  })

  test('an exception holds while it is needed, and must then be deleted', () => {
    const exception = { name: 'Plan', why: 'the same thing' }
    expect(typeNameProblems(aTree(sources), [exception])).toEqual([])
    expect(typeNameProblems(aTree({ ...sources, 'packages/some/src/b.ts': '' }), [exception])).toHaveLength(1)
  })
})

describe('the public surface', () => {
  const surface = { name: 'some', folder: 'packages/some', declarations: 'packages/some/types', copy: 'docs/some.d.ts' }
  const built = {
    'packages/some/package.json': JSON.stringify({
      exports: {
        '.': { 'lks-source': './src/index.ts', default: './dist/index.js' },
        './jest': { 'lks-source': './src/runners/jest.ts', default: './dist/jest.js' },
        './internal/*': { 'lks-source': './src/*.ts' },
      },
    }),
    'packages/some/types/index.d.ts': "export { startKafka } from './start.ts';\n//# sourceMappingURL=index.d.ts.map\n",
    'packages/some/types/start.d.ts': 'export declare function startKafka(): Promise<void>;\n',
    'packages/some/types/runners/jest.d.ts': "export type { Kafka } from '../start.ts';\n",
  }

  test('contains every entry and the files that they lead to, once, without source map comments', () => {
    const text = surfaceText(surface, aTree(built))
    expect(text.match(/startKafka\(\): Promise<void>/g)).toHaveLength(1)
    expect(text).toContain('---- runners/jest.d.ts')
    expect(text).not.toContain('sourceMappingURL')
  })

  test('passes if it equals the committed copy, and fails if it has changed or an entry is not built', () => {
    expect(problemsOfSurface(surface, aTree({ ...built, [surface.copy]: surfaceText(surface, aTree(built)) }))).toEqual([])
    expect(problemsOfSurface(surface, aTree({ ...built, [surface.copy]: '' }))).toHaveLength(1)
    const { 'packages/some/types/runners/jest.d.ts': _jest, ...unbuilt } = built
    expect(problemsOfSurface(surface, aTree(unbuilt))).toEqual(['packages/some/types/runners/jest.d.ts: was not built'])
  })

  test('never names a package that is not installed with it', () => {
    const leaking = {
      ...built,
      'packages/some/types/start.d.ts': "import type { Agent } from '@local-kafka-service/agent';\nexport declare const a: Agent;\n",
    }
    expect(problemsOfSurface(surface, aTree({ ...leaking, [surface.copy]: surfaceText(surface, aTree(leaking)) }))).toEqual([
      'the declarations of some name @local-kafka-service/agent, which it does not depend on',
    ])
  })
})

describe('the page of clients', () => {
  const row = { client: 'kcat', what: 'Produce', file: 'clients.test.ts', title: 'reads what it wrote: %s' } as const

  test('a test proves the row whose titles it has, and not a row whose titles are parts of them', () => {
    const shared = { ...row, client: 'sarama', title: 'reads %s back', within: 'sarama' } as const
    const ran = (suite: string, title: string) => proves({ file: row.file, suites: ['on S3', suite], title }, shared)
    expect(ran('sarama', 'reads gzip back')).toBe(true)
    expect(ran('sarama as V1_0', 'reads gzip back')).toBe(false)
    expect(ran('sarama', 'reads gzip back, again')).toBe(false)
    expect(proves({ file: 'groups.test.ts', suites: ['sarama'], title: 'reads gzip back' }, shared)).toBe(false)
    expect(proves({ file: row.file, suites: [], title: 'reads again' }, { ...row, title: 'reads' })).toBe(false)
  })

  test('a filtered run changes only the rows whose tests ran, and keeps no row of another version', () => {
    const [first, second] = exercised.filter(({ client }) => client === 'kcat').map(({ what }) => what)
    const earlier = { kcat: { version: '1', passed: [first ?? '', second ?? ''] }, kafkajs: { version: '2', passed: ['Produce'] } }
    const onlySecond =
      (state: string) =>
      ({ what }: { readonly what: string }) =>
        what === second ? [state, 'skipped'] : ['skipped']
    expect(resultsAfter(earlier, onlySecond('passed'), () => '1')).toEqual(earlier)
    expect(resultsAfter(earlier, onlySecond('failed'), () => '1')).toMatchObject({ kcat: { passed: [first] }, kafkajs: earlier.kafkajs })
    expect(resultsAfter(earlier, onlySecond('passed'), () => '3')).toMatchObject({ kcat: { version: '3', passed: [second] } })
  })

  const source = { 'test/e2e/clients.test.ts': "kcat.each(codecs)('reads what it wrote: %s', …)" }

  test('lists only what has passed and is still tested', () => {
    expect(unproven([row], { kcat: { version: '1.7.1', passed: ['Produce'] } })).toEqual([])
    expect(unproven([row], { kcat: { version: '1.7.1', passed: ['Fetch'] } })).toEqual([
      expect.stringMatching('"Produce" has not passed'),
      expect.stringMatching('"Fetch" is in .*, and is no longer tested'),
    ])
    expect(unproven([row], {})).toHaveLength(1)
  })

  test('names existing tests', () => {
    expect(untested([row], aTree(source))).toEqual([])
    expect(untested([{ ...row, title: 'reads what was written' }], aTree(source))).toHaveLength(1)
    expect(untested([{ ...row, within: 'kafkajs' }], aTree(source))).toHaveLength(1)
    expect(untested([{ ...row, file: 'gone.test.ts' }], aTree(source))).toHaveLength(1)
  })
})

test('every export of a package has a docstring, wherever it is declared', () => {
  const tree = aTree({
    'types/index.d.ts': "export { type Kafka, kill } from './kafka.ts';\n/** Starts one. */\nexport declare function start(): Kafka;\n",
    'types/kafka.d.ts': '/** A running one. */\nexport interface Kafka {\n}\nexport declare function kill(): void;\n',
  })
  expect(undocumented('types/index.d.ts', tree)).toEqual(['types/kafka.d.ts: kill is exported from the package and has no docstring'])
})

test('the published package exports the same as in development, without the sources', () => {
  const stale = { exports: { '.': { 'lks-source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' } } }
  expect(JSON.parse(renewed(JSON.stringify(stale)))).toEqual({
    ...stale,
    publishConfig: { exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } } },
  })
})

test('the graph counts importing files per folder, without tests', () => {
  const graph = importGraph(
    aTree({
      'packages/agent/src/write/a.ts': "import type { B } from '../flush/b.ts'\nimport { c } from '@local-kafka-service/protocol'\n",
      'packages/agent/src/write/d.ts': "export const later = import('../flush/b.ts')\n",
      'packages/agent/src/write/a.test.ts': "import { x } from '../api/x.ts'\n",
      'packages/http/src/e.ts': "import { createAgent } from '@local-kafka-service/agent'\n",
    }),
  )
  expect(asTable(graph)).toBe('agent/write → agent/flush (2), protocol (1)\nhttp        → agent (1)')
  expect(asMermaid(graph)).toContain('agent_write --> agent_flush')
})

test('a link in the documentation must lead to a file', () => {
  const pages = {
    'README.md': '[a](ARCHITECTURE.md#x) [b](docs/gone.md) [c](https://kafka.apache.org)\n',
    'ARCHITECTURE.md': '',
    'CHANGELOG.md': '',
  }
  expect(links.run(aTree(pages))).toEqual(['README.md: links to docs/gone.md, which does not exist'])
})

describe('the page of differences from Kafka', () => {
  const aRow = (row: Partial<Difference> = {}): Difference => ({
    id: 'a',
    api: 'Fetch',
    versions: '4+',
    request: 'A request',
    kafka: 'says a|b',
    ours: 'says c',
    why: 'There is a reason.',
    evidence: { fields: { 'responses.errorCode': [1, 2] } },
    ...row,
  })
  const served = [{ key: 1, name: 'Fetch', versions: '4–18' }]
  const source = (path: string): string => (path === 'test/a.test.ts' ? "test('the rule', …)" : '')

  test('has each row under its API, and the APIs that are not served', () => {
    const page = differencesPage([aRow({ clientsTried: ['kcat 1.7.1'] })], served)
    expect(page).toContain('| 4+ | A request | says a\\|b | says c | There is a reason. Tried with kcat 1.7.1. |')
    expect(page).toContain('| Produce | 0 |')
    expect(page).not.toContain('| Fetch | 1 |')
  })

  test.each([
    ['an id occurs twice', [aRow(), aRow()], /a occurs twice/],
    ['the API is not served', [aRow({ api: 'Nothing' })], /a is about Nothing/],
    ['the test is missing', [aRow({ evidence: { file: 'test/a.test.ts', title: 'another rule' } })], /has no "another rule"/],
  ])('reports a row when %s', (_case, rows, expected) => {
    expect(
      differencesProblems([aRow({ id: 'b', evidence: { file: 'test/a.test.ts', title: 'the rule' } }), ...rows], { served, source }).join(
        '\n',
      ),
    ).toMatch(expected)
  })
})

describe('the word list', () => {
  test.each([
    ['a comment', 'x.ts', '// A file.\n// It is refused.\n', 'x.ts:2: "refused"'],
    ['a comment of several lines', 'x.ts', '/**\n * Nobody listens.\n */\n', 'x.ts:2: "Nobody"'],
    ['a message', 'x.ts', "const message = 'the client is told so'\n", 'x.ts:1: "is told"'],
    ['a message with a value', 'x.ts', 'const message = `${name} is no number`\n', 'x.ts:1: "is no number"'],
    ['a page', 'x.md', '# X\n\nIt waits for ever.\n', 'x.md:3: "for ever"'],
  ])('reads %s', (_what, path, source, expected) => {
    const problems = unexcepted(wordProblems(path, source), [])
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(expected)
  })

  test.each([
    ['names in code', 'x.ts', "const refused = new Set<Kind>(['refused'])\n"],
    ['a name in a comment', 'x.ts', "// The kinds `refused` and 'refused'.\n"],
    ['code in a template', 'x.ts', 'const message = `${refused.length} of them`\n'],
    ['code in a page', 'x.md', 'The kind `refused`.\n\n```ts\n// refused\n```\n'],
    ["the field's own phrases", 'x.ts', '// There is no topic, it is no longer there, and the connection was refused.\n'],
  ])('leaves %s alone', (_what, path, source) => {
    expect(wordProblems(path, source)).toEqual([])
  })

  test('an exception holds for its line only, and one that allows nothing is a problem', () => {
    const exceptions = [{ path: 'x.ts', line: 'ECONNREFUSED', why: 'the system says it' }]
    const source = '// ECONNREFUSED: the port refuses.\n// The server refuses.\n'
    const problems = wordProblems('x.ts', source)
    expect(unexcepted(problems, exceptions)).toEqual([expect.stringContaining('x.ts:2:')])
    expect(unused(problems, exceptions, 'table.ts')).toEqual([])
    expect(unexcepted(wordProblems('y.ts', source), exceptions)).toHaveLength(2)
    const clean = wordProblems('x.ts', '// ECONNREFUSED: the port rejects.\n')
    expect(unused(clean, exceptions, 'table.ts')).toEqual([expect.stringMatching(/^table\.ts: .*x\.ts \(ECONNREFUSED\).*delete it$/)])
  })
})

describe('defaults', () => {
  test.each([
    'const start = starts[index] ?? 0',
    "const name = names[0] ?? ''",
    'const parts = answer.parts ?? []',
    'const epoch = leader?.epoch ?? -1',
    'const found = rows[0] ?? {}',
    'const seen = cache ?? new Set<string>()',
  ])('%s needs an assertion or a reason', (line) => {
    expect(unexcepted(defaultProblems('x.ts', `// A file.\n\n${line}\n`), [])).toEqual([
      expect.stringMatching(/^x\.ts:3: "\?\? .*must\(\)/),
    ])
  })

  test.each([
    'counts.set(key, (counts.get(key) ?? 0) + 1)',
    'for (const id of byName.get(nameOf(group)) ?? []) drop(id)',
    'const bytes = key?.length ?? 0',
    'const after = options.after ?? 0',
    'const port = address ?? 10',
    'const port = address ?? 0 // no address, no port',
    '// A topic without an owner has no leader.\nconst leader = owner ?? -1',
    "const text = 'a ?? 0'",
  ])('%s has a meaning', (line) => {
    expect(defaultProblems('x.ts', `// A file.\n\n${line}\n`)).toEqual([])
  })
})

describe('the subject of a commit', () => {
  test.each(['time: back off in one way, with jitter', 'net, flush, time: use plain names', 'Revert "time: back off in one way"'])(
    '%s passes',
    (subject) => {
      expect(subjectProblems(subject)).toEqual([])
    },
  )

  test.each([
    ['no area', 'back off in one way', /area: imperative/],
    ['a sentence', 'A group counts its lag in one place', /area: imperative/],
    ['a full stop', 'time: back off in one way.', /full stop/],
    ['the past', 'time: added jitter', /not an imperative/],
    ['a participle', 'time: adding jitter', /not an imperative/],
    ['its length', `time: ${'x'.repeat(67)}`, /73 characters/],
  ])('is rejected for %s', (_why, subject, expected) => {
    expect(subjectProblems(subject).join()).toMatch(expected)
  })

  test('it passes where there is no history', async () => {
    expect(await commitSubjects.run({ ...aTree({}), root: tmpdir() })).toEqual([])
  })
})
