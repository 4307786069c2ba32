// The entries of the product's bundle: what its package.json exports, and what runs or is loaded by itself.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const product = fileURLToPath(new URL('../../packages/local-kafka-service/', import.meta.url))

/** `name`: of its files in dist. `source`: an absolute path, or the name of a package. */
export interface Entry {
  readonly name: string
  readonly source: string
}

interface Manifest {
  readonly exports: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

const manifest = JSON.parse(readFileSync(`${product}package.json`, 'utf8')) as Manifest

/** What npm installs beside the product, or its user does: never in the bundle. */
export const outside: readonly string[] = [
  ...Object.keys(manifest.dependencies),
  ...Object.keys(manifest.optionalDependencies),
  ...Object.keys(manifest.peerDependencies),
]

/** Everything that can be imported from the package. `require`: whether it can be required, too; what stands on a library for `import` alone cannot. */
export const exported: readonly (Entry & { readonly require: boolean })[] = Object.entries(manifest.exports).map(
  ([subpath, { 'lks-source': source, require }]) => {
    if (typeof source !== 'string') throw new TypeError(`exports["${subpath}"] of the product has no lks-source`)
    const name = subpath === '.' ? 'index' : subpath.slice(2).replaceAll('/', '-')
    return { name, source: product + source.slice(2), require: require !== undefined }
  },
)

/** The server as a library: what `exports["."]` leads to. */
export const library: Entry = { name: 'library', source: `${product}src/index.ts` }

/** The other exports. Each is a thin module in front of the library, with no server of its own. */
export const fronts = exported.filter(({ source }) => source !== library.source)

/** The bin, and what the product loads by itself when it is wanted: one line each. */
export const inner: readonly Entry[] = [
  { name: 'main', source: `${product}src/main.ts` },
  { name: 'cli', source: `${product}src/command/cli.ts` },
  { name: 'sqlite-worker', source: fileURLToPath(new URL('../../packages/agent/src/metadata/sqlite-worker.ts', import.meta.url)) },
  { name: 'pino', source: 'pino' },
  { name: 'wasm-utils', source: '@platformatic/wasm-utils/bundled' },
  { name: 'kafka-client', source: '@platformatic/kafka' },
]
