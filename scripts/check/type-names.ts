// One name, one meaning: each type at the top level of the packages' sources has a name that no other file gives to a type.
import type { Check, Tree } from './check.ts'
import { isTest } from './tree.ts'
import { type TypeNameException, typeNameExceptions } from './type-name-exceptions.ts'

export const typeNames: Check = { name: 'type names', run: (tree) => typeNameProblems(tree) }

/** Exported for its test. */
export function typeNameProblems(tree: Tree, exceptions: readonly TypeNameException[] = typeNameExceptions): readonly string[] {
  const repeated = repeatedNames(tree)
  const allowed = new Set(exceptions.map(({ name }) => name))
  const stale = [...allowed].filter((name) => !repeated.has(name))
  return [
    ...[...repeated].flatMap(([name, paths]) =>
      allowed.has(name) ? [] : [`${paths.join(', ')}: the type ${name} is defined more than once; give each meaning its own name`],
    ),
    ...stale.map((name) => `scripts/check/type-name-exceptions.ts: ${name} is not defined more than once; delete its entry`),
  ]
}

/** By name: the files that define it, if they are several. */
function repeatedNames(tree: Tree): ReadonlyMap<string, readonly string[]> {
  const files = new Map<string, Set<string>>()
  for (const path of tree.sources) {
    if (!/^packages\/[^/]+\/src\//.test(path) || isTest(path)) continue
    for (const [, name = ''] of tree.read(path).matchAll(definition)) {
      // The console runs in a browser and imports nothing of the other packages: its names are a world of their own.
      const key = path.startsWith('packages/console/') ? `${name} of the console` : name
      files.set(key, (files.get(key) ?? new Set()).add(path))
    }
  }
  return new Map([...files].filter(([, paths]) => paths.size > 1).map(([name, paths]) => [name, [...paths]] as const))
}

/** The formatter indents what is not at the top level. */
const definition = /^(?:export )?(?:declare )?(?:abstract )?(?:interface|type|class) (\w+)/gm
