// The bundle that is published. The code is CommonJS, once, for `require`, for Jest and for the command; in front of it stand thin modules for `import`.
import { defineConfig, type Plugin, type RolldownOptions } from 'rolldown'
import { declarations } from './scripts/bundle/declarations.ts'
import { inner, libraries, modules, outside, product } from './scripts/bundle/entries.ts'
import { licences } from './scripts/bundle/licences.ts'

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
  transform: { target: 'node22.19' },
}

/** Each is a thin file; the code behind them is in the other bundle. */
const forImportAlone: RolldownOptions = {
  ...shared,
  input: inputOf(modules),
  plugins: [throughTheLibraries()],
  output: { dir: `${product}dist`, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name].js' },
}

export default defineConfig([
  {
    ...shared,
    input: inputOf([...libraries, ...inner]),
    plugins: [moduleFronts(), declarations(), licences(), noCommandFiles()],
    output: {
      dir: `${product}dist`,
      cleanDir: true,
      format: 'cjs',
      entryFileNames: '[name].cjs',
      // Beside the entries: what reads package.json or finds the worker does so from one folder.
      chunkFileNames: '[name].cjs',
      // Jest has no `import()` for what is required: S3 and PostgreSQL clients are loaded by `require` too.
      dynamicImportInCjs: false,
    },
  },
  ...(modules.length > 0 ? [forImportAlone] : []),
])

function inputOf(entries: readonly { readonly name: string; readonly source: string }[]): Record<string, string> {
  return Object.fromEntries(entries.map(({ name, source }) => [name, source]))
}

/** `index.js` in front of `index.cjs`: whoever imports and whoever requires have the same classes and the same servers. */
function moduleFronts(): Plugin {
  return {
    name: 'module fronts',
    generateBundle(_options, bundle) {
      for (const { name } of libraries) {
        const chunk = bundle[`${name}.cjs`]
        if (chunk?.type !== 'chunk') throw new Error(`${name}.cjs was not built`)
        this.emitFile({ type: 'asset', fileName: `${name}.js`, source: `export { ${chunk.exports.join(', ')} } from './${name}.cjs'\n` })
      }
    },
  }
}

/** A module that would bring its own copy of the server is refused: it reaches everything through an entry of the CommonJS build. */
function throughTheLibraries(): Plugin {
  const files = new Map([
    ...inner.map(({ name, source }) => [source, `./${name}.cjs`] as const),
    ...libraries.map(({ name, source }) => [source, `./${name}.js`] as const),
  ])
  return {
    name: 'through the libraries',
    async resolveId(source, importer) {
      const resolved = importer === undefined ? null : await this.resolve(source, importer, { skipSelf: true })
      const id = resolved === null ? undefined : files.get(resolved.id)
      return id === undefined ? resolved : { id, external: true }
    },
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        const foreign =
          file.type === 'chunk' ? file.moduleIds.find((id) => !id.startsWith(`${product}src/`) && !id.startsWith('\0')) : undefined
        if (foreign !== undefined) throw new Error(`${file.fileName} contains ${foreign}: an entry for import alone must be thin`)
      }
    },
  }
}

/** Commander can run a command that is a file of its own. None of ours is, and to load what starts processes takes as long as to read the command line. */
function noCommandFiles(): Plugin {
  const id = '\0no-command-files'
  return {
    name: 'no command files',
    resolveId: (source, importer) => (startsCommandFiles(source, importer) ? id : null),
    load: (asked) =>
      asked === id ? `export default { spawn() { throw new Error('no command of Local Kafka Service is a file of its own') } }` : null,
  }
}

function startsCommandFiles(id: string, importer: string | undefined): boolean {
  return id === 'node:child_process' && importer?.includes('/commander/') === true
}
