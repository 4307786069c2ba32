// Docstrings: every export of a published package has one, because its users have nothing else to read in an editor.
import { posix } from 'node:path'
import type { Check, Tree } from './check.ts'
import { entriesOf, surfaces } from './public-surface.ts'

export const documented: Check = {
  name: 'docstrings',
  run: (tree) =>
    surfaces
      .flatMap((surface) => entriesOf(surface, tree))
      .filter((entry) => tree.exists(entry))
      .flatMap((entry) => undocumented(entry, tree)),
}

/** Exported for its test. `entry`: a declaration file written by tsc. */
export function undocumented(entry: string, tree: Tree): readonly string[] {
  const declarations = tree.read(entry)
  const own = [...declarations.matchAll(/^export (?:declare )?(?:abstract )?(?:const|function|class|interface|type) (\w+)/gm)].map(
    ([, name = '']) => ({ file: entry, name }),
  )
  const others = [...declarations.matchAll(/^export (?:type )?\{([^}]*)\} from '(\.[^']+)'/gm)].flatMap(([, names = '', from = '']) =>
    names
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter((name) => name !== '')
      .map((name) => ({ file: posix.join(posix.dirname(entry), from.replace(/\.[jt]s$/, '.d.ts')), name: name.split(' as ')[0] ?? '' })),
  )
  return [...own, ...others]
    .filter(({ file, name }) => !isDocumented(name, tree.read(file)))
    .map(({ file, name }) => `${file}: ${name} is exported from the package and has no docstring`)
}

function isDocumented(name: string, declarations: string): boolean {
  return new RegExp(`\\*/\\n(export |declare |abstract )*(const|function|class|interface|type) ${name}\\b`).test(declarations)
}
