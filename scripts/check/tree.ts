// The repository's files, as the checks see them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Tree } from './check.ts'

const skipped = new Set(['node_modules', 'dist', 'coverage', '.git', '.lks'])
const sourceFolders = ['packages', 'test', 'bench', 'scripts', 'examples']

export function openTree(root = fileURLToPath(new URL('../..', import.meta.url))): Tree {
  const texts = new Map<string, string>()
  const below = (folder: string, ending: string): readonly string[] => walk(root, folder).filter((path) => path.endsWith(ending))
  const topLevel = readdirSync(root).filter((name) => name.endsWith('.ts'))
  return {
    root,
    sources: [...topLevel, ...sourceFolders.flatMap((folder) => [...below(folder, '.ts'), ...below(folder, '.tsx')])]
      .filter((path) => !path.endsWith('.d.ts'))
      .sort(),
    read(path) {
      const text = texts.get(path) ?? readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n')
      texts.set(path, text)
      return text
    },
    exists: (path) => existsSync(join(root, path)),
    below,
  }
}

/** Tests and files that only tests use; the rules for the product's own code do not apply to them. */
export function isTest(path: string): boolean {
  return /\.(test|contract)\.ts$|\/testing\/|^packages\/[^/]+\/(test|examples)\/|^(test|bench|scripts|examples)\//.test(path)
}

function walk(root: string, folder: string): readonly string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : walk(root, path)
    return entry.isFile() ? [path] : []
  })
}
