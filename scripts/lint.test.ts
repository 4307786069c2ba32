// The linter's configuration flags small bad files in a temporary tree, and not the good files beside them.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const agent = 'packages/agent/src'

interface Bad {
  readonly name: string
  readonly file: string
  readonly source: string
  readonly rule: string
}

const imports = 'eslint(no-restricted-imports)'
const words = 'eslint(no-restricted-globals)'
const properties = 'eslint(no-restricted-properties)'

/** A bad line in the file of that path. Each line has its own file, so that one finding cannot hide another. */
function bad(name: string, file: string, source: string, rule: string): Bad {
  return { name, file, source, rule }
}

const importing = (specifier: string): string => `import { it } from '${specifier}'\nexport const here = it\n`

const cases: readonly Bad[] = [
  // arrows between folders
  bad('core imports no other folder', `${agent}/core/a1.ts`, importing('../metadata/x.ts'), imports),
  bad('core imports nothing of Node', `${agent}/core/a2.ts`, importing('node:fs/promises'), imports),
  bad('core has no clock, not even its port', `${agent}/core/a3.ts`, importing('../time/clock.ts'), imports),
  bad('a folder below core is core too', `${agent}/core/log/a4.ts`, importing('../../observe/events.ts'), imports),
  bad('an arrow never points up', `${agent}/flush/a5.ts`, importing('../write/writer.ts'), imports),
  bad(
    'a type-only import is an import',
    `${agent}/flush/a6.ts`,
    "import type { it } from '../api/handler.ts'\nexport type Here = it\n",
    imports,
  ),
  bad(
    'a dynamic import is an import',
    `${agent}/view/a7.ts`,
    "export const here = (): Promise<unknown> => import('../flush/chain.ts')\n",
    imports,
  ),
  bad('folders of one brace never import one another', `${agent}/read/a8.ts`, importing('../write/writer.ts'), imports),
  bad('objects and metadata do not know each other', `${agent}/objects/a9.ts`, importing('../metadata/sql.ts'), imports),
  bad('membership.ts is a folder of the brace', `${agent}/write/a10.ts`, importing('../membership.ts'), imports),
  bad('no folder imports agent.ts', `${agent}/net/a11.ts`, importing('../agent.ts'), imports),
  bad('an operation does not reach for services', `${agent}/operations/a12.ts`, importing('../services.ts'), imports),
  bad('only parts.ts names an implementation', `${agent}/operations/a13.ts`, importing('../objects/adapters/memory.ts'), imports),
  bad('agent.ts names no implementation', `${agent}/agent.ts`, importing('./metadata/postgres.ts'), imports),
  bad('services.ts is types only', `${agent}/services.ts`, importing('./read/reader.ts'), imports),
  bad('settings.ts is plain data', `${agent}/settings.ts`, importing('./core/ids.ts'), imports),
  bad('a driver is imported by its adapter only', `${agent}/view/a14.ts`, importing('pg'), imports),
  bad('the S3 client belongs to objects', `${agent}/metadata/a15.ts`, importing('@aws-sdk/client-s3'), imports),
  // arrows between packages
  bad('protocol imports no package', 'packages/protocol/src/b1.ts', importing('@local-kafka-service/agent'), imports),
  bad('protocol imports nothing of Node', 'packages/protocol/src/b2.ts', importing('node:buffer'), imports),
  bad('the agent does not know HTTP', `${agent}/api/b3.ts`, importing('@local-kafka-service/http'), imports),
  bad('a package is imported by its name, not by a path', 'packages/http/src/b4.ts', importing('../../agent/src/index.ts'), imports),
  bad('no package imports the product', 'packages/sim/src/b5.ts', importing('local-kafka-service'), imports),
  bad('the product does not ship the simulator', 'packages/local-kafka-service/src/b6.ts', importing('@local-kafka-service/sim'), imports),
  bad(
    'a server of the command has no faults',
    'packages/cli/src/command/b7.ts',
    importing('local-kafka-service/internal/embedded/faults/make-faults'),
    imports,
  ),
  bad('the product does not know its commands', 'packages/local-kafka-service/src/b8.ts', importing('@local-kafka-service/cli'), imports),
  bad('a cluster knows no command', 'packages/cli/src/cluster/b9.ts', importing('../command/client-command.ts'), imports),
  // time and chance
  bad('Date is not used directly', `${agent}/write/c1.ts`, 'export const now = Date.now()\n', words),
  bad('new Date is Date', 'packages/http/src/c2.ts', 'export const now = new Date()\n', words),
  bad('performance is not used directly', `${agent}/net/c3.ts`, 'export const now = performance.now()\n', words),
  bad('timers are not used directly', `${agent}/net/c4.ts`, 'setTimeout(() => undefined, 1)\nexport {}\n', words),
  bad('setInterval is a timer', 'packages/http/src/c5.ts', 'setInterval(() => undefined, 1)\nexport {}\n', words),
  bad('setImmediate is a timer', `${agent}/metadata/c6.ts`, 'setImmediate(() => undefined)\nexport {}\n', words),
  bad('a property of globalThis is the same global', `${agent}/read/c7.ts`, 'export const now = globalThis.Date\n', properties),
  bad('AbortSignal.timeout is a timer', `${agent}/objects/c8.ts`, 'export const signal = AbortSignal.timeout(5)\n', properties),
  bad('Math.random is not used directly', `${agent}/flush/c9.ts`, 'export const draw = Math.random()\n', properties),
  bad('destructuring does not evade the rule', `${agent}/flush/c10.ts`, 'export const { random } = Math\n', properties),
  bad(
    'timers/promises is a timer',
    `${agent}/flush/c11.ts`,
    "import { setTimeout as sleep } from 'node:timers/promises'\nexport const here = sleep\n",
    imports,
  ),
  bad(
    'perf_hooks is a clock',
    'packages/http/src/c12.ts',
    "import { performance as p } from 'node:perf_hooks'\nexport const here = p\n",
    imports,
  ),
  bad(
    "Node's random bytes are random",
    `${agent}/metadata/c13.ts`,
    "import { randomBytes } from 'node:crypto'\nexport const here = randomBytes\n",
    imports,
  ),
  bad(
    'a UUID is random',
    'packages/http/src/c14.ts',
    "import { randomUUID } from 'node:crypto'\nexport const here = randomUUID\n",
    imports,
  ),
  bad(
    'the whole crypto module includes random functions',
    `${agent}/metadata/c15.ts`,
    "import * as crypto from 'node:crypto'\nexport const here = crypto\n",
    imports,
  ),
  bad('web crypto is random', `${agent}/metadata/c16.ts`, 'export const id = crypto.randomUUID()\n', words),
  bad('a file beside the folders has no clock either', `${agent}/membership.ts`, 'export const now = Date.now()\n', words),
  // the process
  bad('only the product reads the environment', `${agent}/objects/d1.ts`, 'export const region = process.env.AWS_REGION\n', properties),
  bad('only the product reads argv', 'packages/http/src/d2.ts', 'export const args = process.argv\n', properties),
  bad('only the product handles signals', `${agent}/membership2.ts`, "process.on('SIGTERM', () => undefined)\nexport {}\n", properties),
  bad('only the product exits', 'packages/sim/src/d4.ts', 'export const stop = (): never => process.exit(1)\n', properties),
  bad('the process module is the process', `${agent}/net/d5.ts`, "import { env } from 'node:process'\nexport const here = env\n", imports),
  // purity
  bad('protocol has no Buffer', 'packages/protocol/src/e1.ts', 'export const empty = Buffer.alloc(0)\n', words),
  bad('core has no Buffer', `${agent}/core/e2.ts`, 'export const empty = Buffer.alloc(0)\n', words),
  // promises and types
  bad(
    'a promise is awaited, returned or owned',
    `${agent}/read/f1.ts`,
    'async function work(): Promise<void> {}\nexport function start(): void {\n  work()\n}\n',
    'typescript(no-floating-promises)',
  ),
  bad('no any', `${agent}/read/f2.ts`, 'export function f(a: any): unknown {\n  return a\n}\n', 'typescript(no-explicit-any)'),
  bad(
    'no non-null assertion',
    `${agent}/read/f3.ts`,
    'export const f = (a: string | undefined): string => a!\n',
    'typescript(no-non-null-assertion)',
  ),
  bad('only an Error is thrown', `${agent}/read/f4.ts`, "export function f(): never {\n  throw 'x'\n}\n", 'typescript(only-throw-error)'),
  bad(
    'a switch covers every kind',
    `${agent}/read/f5.ts`,
    "export function f(a: 'x' | 'y'): number {\n  switch (a) {\n    case 'x':\n      return 1\n  }\n  return 2\n}\n",
    'typescript(switch-exhaustiveness-check)',
  ),
  bad('no default exports', `${agent}/read/f6.ts`, 'export default 1\n', 'import(no-default-export)'),
  bad('only the product prints', `${agent}/read/f7.ts`, "console.log('x')\nexport {}\n", 'eslint(no-console)'),
  bad('no EventEmitter', `${agent}/read/f8.ts`, importing('node:events'), imports),
  // tests
  ...['test/e2e/g1.test.ts', 'bench/g2.ts', 'packages/sim/src/g3.ts'].map((file) =>
    bad(`${file} starts programs in one way`, file, "import { spawn } from 'node:child_process'\nexport const here = spawn\n", imports),
  ),
]

