// The bundle that is published. The code is CommonJS, once, for the command and for a library that is imported or required; in front of it are thin modules.
import { fileURLToPath } from 'node:url'
import { defineConfig, type RolldownOptions } from 'rolldown'
import { consolePage, inThePage } from './scripts/bundle/console-page.ts'
import { declarations } from './scripts/bundle/declarations.ts'
import { type BundleEntry, fronts, inner, library, outside, product } from './scripts/bundle/entries.ts'
import { libraryFronts, throughTheLibrary } from './scripts/bundle/fronts.ts'
import { licences } from './scripts/bundle/licences.ts'
import { noCommandFiles, startsCommandFiles } from './scripts/bundle/no-command-files.ts'
import { portBeforeAgent } from './scripts/bundle/port-before-agent.ts'

const realGlobals = fileURLToPath(new URL('packages/agent/src/time/real-globals.ts', import.meta.url))

const shared: RolldownOptions = {
  // From where the names of packages are looked up.
  cwd: product,
  platform: 'node',
  // Workspace packages are read from source, as in development.
  resolve: {
    conditionNames: ['lks-source', 'node', 'import', 'default'],
    // The same code with its WebAssembly inside, where the other one reads a file.
    alias: { '@platformatic/wasm-utils': '@platformatic/wasm-utils/bundled' },
  },
  external: (id: string, importer: string | undefined) =>
    (id.startsWith('node:') && !startsCommandFiles(id, importer)) ||
    id.startsWith('#') ||
    outside.some((name) => id === name || id.startsWith(`${name}/`)),
  transform: {
    target: 'node22.19',
    // A test may fake these while the server runs: everything here, libraries too, has them as they were when the package was loaded.
    inject: Object.fromEntries(
      [
        'setTimeout',
        'clearTimeout',
        'setInterval',
        'clearInterval',
        'setImmediate',
        'clearImmediate',
        'queueMicrotask',
        'process.nextTick',
      ].map((name) => [name, [realGlobals, name.replace('process.', '')]]),
    ),
  },
  // No module of ours does anything when it is loaded: what a chunk does not use is not loaded with it.
  treeshake: { moduleSideEffects: (id) => !/\/packages\/(agent|protocol|http)\/src\//.test(id) },
}

/** As main.ts has it for the first thread: an old Node's warning that SQLite is experimental there would stand above the first screen. */
const quietAboutSqlite = `const { emitWarning } = process
process.emitWarning = (warning, ...rest) => {
  if (!String(warning).includes('SQLite')) Reflect.apply(emitWarning, process, [warning, ...rest])
}`

export default defineConfig([
  {
    ...shared,
    input: inputOf([library, ...inner]),
    plugins: [libraryFronts(), declarations(), licences(inThePage), consolePage(), noCommandFiles(), portBeforeAgent()],
    output: {
      dir: `${product}dist`,
      cleanDir: true,
      format: 'cjs',
      entryFileNames: '[name].cjs',
      banner: ({ name }) => (name === 'sqlite-worker' ? quietAboutSqlite : ''),
      // Beside the entries: what reads package.json or finds the worker does so from one folder.
      chunkFileNames: '[name].cjs',
      // Loaded as what is around it, by require.
      dynamicImportInCjs: false,
      codeSplitting: {
        groups: [
          // Every command uses it. Without a group it is in the next chunk, which most commands do not need.
          { name: 'native-error', test: /\/agent\/src\/native-error\.ts$/ },
          // What `lks dev` needs of the agent until the port is open. The rest is loaded after that; the plugin portBeforeAgent checks it.
          {
            name: 'port',
            test: /\/agent\/src\/(settings|limits|store-prices|net\/(held-port|held-tcp-port|tcp)|objects\/adapters\/make-folder|time\/or-late)\.ts$/,
          },
        ],
      },
    },
  },
  ...frontsAs('js'),
  ...frontsAs('cjs'),
])

function frontsAs(extension: 'js' | 'cjs'): RolldownOptions[] {
  const entries = fronts.filter(({ require }) => extension === 'js' || require)
  if (entries.length === 0) return []
  const fileNames = { entryFileNames: `[name].${extension}`, chunkFileNames: `[name].${extension}` }
  return [
    {
      ...shared,
      input: inputOf(entries),
      plugins: [throughTheLibrary(extension)],
      output: { dir: `${product}dist`, format: extension === 'js' ? 'esm' : 'cjs', ...fileNames },
    },
  ]
}

function inputOf(entries: readonly BundleEntry[]): Record<string, string> {
  return Object.fromEntries(entries.map(({ name, source }) => [name, source]))
}
