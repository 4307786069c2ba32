// The plugin that lists the third-party packages in the bundle, with their licences.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plugin } from 'rolldown'

/** Writes `THIRD-PARTY-LICENCES.txt`. Fails if it does not find a package's licence. `more`: folders of packages that are in no chunk. */
export function licences(more: readonly string[]): Plugin {
  return {
    name: 'licences',
    generateBundle(_options, bundle) {
      const folders = new Set<string>(more)
      for (const file of Object.values(bundle)) {
        if (file.type !== 'chunk') continue
        for (const id of file.moduleIds) if (id.includes('/node_modules/')) folders.add(packageFolder(id))
      }
      const notices = new Set([...folders].map(notice))
      this.emitFile({
        type: 'asset',
        fileName: 'THIRD-PARTY-LICENCES.txt',
        source: [...notices].toSorted().join(`\n${'-'.repeat(80)}\n\n`),
      })
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
  const files = readdirSync(folder).filter((entry) => /^(licen[cs]e|notice)/i.test(entry))
  if (files.length === 0) console.warn(`${String(name)} has no licence file, only the word ${String(license)}`)
  return `${String(name)} ${String(version)} (${String(license)})\n\n${files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')}`
}

function manifest(folder: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Readonly<Record<string, unknown>>
}
