// The plugin that puts the console's page into the product, and its libraries into the list of licences.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'rolldown'

const folder = fileURLToPath(new URL('../../packages/console/', import.meta.url))
const page = `${folder}dist/console.html`

/** The folders of the packages whose code is in the page. */
export const inThePage: readonly string[] = Object.keys(
  (JSON.parse(readFileSync(`${folder}package.json`, 'utf8')) as { readonly devDependencies: Readonly<Record<string, string>> })
    .devDependencies,
).map((name) => `${folder}node_modules/${name}`)

export function consolePage(): Plugin {
  return {
    name: 'console page',
    generateBundle() {
      if (!existsSync(page)) throw new Error(`${page} is missing: run pnpm build, which runs scripts/console/build.ts`)
      this.emitFile({ type: 'asset', fileName: 'console.html', source: readFileSync(page, 'utf8') })
    },
  }
}