const good: Readonly<Record<string, string>> = {
  [`${agent}/time/system-clock.ts`]:
    "import { randomBytes } from 'node:crypto'\nexport const here = [Date.now(), setTimeout, Math.random(), randomBytes(4), AbortSignal.timeout(5)]\n",
  [`${agent}/write/good.ts`]:
    importing('../flush/x.ts') +
    "import type { Limits } from '../limits.ts'\nimport type { Clock } from '../time/clock.ts'\nimport type { E } from '../observe/events.ts'\nexport type Good = [Limits, Clock, E]\n",
  [`${agent}/net/good.ts`]:
    importing('../core/ids.ts') +
    "import { createHash } from 'node:crypto'\nimport { createServer } from 'node:net'\nexport const good = [createHash, createServer]\n",
  [`${agent}/core/log/good.ts`]:
    importing('../../limits.ts') + "import { crc32c } from '@local-kafka-service/protocol'\nexport const good = crc32c\n",
  [`${agent}/parts.ts`]:
    importing('./objects/adapters/memory.ts') +
    "import { tcp } from './net/tcp.ts'\nimport { pg } from './metadata/postgres.ts'\nexport const good = [tcp, pg]\n",
  [`${agent}/write/good.test.ts`]: importing('../objects/adapters/memory.ts') + 'export const now = Date.now()\n',
  'packages/cli/src/main.ts': "process.on('SIGTERM', () => process.exit(0))\nconsole.log(process.argv, process.env, Date.now())\n",
  'packages/cli/src/command/good.ts':
    importing('../cluster/cluster-client.ts') +
    "import { UserError } from 'local-kafka-service/internal/user-error'\nexport const good = UserError\n",
  'packages/sim/src/program.ts': "import { spawn } from 'node:child_process'\nprocess.kill(1)\nexport const good = spawn\n",
  'packages/http/src/good.ts': importing('@local-kafka-service/agent') + "import fastify from 'fastify'\nexport const good = fastify\n",
}

