// The linter's configuration: which folder may import which, and which words may stand where (DESIGN: packages and what may import what).
import { defineConfig, type OxlintOverride } from 'oxlint'

type Rules = NonNullable<OxlintOverride['rules']>
interface Pattern {
  readonly group?: string[]
  readonly regex?: string
  readonly message: string
  readonly allowTypeImports?: boolean
}

/**
 * A folder of packages/agent/src and the folders that it may import. What is not listed is forbidden; an arrow may skip, folders of one brace never import one another:
 * net → api → operations → {write, read, coordinate, upkeep, membership} → {flush, view} → {objects, metadata} → core → protocol.
 */
export const arrows: Record<string, readonly string[]> = {
  net: ['api', 'operations', 'write', 'read', 'coordinate', 'upkeep', 'membership', 'flush', 'view', 'objects', 'metadata', 'core'],
  api: ['operations', 'write', 'read', 'coordinate', 'upkeep', 'membership', 'flush', 'view', 'objects', 'metadata', 'core'],
  operations: ['write', 'read', 'coordinate', 'upkeep', 'membership', 'flush', 'view', 'objects', 'metadata', 'core'],
  write: ['flush', 'view', 'objects', 'metadata', 'core'],
  read: ['flush', 'view', 'objects', 'metadata', 'core'],
  coordinate: ['flush', 'view', 'objects', 'metadata', 'core'],
  upkeep: ['flush', 'view', 'objects', 'metadata', 'core'],
  membership: ['flush', 'view', 'objects', 'metadata', 'core'],
  flush: ['objects', 'metadata', 'core'],
  view: ['objects', 'metadata', 'core'],
  objects: ['core'],
  metadata: ['core'],
  core: [],
  time: [],
  observe: ['core'],
  memory: ['core'],
}

/** Files beside the folders, and the folders that may import them. limits.ts is for all. */
const rootFiles: Record<string, readonly string[]> = {
  'agent.ts': [],
  'lifecycle.ts': [],
  'health.ts': [],
  'parts.ts': [],
  'copies.ts': [],
  'promotion.ts': [],
  'index.ts': [],
  'codecs.ts': [],
  'codec-worker.ts': [],
  'compaction-worker.ts': [],
  'optional-package.ts': [],
  'services.ts': ['net', 'api'],
  'settings.ts': ['net', 'api', 'operations', 'write'],
}

/** Open to every folder but core. */
const everywhere = ['time', 'observe', 'memory']

/** What stands behind a port. Only parts.ts, copies.ts and promotion.ts name these; their own folder may build one from another. */
const implementations: Record<string, readonly string[]> = {
  net: ['net/tcp.ts'],
  time: ['time/system-clock.ts', 'time/real-globals.ts'],
  objects: [
    'objects/adapters/memory.ts',
    'objects/adapters/directory.ts',
    'objects/adapters/s3.ts',
    'objects/wrappers/shared.ts',
    'objects/adapters/layered.ts',
    'objects/adapters/snapshot-objects.ts',
  ],
  metadata: [
    'metadata/sqlite.ts',
    'metadata/sqlite-client.ts',
    'metadata/sqlite-in-turn.ts',
    'metadata/sqlite-worker.ts',
    'metadata/postgres.ts',
    'metadata/snapshot.ts',
    'metadata/open.ts',
  ],
}

/** A package and the packages that it may import: protocol ◄ agent ◄ http ◄ the product ◄ cli; sim imports the agent. */
export const packageArrows: Record<string, readonly string[]> = {
  protocol: [],
  agent: ['@local-kafka-service/protocol'],
  http: ['@local-kafka-service/agent', '@local-kafka-service/protocol'],
  sim: ['@local-kafka-service/agent', '@local-kafka-service/protocol'],
  'local-kafka-service': ['@local-kafka-service/http', '@local-kafka-service/agent', '@local-kafka-service/protocol'],
  cli: ['local-kafka-service', '@local-kafka-service/agent', '@local-kafka-service/protocol'],
}

