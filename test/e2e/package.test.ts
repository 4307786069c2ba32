// The packages as they are published: packed, installed by npm into an empty folder, and used there by every promised version of Node, TypeScript and test runner.
import { access, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, test as always, beforeAll, describe, expect } from 'vitest'
import { runningBlocks } from './testing/guide.ts'
import { bytesIn, endAsUser, hasRegistry, install, nodeBinary, type Packed, pack, packagesIn, runAsUser } from './testing/packed.ts'
import { needs } from './testing/programs.ts'
import { anyPorts, type Folder, repository, startServer, temporaryFolder } from './testing/server.ts'

const mostPackages = 25
const mostBytes = 10 * 1024 * 1024
const product = 'local-kafka-service'
const protocol = '@local-kafka-service/protocol'

// At home without a network the tests are skipped by name, in CI that is a failure.
if (process.env.CI === 'true') always('the npm registry is there', () => expect(hasRegistry).toBe(true))
const test = hasRegistry ? always : always.skip

const { engines } = JSON.parse(await readFile(join(repository, 'packages/local-kafka-service/package.json'), 'utf8')) as {
  readonly engines: { readonly node: string }
}
const floor = `${engines.node.replace('>=', '')}.0`
/** `22`: the newest of them. */
const nodes = [floor, '22', '24', '26']

let folder: Folder
let packed: Packed
/** Both packages, as `npm install` leaves them. */
let app: string
let npmOutput: string

beforeAll(async () => {
  folder = await temporaryFolder()
  if (!hasRegistry) return
  packed = await pack(folder.path)
  app = join(folder.path, 'app')
  npmOutput = await install(app, Object.values(packed.files))
  for (const programs of ['test/e2e/package', 'packages/protocol/examples']) await cp(join(repository, programs), app, { recursive: true })
})
afterAll(() => folder[Symbol.asyncDispose]())

describe('what npm installs', () => {
  test(`is at most ${mostPackages} packages and ${mostBytes} bytes, without the clients of S3 and PostgreSQL`, async () => {
    const packages = await packagesIn(app)
    expect(packages.map(({ name }) => name)).toEqual(expect.arrayContaining([product, protocol]))
    expect(packages.map(({ name }) => name).filter((name) => name === 'pg' || name.startsWith('@aws-sdk'))).toEqual([])
    expect(packages.length).toBeLessThanOrEqual(mostPackages)
    expect(await bytesIn(join(app, 'node_modules'))).toBeLessThanOrEqual(mostBytes)
  })

  test('runs nothing: no package has an install script or native source', async () => {
    for (const { name, scripts, hasNativeSource } of await packagesIn(app)) {
      const run = Object.keys(scripts).filter((script) => /^(pre|post)?(install|prepare)$/.test(script))
      expect({ name, run, hasNativeSource }).toEqual({ name, run: [], hasNativeSource: false })
    }
    expect(npmOutput).not.toMatch(/gyp|download|deprecated|ERR/i)
  })

  test.each([product, protocol])('%s has no sources, no source maps, and names nothing of the workspace', async (name) => {
    const root = join(app, 'node_modules', name)
    const text = await readFile(join(root, 'package.json'), 'utf8')
    expect(text).not.toMatch(/workspace:|lks-source.*\.\/src/)
    const { stdout } = await runAsUser('tar', ['tzf', packed.files[name as keyof Packed['files']]], { cwd: folder.path })
    const files = stdout.trim().split('\n')
    // N16: the product carries its guides and examples.
    const pages = name === product ? ['package/dist/docs/guides/getting-started.md', 'package/dist/examples/kafkajs.ts'] : []
    expect(files).toEqual(expect.arrayContaining(['package/package.json', 'package/README.md', 'package/LICENSE', ...pages]))
    expect(
      files.filter(
        (file) =>
          !/^package\/(dist\/.*\.(c?js|d\.c?ts|txt|html)|dist\/docs\/.*\.md|dist\/examples\/.*\.ts|package\.json|README\.md|LICENSE)$/.test(
            file,
          ),
      ),
    ).toEqual([])
  })

  test.each([product, protocol])('every file that the exports of %s name is there', async (name) => {
    const root = join(app, 'node_modules', name)
    const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly exports: unknown }
    const named = JSON.stringify(exports).match(/"\.\/dist\/[^"]+"/g) ?? []
    expect(named.length).toBeGreaterThan(1)
    for (const file of named) await access(join(root, JSON.parse(file) as string))
  })

  test('names everybody whose code is in the bundle, with a licence', async () => {
    const bundle = join(app, 'node_modules', product, 'dist')
    const notices = await readFile(join(bundle, 'THIRD-PARTY-LICENCES.txt'), 'utf8')
    for (const name of ['fastify', 'pino', 'commander', '@platformatic/kafka', '@platformatic/wasm-utils', 'ajv']) {
      expect(notices).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'))
    }
    expect(notices).not.toContain('(undefined)')
  })
})

