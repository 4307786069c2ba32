// The entries of the product's bundle: the exports of its package.json, and the files that run or load on their own.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { publicExports } from './public-exports.ts'

export const product = fileURLToPath(new URL('../../packages/local-kafka-service/', import.meta.url))
const cli = fileURLToPath(new URL('../../packages/cli/', import.meta.url))

/** `name`: the name of its files in dist. `source`: an absolute path, or the name of a package. */
export interface BundleEntry {
  readonly name: string
  readonly source: string
}

interface ProductManifest {
  readonly exports: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

const manifest = JSON.parse(readFileSync(`${product}package.json`, 'utf8')) as ProductManifest

/** Packages that npm or the user installs beside the product; the bundle never contains them. */
export const outside: readonly string[] = [
  ...Object.keys(manifest.dependencies),
  ...Object.keys(manifest.optionalDependencies),
  ...Object.keys(manifest.peerDependencies),
]

/** Everything that can be imported from the package. `require`: whether it can be required, too; an entry that needs an import-only library cannot. */
export const exported: readonly (BundleEntry & { readonly require: boolean })[] = publicExports(manifest.exports).map(
  ([subpath, { 'lks-source': source, require }]) => {
    if (typeof source !== 'string') throw new TypeError(`exports["${subpath}"] of the product has no lks-source`)
    const name = subpath === '.' ? 'index' : subpath.slice(2).replaceAll('/', '-')
    return { name, source: product + source.slice(2), require: require !== undefined }
  },
)

/** The server as a library: the target of `exports["."]`. */
export const library: BundleEntry = { name: 'library', source: `${product}src/index.ts` }

/** The other exports. Each is a thin module that imports the library and contains no second server. */
export const fronts = exported.filter(({ source }) => source !== library.source)

/** The bin, and the files that the product loads on demand, one per line. */
export const inner: readonly BundleEntry[] = [
  { name: 'main', source: `${cli}src/main.ts` },
  { name: 'cli', source: `${cli}src/command/cli.ts` },
  { name: 'sqlite-worker', source: fileURLToPath(new URL('../../packages/agent/src/metadata/sqlite-worker.ts', import.meta.url)) },
  { name: 'codec-worker', source: fileURLToPath(new URL('../../packages/agent/src/codec-worker.ts', import.meta.url)) },
  { name: 'compaction-worker', source: fileURLToPath(new URL('../../packages/agent/src/compaction-worker.ts', import.meta.url)) },
  { name: 'pino', source: 'pino' },
  { name: 'wasm-utils', source: '@platformatic/wasm-utils/bundled' },
  { name: 'kafka-client', source: '@platformatic/kafka' },
]