const tests = [
  '**/*.test.ts',
  '**/*.contract.ts',
  '**/testing/**',
  'packages/*/test/**',
  'test/**',
  'bench/**',
  'scripts/**',
  'examples/**',
  'packages/*/examples/**',
]

// ---- imports ------------------------------------------------------------------------------------------------------------------------

const timerModules: Pattern = {
  regex: '^(node:)?(timers|timers/promises|perf_hooks)$',
  message: 'Time comes from the Clock that was handed in (time/clock.ts).',
}
const chanceNames = [
  'default',
  'randomBytes',
  'randomFill',
  'randomFillSync',
  'randomInt',
  'randomUUID',
  'getRandomValues',
  'pseudoRandomBytes',
  'webcrypto',
  'subtle',
]
const chance = {
  importNames: chanceNames,
  message: 'Chance comes from the Random that was handed in (time/clock.ts); name the hash functions that you need.',
}
const chanceModules = [
  { name: 'node:crypto', ...chance },
  { name: 'crypto', ...chance },
]
const processModule: Pattern = {
  regex: '^(node:)?process$',
  message: 'An agent is embeddable: argv, environment, signals and exits belong to the product package.',
}
const startingPrograms = [
  {
    name: 'node:child_process',
    importNames: ['spawn', 'exec', 'execFile', 'fork'],
    message: 'packages/sim/src/program.ts starts programs: it reports both outputs, and ends the process by its id.',
  },
]
const nodeModules: Pattern = { regex: '^node:', message: 'This code is pure: no module of Node.' }
const emitters: Pattern = { regex: '^(node:)?events$', message: 'Events are async iterables or one callback, no EventEmitter.' }

const embedded: Pattern = {
  group: ['**/embedded/**'],
  message: 'A server of the command has no faults and nothing else that belongs to a Kafka inside a test.',
}
const commands: Pattern = { group: ['**/command/**'], message: 'cluster/ knows no command: the commands import it.' }

/** Imports that leave a package other than by the name of one that it may import. */
function packagePatterns(name: string): readonly Pattern[] {
  const allowed = packageArrows[name] ?? []
  const forbidden = ['protocol', 'agent', 'http', 'sim', 'cli', 'console'].filter(
    (other) => !allowed.includes(`@local-kafka-service/${other}`),
  )
  return [
    {
      regex: `^@local-kafka-service/(${forbidden.join('|')})(/|$)`,
      message: `${name} may import ${allowed.join(', ') || 'no other package'} only.`,
    },
    ...(allowed.includes('local-kafka-service')
      ? []
      : [{ regex: '^local-kafka-service(/|$)', message: 'Only the commands import the product.' }]),
    {
      regex: '^(\\.\\./)+(packages/)?(protocol|agent|http|sim|local-kafka-service|cli|console)/',
      message: 'Another package is imported by its name.',
    },
  ]
}

/** What a folder of the agent (or '' for a file beside them) must not import. */
function folderPatterns(folder: string): readonly Pattern[] {
  const allowed = [folder, ...(arrows[folder] ?? []), ...(folder === 'core' ? [] : everywhere)]
  const forbidden = Object.keys(arrows).filter((other) => !allowed.includes(other))
  const files = Object.keys(rootFiles).filter((file) => !rootFiles[file]?.includes(folder))
  const behindPorts = Object.entries(implementations).flatMap(([home, paths]) => (home === folder ? [] : paths))
  const to = (paths: readonly string[]): string[] => paths.map((path) => `**/${path}`)
  return [
    {
      group: to(forbidden.flatMap((other) => [`${other}/**`, `${other}.ts`])),
      message: `${folder} may import ${arrows[folder]?.join(', ') || 'protocol'} only.`,
    },
    {
      group: to(files).map((path) => path.replace('**/', '../')),
      message: 'A file beside the folders; the table rootFiles says who may import it.',
    },
    { group: to(behindPorts), message: 'An implementation: only parts.ts names it. Import the port.' },
    {
      group: ['node:sqlite', 'pg', '@aws-sdk/*', '@aws-sdk/**'].filter((name) => !owns(folder, name)),
      message: 'A driver is imported by its adapter only.',
    },
  ]
}

