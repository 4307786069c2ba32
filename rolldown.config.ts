// The bundle that is published: the bin, the library and the worker of SQLite, from source, with the libraries that every start loads; the others stay outside.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'rolldown'

const product = fileURLToPath(new URL('packages/local-kafka-service/', import.meta.url))
const { dependencies } = JSON.parse(readFileSync(`${product}package.json`, 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>
}

/** Found and read file by file they were a third of a start's time. */
const bundled = ['commander', 'fastify']
const outside = Object.keys(dependencies).filter((name) => !bundled.includes(name))

export default defineConfig({
  input: {
    main: `${product}src/main.ts`,
    index: `${product}src/index.ts`,
    'sqlite-worker': fileURLToPath(new URL('packages/agent/src/metadata/sqlite-worker.ts', import.meta.url)),
  },
  platform: 'node',
  // Workspace packages are read from source, as in development.
  resolve: { conditionNames: ['lks-source', 'node', 'import', 'default'] },
  external: (id) => id.startsWith('node:') || outside.some((name) => id === name || id.startsWith(`${name}/`)),
  plugins: [licences()],
  output: {
    dir: `${product}dist`,
    format: 'esm',
    entryFileNames: '[name].js',
    // Beside the entries: what reads package.json or finds the worker does so from one folder.
    chunkFileNames: '[name].js',
    sourcemap: true,
  },
})

/** Whose code is in the bundle, with the licences that ask to go with it. */
function licences(): Plugin {
  return {
    name: 'licences',
    generateBundle(_options, bundle) {
      const folders = new Set<string>()
      for (const file of Object.values(bundle)) {
        if (file.type !== 'chunk') continue
        for (const id of file.moduleIds) if (id.includes('/node_modules/')) folders.add(packageFolder(id))
      }
      const notices = [...folders].map(notice).toSorted()
      this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY-LICENCES.txt', source: notices.join(`\n${'-'.repeat(80)}\n\n`) })
    },
  }
}

function packageFolder(file: string): string {
  let folder = dirname(file)
  while (!existsSync(join(folder, 'package.json')) || !('version' in manifest(folder))) folder = dirname(folder)
  return folder
}

function notice(folder: string): string {
  const { name, version, license } = manifest(folder)
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  return `${String(name)} ${String(version)} (${String(license)})\n\n${file === undefined ? '' : readFileSync(join(folder, file), 'utf8')}`
}

function manifest(folder: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Readonly<Record<string, unknown>>
}
