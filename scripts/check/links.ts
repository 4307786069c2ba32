// The documentation's links: a relative link leads to an existing file.
import { posix } from 'node:path'
import type { Check } from './check.ts'

const pages = ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md']
const architectureLines = 250

export const links: Check = {
  name: 'documentation',
  run(tree) {
    const problems: string[] = pages.filter((page) => !tree.exists(page)).map((page) => `${page}: is missing`)
    for (const page of [...pages.filter((name) => tree.exists(name)), ...tree.below('docs', '.md')]) {
      for (const [, target = ''] of tree.read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^(https?:|mailto:|#)/.test(target)) continue
        const path = posix.join(posix.dirname(page), target.replace(/#.*$/, ''))
        if (!tree.exists(path)) problems.push(`${page}: links to ${target}, which does not exist`)
      }
    }
    if (tree.exists('ARCHITECTURE.md') && tree.read('ARCHITECTURE.md').split('\n').length > architectureLines) {
      problems.push(`ARCHITECTURE.md: over ${architectureLines} lines; a stranger should read it in five minutes`)
    }
    return problems
  },
}