function owns(folder: string, driver: string): boolean {
  if (driver === 'node:sqlite') return folder === 'objects' || folder === 'metadata'
  return driver.startsWith('@aws-sdk') ? folder === 'objects' : folder === 'metadata'
}

/** `no-restricted-imports` is replaced by a later override, never merged: so one place composes it. */
function imports(...patterns: readonly Pattern[]): Rules {
  const used = patterns.filter(({ group }) => group === undefined || group.length > 0)
  return { 'no-restricted-imports': ['error', { paths: chanceModules, patterns: [...used, timerModules, processModule, emitters] }] }
}

const agentFolders: OxlintOverride[] = Object.keys(arrows).map((folder) => ({
  files: [`packages/agent/src/${folder}/**`, `packages/agent/src/${folder}.ts`],
  rules: imports(...packagePatterns('agent'), ...folderPatterns(folder), ...(folder === 'core' ? [nodeModules] : [])),
}))

const allImplementations = Object.values(implementations).flatMap((paths) => paths.map((path) => `**/${path}`))

// ---- words --------------------------------------------------------------------------------------------------------------------------

const timeWords = [
  'Date',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'crypto',
]
const processWords = [
  'env',
  'argv',
  'execArgv',
  'exit',
  'exitCode',
  'abort',
  'kill',
  'on',
  'once',
  'addListener',
  'hrtime',
  'uptime',
  'nextTick',
]

function globals(...words: readonly string[]): Rules {
  return {
    'no-restricted-globals': [
      'error',
      ...words.map((name) => ({ name, message: 'Not here: see oxlint.config.ts for where it may stand.' })),
    ],
  }
}

function properties(of: { readonly time: boolean }): Rules {
  const time = [
    { object: 'AbortSignal', property: 'timeout', message: 'Time comes from the Clock that was handed in.' },
    { object: 'Math', property: 'random', message: 'Chance comes from the Random that was handed in.' },
    ...timeWords.map((property) => ({ object: 'globalThis', property, message: 'Time and chance are handed in.' })),
  ]
  const ofProcess = processWords.map((property) => ({
    object: 'process',
    property,
    message: 'Only the product package reads argv and environment, takes signals and exits.',
  }))
  return { 'no-restricted-properties': ['error', ...(of.time ? time : []), ...ofProcess] }
}

