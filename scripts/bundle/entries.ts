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

/** What can be imported from the package: an export with a `require` condition is for both kinds of modules, one without for `import` alone. */
const exported = Object.entries(manifest.exports).map(([subpath, { 'lks-source': source, require }]) => {
  if (typeof source !== 'string') throw new TypeError(`exports["${subpath}"] of the product has no lks-source`)
  return {
    name: subpath === '.' ? 'index' : subpath.slice(2).replaceAll('/', '-'),
    source: product + source.slice(2),
    both: require !== undefined,
  }
})

/** Exported, for `import` and `require` alike. */
export const libraries: readonly Entry[] = exported.filter(({ both }) => both)

/** Exported for `import` alone. Each is a thin module in front of the libraries. */
export const modules: readonly Entry[] = exported.filter(({ both }) => !both)

/** The bin, and what the product loads by itself when it is wanted: one line each. */
export const inner: readonly Entry[] = [
  { name: 'main', source: `${product}src/main.ts` },
  { name: 'cli', source: `${product}src/command/cli.ts` },
  { name: 'sqlite-worker', source: fileURLToPath(new URL('../../packages/agent/src/metadata/sqlite-worker.ts', import.meta.url)) },
  { name: 'pino', source: 'pino' },
  { name: 'wasm-utils', source: '@platformatic/wasm-utils/bundled' },
  { name: 'kafka-client', source: '@platformatic/kafka' },
]