interface LintFinding {
  readonly filename: string
  readonly code: string
}

let folder: string
let findings: readonly LintFinding[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lks-lint-'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  await cp(join(root, 'oxlint.config.ts'), join(folder, 'oxlint.config.ts'))
  for (const name of ['tsconfig.base.json', 'tsconfig.json']) await cp(join(root, name), join(folder, name))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  for (const [file, source] of [...cases.map((each) => [each.file, each.source] as const), ...Object.entries(good)]) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), source)
  }
  const output = await new Promise<string>((resolve) => {
    const linter = join(root, 'node_modules/oxlint/bin/oxlint')
    execFile(
      process.execPath,
      [linter, '-c', 'oxlint.config.ts', '--format', 'json', 'packages', 'test', 'bench'],
      { cwd: folder },
      (_error, stdout) => resolve(stdout),
    )
  })
  findings = (JSON.parse(output) as { diagnostics: LintFinding[] }).diagnostics
})

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the linter flags', () => {
  test.each(cases)('$name', ({ file, rule }) => {
    expect(findings.filter(({ filename }) => filename === file).map(({ code }) => code)).toContain(rule)
  })
})

describe('the linter accepts', () => {
  test.each(Object.keys(good))('%s', (file) => {
    expect(findings.filter(({ filename }) => filename === file).map(({ code }) => code)).toEqual([])
  })
})