const off: Rules = { 'no-restricted-imports': 'off', 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' }

export default defineConfig({
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import'],
  categories: { correctness: 'error' },
  // The NestJS example and the programs of a user are packages of their own, whose types are not installed here; their compilers run in test/e2e.
  ignorePatterns: [
    '**/dist/**',
    '**/coverage/**',
    'packages/local-kafka-service/types/**',
    'docs/reference/**',
    'examples/nestjs/**',
    'test/e2e/package/**',
  ],
  rules: {
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': ['error', { checksVoidReturn: false }],
    'typescript/await-thenable': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false }],
    'typescript/no-require-imports': 'error',
    'typescript/consistent-type-imports': ['error', { disallowTypeAnnotations: false, fixStyle: 'inline-type-imports' }],
    'unicorn/prefer-node-protocol': 'error',
    'import/no-default-export': 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    eqeqeq: ['error', 'always', { null: 'ignore' }],
    'no-console': 'error',
    'no-useless-catch': 'error',
    'no-empty': 'error',
    'unicorn/no-new-array': 'off',
  },
  overrides: [
    // Time, chance and the process: handed in, for an agent is embeddable and its tests are virtual.
    {
      files: ['packages/{agent,http}/src/**'],
      rules: { ...globals(...timeWords), ...properties({ time: true }) },
    },
    { files: ['packages/sim/src/**'], rules: properties({ time: false }) },
    // What is pure says so: the protocol runs anywhere, core has no clock, no chance and no Node.
    {
      files: ['packages/protocol/src/**', 'packages/agent/src/core/**'],
      rules: { ...globals(...timeWords, 'Buffer', 'process'), ...properties({ time: true }) },
    },
    // Packages.
    { files: ['packages/protocol/src/**'], rules: imports(...packagePatterns('protocol'), nodeModules) },
    { files: ['packages/http/src/**'], rules: imports(...packagePatterns('http')) },
    {
      files: ['packages/sim/src/**'],
      rules: { 'no-restricted-imports': ['error', { paths: startingPrograms, patterns: [...packagePatterns('sim'), emitters] }] },
    },
    {
      files: ['packages/sim/src/program.ts'],
      rules: { 'no-restricted-imports': ['error', { patterns: [...packagePatterns('sim'), emitters] }] },
    },
    {
      files: ['packages/local-kafka-service/src/**'],
      rules: { 'no-restricted-imports': ['error', { patterns: [...packagePatterns('local-kafka-service'), emitters] }] },
    },
    {
      files: ['packages/local-kafka-service/src/server/**'],
      rules: { 'no-restricted-imports': ['error', { patterns: [...packagePatterns('local-kafka-service'), emitters, embedded] }] },
    },
    {
      files: ['packages/cli/src/**'],
      rules: { 'no-restricted-imports': ['error', { patterns: [...packagePatterns('cli'), emitters, embedded] }] },
    },
    {
      files: ['packages/cli/src/cluster/**'],
      rules: { 'no-restricted-imports': ['error', { patterns: [...packagePatterns('cli'), emitters, embedded, commands] }] },
    },
    // Folders of the agent, then the files beside them.
    ...agentFolders,
    {
      files: ['packages/agent/src/{agent,lifecycle,health,index,limits,settings,services,codecs,optional-package}.ts'],
      rules: imports(...packagePatterns('agent'), {
        group: allImplementations,
        message: 'An implementation: only parts.ts names it. Import the port.',
      }),
    },
    {
      files: ['packages/agent/src/{limits,settings}.ts'],
      rules: imports(...packagePatterns('agent'), { regex: '^\\.', message: 'Plain data: it imports nothing of the agent.' }),
    },
    {
      files: ['packages/agent/src/services.ts'],
      rules: imports(...packagePatterns('agent'), { regex: '.', allowTypeImports: true, message: 'services.ts is types only.' }),
    },
    { files: ['packages/agent/src/{parts,copies,promotion}.ts'], rules: imports(...packagePatterns('agent')) },
    // Where the words may stand.
    { files: ['packages/agent/src/time/{system-clock,real-globals}.ts'], rules: off },
    // Writes a given instant as text and reads no clock.
    { files: ['packages/http/src/iso-time.ts'], rules: { 'no-restricted-globals': 'off' } },
    {
      files: ['packages/sim/src/{main,program}.ts', 'packages/{local-kafka-service,cli}/src/**', 'scripts/**', 'bench/**', 'examples/**'],
      rules: { 'no-console': 'off', 'no-restricted-properties': 'off' },
    },
    { files: ['*.config.ts'], rules: { 'import/no-default-export': 'off' } },
    // CommonJS, as its users write it.
    { files: ['examples/jest/**', '**/*.cjs', '**/*.cts'], rules: { 'typescript/no-require-imports': 'off' } },
    // Jest takes a module's default.
    { files: ['packages/local-kafka-service/src/runners/{jest,jest-teardown}.ts'], rules: { 'import/no-default-export': 'off' } },
    { files: tests, rules: { ...off, 'no-console': 'off' } },
    { files: ['test/**', 'bench/**'], rules: { 'no-restricted-imports': ['error', { paths: startingPrograms }] } },
  ],
})