describe.each(nodes)('on Node %s', (version) => {
  const seen = { oneLibrary: true, values: { memory: codecs(), directory: codecs() }, endedWithItsTest: 'drained', refused: true }

  test('import and require have one library; servers in memory and in a directory; every codec; HTTP; the client that is in the bundle', async () => {
    const node = await nodeBinary(folder.path, version)
    const { stdout, stderr } = await runAsUser(node, ['everything.mjs'], { cwd: app })
    const result = JSON.parse(stdout) as { readonly node: string }
    expect(result.node).toMatch(version === floor ? new RegExp(`^${floor}$`) : new RegExp(`^${version}\\.`))
    expect(result).toMatchObject({ ...seen, http: { metrics: true, read: codecs() } })
    expect(stderr.replaceAll(/^.*(ExperimentalWarning: SQLite|--trace-warnings).*\n/gm, '')).toBe('')
  })

  test('lks dev serves a produce and a fetch, is there again after a stop, and ends with its log', async () => {
    const node = await nodeBinary(folder.path, version)
    for (const stored of [['key:1'], ['key:1', 'key:2']]) {
      await using server = await startServer({ entry: { node, main: lksOf(app) }, args: ['--dir', join(app, `.lks-dev-${version}`)] })
      if (stored.length === 1) await fetch(`${server.urls.control}/topics`, { method: 'POST', body: '{"name":"letters","partitions":1}' })
      const body = stored.at(-1) ?? ''
      const answer = await fetch(`${server.urls.data}/topics/letters/produce/0`, { method: 'POST', body })
      expect(answer.status).toBe(200)
      const page = await (await fetch(`${server.urls.data}/topics/letters/messages/0?offset=0`)).json()
      const { records } = page as { readonly records: readonly { readonly key: string; readonly value: string }[] }
      expect(records.map(({ key, value }) => `${key}:${value}`)).toEqual(stored)
      const { code, stderr } = await server.stop()
      expect(code).toBe(0)
      expect(stderr).toMatch(/^\{"level":"info".*"msg":"stopping/m)
      expect(stderr).not.toMatch(/Warning/)
    }
  })

  test('the protocol package decodes and answers, imported and required', async () => {
    const node = await nodeBinary(folder.path, version)
    const { stdout } = await runAsUser(node, ['both-ways.mjs'], { cwd: app })
    expect(JSON.parse(stdout)).toEqual({ apis: expect.any(Number), oneLibrary: true })
    const example = await runAsUser(node, ['answer-a-produce.ts'], { cwd: app })
    expect(example.stdout).toMatch(/@102: c = 3\nanswered with/)
  })
})

describe('what is optional', () => {
  test('without the native checksum, the one in plain TypeScript does', async () => {
    const bare = join(folder.path, 'bare')
    await install(bare, [packed.files[product]], ['--omit=optional'])
    expect((await packagesIn(bare)).map(({ name }) => name)).toEqual([product])
    await cp(join(app, 'everything.mjs'), join(bare, 'everything.mjs'))
    const { stdout } = await runAsUser(await nodeBinary(folder.path, '26'), ['everything.mjs'], { cwd: bare })
    expect(JSON.parse(stdout)).toMatchObject({ values: { memory: codecs(), directory: codecs() } })
  })

  const places = [
    { client: '@aws-sdk/client-s3', args: ['--storage', 's3://bucket/prefix'], beyond: 'LKS-3001' },
    { client: 'pg', args: ['--metadata', 'postgres://me:secret@127.0.0.1:1/kafka'], beyond: 'LKS-3101' },
  ] as const

  test.each(places)(
    'without $client, a start that needs it says how to install it; with it, the start goes on',
    async ({ client, args, beyond }) => {
      const other = join(folder.path, client.replaceAll(/\W/g, '-'))
      await install(other, [packed.files[product]])
      const node = await nodeBinary(folder.path, '26')
      const start = async (): Promise<string> => {
        const { stderr } = await endAsUser(node, [lksOf(other), 'dev', ...anyPorts, ...args], {
          cwd: other,
          env: { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1', AWS_ACCESS_KEY_ID: 'me', AWS_SECRET_ACCESS_KEY: 'secret' },
        })
        return stderr
      }
      const missing = await start()
      expect(missing).toMatch(new RegExp(`^error: .* needs the package ${client} \\(LKS-1009\\)$`, 'm'))
      expect(missing).toMatch(new RegExp(`^ {2}fix: npm install ${client}$`, 'm'))
      expect(missing).not.toMatch(/secret|\.cjs/)
      // npm would install it there; the workspace has it already.
      const installed = dirname(createRequire(join(repository, 'packages/agent/package.json')).resolve(`${client}/package.json`))
      await mkdir(dirname(join(other, 'node_modules', client)), { recursive: true })
      await symlink(installed, join(other, 'node_modules', client))
      expect(await start()).toContain(beyond)
    },
  )
})

describe('types', () => {
  const ways = [
    { module: 'nodenext', moduleResolution: 'nodenext', files: ['user.mts', 'user.cts'] },
    { module: 'node16', moduleResolution: 'node16', files: ['user.mts', 'user.cts'] },
    { module: 'esnext', moduleResolution: 'bundler', files: ['user.mts'] },
  ] as const
  const compilers = [
    { typescript: '5.4', nodeTypes: '22' },
    { typescript: '7', nodeTypes: 'latest' },
  ] as const

  test.each(compilers)('of a user with TypeScript $typescript, whatever the module resolution', async ({ typescript, nodeTypes }) => {
    const typed = join(folder.path, `typescript-${typescript}`)
    await install(typed, [...Object.values(packed.files), `typescript@${typescript}`, `@types/node@${nodeTypes}`])
    await cp(join(repository, 'test/e2e/package'), typed, { recursive: true })
    const compile = async (options: object, files: readonly string[]): Promise<void> => {
      const compilerOptions = { noEmit: true, strict: true, skipLibCheck: false, target: 'es2022', lib: ['es2022'], ...options }
      await writeFile(join(typed, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
      const tsc = join(typed, 'node_modules/typescript/bin/tsc')
      const { code, stdout } = await endAsUser(process.execPath, [tsc, '-p', '.'], { cwd: typed })
      expect({ options, files, code, stdout }).toEqual({ options, files, code: 0, stdout: '' })
    }
    for (const { files, ...options } of ways) await compile({ types: ['node'], ...options }, files)
    // The protocol package must work in every runtime.
    for (const { files: _files, ...options } of ways) await compile({ types: [], ...options }, ['protocol-user.mts'])
  })
})

describe('under a test runner', () => {
  let tests: string
  beforeAll(async () => {
    if (!hasRegistry) return
    tests = join(folder.path, 'tests')
    await install(tests, [packed.files[product], 'jest@30', 'vitest@5'])
    for (const file of ['in-jest.test.cjs', 'in-vitest.test.mjs']) await cp(join(app, file), join(tests, file))
  })

  test('Jest requires it, and ends by itself', async () => {
    const jest = join(tests, 'node_modules/jest/bin/jest.js')
    const shared = ['--globalSetup', 'local-kafka-service/jest', '--globalTeardown', 'local-kafka-service/jest/teardown']
    const { stderr } = await runAsUser(await nodeBinary(folder.path, '24'), [jest, '--testMatch', '**/in-jest.test.cjs', ...shared], {
      cwd: tests,
    })
    expect(stderr).toMatch(/Tests: +4 passed, 4 total/)
    expect(stderr).not.toMatch(/did not exit/)
  })

  test('Vitest imports it', async () => {
    const vitest = join(tests, 'node_modules/vitest/vitest.mjs')
    const { stdout } = await runAsUser(await nodeBinary(folder.path, '24'), [vitest, 'run', 'in-vitest.test.mjs'], {
      cwd: tests,
      env: { NO_COLOR: '1' },
    })
    expect(stdout).toMatch(/Tests +5 passed/)
  })
})

describe('the guide for the first five minutes', async () => {
  const blocks = await runningBlocks('docs/guides/getting-started.md')

  test('has its commands for curl and kcat, and a first test', () => {
    expect(blocks.map(({ language }) => language)).toEqual(['sh', 'sh', 'js'])
  })

  // A registry and both programs: at home each is skipped by name where it is missing.
  const commands = hasRegistry ? needs('kcat') : always.skip
  commands('its commands print what it says', async () => {
    await using server = await startServer({ entry: { node: await nodeBinary(folder.path, '26'), main: lksOf(app) }, args: ['--memory'] })
    const script = blocks
      .filter(({ language }) => language === 'sh')
      .map(({ text }) => text)
      .join('')
      .replaceAll('localhost:9092', server.kafka)
      .replaceAll('localhost:8000', server.urls.control)
      .replaceAll('localhost:8123', server.urls.data)
    const { stdout } = await runAsUser('sh', ['-e', '-c', script.replaceAll('curl ', 'curl --silent --show-error --fail ')], { cwd: app })
    expect(stdout).toMatch(/"records":\[\{"partition":0,"offset":0,"timestamp":\d+,"key":"key","value":"value","headers":\[\]\}\],"next":1/)
    expect(stdout).toMatch(/0 key = value\n1 another = from kcat\n$/)
  })

  test('its first test passes', async () => {
    await writeFile(join(app, 'orders.test.mjs'), blocks.at(-1)?.text ?? '')
    const { stdout } = await runAsUser(await nodeBinary(folder.path, floor), ['--test', 'orders.test.mjs'], { cwd: app })
    expect(stdout).toMatch(/^. pass 1$/m)
  })
})

test('npx lks is the command', async () => {
  const node = await nodeBinary(folder.path, '26')
  const path = `${dirname(node)}:${process.env.PATH ?? ''}`
  const { stdout } = await runAsUser('npx', ['--no-install', 'lks', '--version'], { cwd: app, env: { PATH: path } })
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

function codecs(): readonly string[] {
  return ['none', 'gzip', 'snappy', 'lz4', 'zstd']
}

function lksOf(folderOf: string): string {
  return join(folderOf, 'node_modules/local-kafka-service/dist/main.cjs')
}
