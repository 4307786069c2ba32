// Every example runs, and shows what it says: the files from source, the folders with the package as npm would install it.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runProgram } from '../../packages/sim/src/program.ts'
import { repository } from './testing/server.ts'

/** Both orders, of whatever partition first, and nothing left to read. */
const kitchen = /^(order-1: coffee\norder-2: tea|order-2: tea\norder-1: coffee)\nthe kitchen is behind by 0\n$/

/** The expected output, by file. */
const files: Readonly<Record<string, RegExp>> = {
  'in-a-test.ts': /^. pass 1$/m,
  'kafkajs.ts': kitchen,
  'kept-in-a-directory.ts': /"key":"key".*"value":"value"/,
  'live-tail.ts': /(^data: .*"tick"[^]*){3}/m,
  'lost-ack.ts': /^. pass 2$/m,
  'platformatic.ts': kitchen,
}

/** How its runner is started, and what that must print, by folder. */
const folders: Readonly<Record<string, { readonly run: readonly string[]; readonly expected: RegExp }>> = {
  'exactly-once': { run: ['--test'], expected: /^. pass 2$/m },
  jest: { run: ['node_modules/jest/bin/jest.js', '--ci'], expected: /^Tests: +5 passed, 5 total$/m },
  mocha: { run: ['node_modules/mocha/bin/mocha.js', '*.test.js'], expected: /^ +2 passing/m },
  'node-test': { run: ['--test'], expected: /^. pass 2$/m },
  vitest: { run: ['node_modules/vitest/vitest.mjs', 'run'], expected: /^ +Tests +4 passed \(4\)$/m },
}

const work = mkdtempSync(join(tmpdir(), 'lks-examples-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

/** Those that are neither: below, or with a test file of their own. */
const elsewhere = ['confluent', 'nestjs', 'quickstart']

test('every example is run', () => {
  const all = readdirSync(join(repository, 'examples')).filter((name) => name !== 'README.md')
  expect(all.toSorted()).toEqual([...Object.keys(files), ...Object.keys(folders), ...elsewhere].toSorted())
})

test.each(Object.entries(files))('%s', async (file, words) => {
  const { stdout } = await runProgram(process.execPath, ['--conditions=lks-source', join('examples', file)], { cwd: repository })
  expect(stdout).toMatch(words)
})

test.each(Object.entries(folders))('%s', async (name, { run, expected }) => {
  const folder = installed(name)
  // Nothing of this run reaches it: neither where pnpm's own scripts look for packages, nor that a test of Vitest runs it.
  const { NODE_OPTIONS: _options, NODE_PATH: _path, VITEST: _vitest, ...env } = process.env
  const child = await runProgram(process.execPath, run, { cwd: folder, env: { ...env, NO_COLOR: '1' } })
  expect(child.stdout + child.stderr).toMatch(expected)
  expect(child.stdout + child.stderr).not.toContain('did not exit')
})

test('quickstart', async () => {
  const lks = ['--conditions=lks-source', join(repository, 'packages/cli/src/main.ts')]
  const { stdout } = await runProgram(process.execPath, [...lks, 'exec', '--', 'sh', 'quickstart.sh'], {
    cwd: join(repository, 'examples/quickstart'),
  })
  expect(stdout).toMatch(/^{"name":"quickstart".*\n{"topic":"quickstart","partition":0,"offset":0.*\n{.*"offset":1.*\n/)
  expect(stdout).toMatch(/"key":"order-1","value":"coffee".*"key":"order-2","value":"tea".*"next":2/)
})

/** Its client downloads a compiled library at installation, which is not ours to have: without it the test is skipped by name, in CI too. */
test('confluent', async ({ skip }) => {
  const folder = join(work, 'confluent')
  cpSync(join(repository, 'examples/confluent'), folder, { recursive: true })
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as ExampleManifest
  // The product does not come from a registry.
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, devDependencies: {} }))
  const installing = runProgram('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: folder })
  const failed = await installing.then(
    () => undefined,
    (error: Error) => error,
  )
  if (failed !== undefined) skip('@confluentinc/kafka-javascript does not install here')
  installProduct(join(folder, 'node_modules/local-kafka-service'))
  const { stdout } = await runProgram(process.execPath, ['kitchen.js'], { cwd: folder })
  expect(stdout.trim().split('\n').toSorted()).toEqual(['order-1: coffee', 'order-2: tea'])
}, 300_000)

/** A copy of the example with its dependencies: those of others are the repository's, the product is what `pnpm build` made. */
function installed(name: string): string {
  const folder = join(work, name)
  cpSync(join(repository, 'examples', name), folder, { recursive: true })
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as ExampleManifest
  for (const dependency of Object.keys({ ...dependencies, ...devDependencies })) {
    const target = join(folder, 'node_modules', dependency)
    mkdirSync(join(target, '..'), { recursive: true })
    if (dependency === 'local-kafka-service') installProduct(target)
    else symlinkSync(realpathSync(join(repository, 'node_modules', dependency)), target, 'junction')
  }
  return folder
}

function installProduct(target: string): void {
  const product = join(repository, 'packages/local-kafka-service')
  for (const part of ['package.json', 'dist']) cpSync(join(product, part), join(target, part), { recursive: true })
}

interface ExampleManifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}
