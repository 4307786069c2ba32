// The bundle that is published: the bin, the library and the worker of SQLite, from source; what is installed beside it stays outside.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'rolldown'

const product = fileURLToPath(new URL('packages/local-kafka-service/', import.meta.url))
const { dependencies } = JSON.parse(readFileSync(`${product}package.json`, 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>
}

export default defineConfig({
  input: {
    main: `${product}src/main.ts`,
    index: `${product}src/index.ts`,
    'sqlite-worker': fileURLToPath(new URL('packages/agent/src/metadata/sqlite-worker.ts', import.meta.url)),
  },
  platform: 'node',
  // Workspace packages are read from source, as in development.
  resolve: { conditionNames: ['lks-source', 'node', 'import', 'default'] },
  external: (id) => id.startsWith('node:') || Object.keys(dependencies).some((name) => id === name || id.startsWith(`${name}/`)),
  output: {
    dir: `${product}dist`,
    format: 'esm',
    entryFileNames: '[name].js',
    // Beside the entries: what reads package.json or finds the worker does so from one folder.
    chunkFileNames: '[name].js',
    sourcemap: true,
  },
})
