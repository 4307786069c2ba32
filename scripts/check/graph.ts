// The import graph of the folders, read from the sources and printed as a table or as a Mermaid diagram; and that of the files.
import { posix } from 'node:path'
import type { Tree } from './check.ts'
import { isTest } from './tree.ts'

/** From folder → to folder → number of importing files. Folders are named `agent/write`, packages without folders `http`. */
export type Graph = ReadonlyMap<string, ReadonlyMap<string, number>>

export function importGraph(tree: Tree): Graph {
  const graph = new Map<string, Map<string, number>>()
  for (const path of tree.sources) {
    const from = folderOf(path)
    if (from === undefined || isTest(path)) continue
    const targets = new Set(importsOf(tree.read(path)).flatMap((specifier) => targetOf(path, specifier) ?? []))
    for (const to of targets) {
      if (to === from) continue
      const row = graph.get(from) ?? new Map<string, number>()
      row.set(to, (row.get(to) ?? 0) + 1)
      graph.set(from, row)
    }
  }
  return graph
}

/** From file → to files, within the repository and by relative imports: packages import one another by name, and the linter checks these arrows. */
export function fileGraph(tree: Tree): ReadonlyMap<string, readonly string[]> {
  const files = new Set(tree.sources)
  return new Map(
    tree.sources.map((path) => {
      const relative = importsOf(tree.read(path)).filter((specifier) => specifier.startsWith('.'))
      return [path, relative.map((specifier) => posix.join(posix.dirname(path), specifier)).filter((to) => files.has(to))]
    }),
  )
}

export function asTable(graph: Graph): string {
  const width = Math.max(...[...graph.keys()].map((name) => name.length))
  return [...graph]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(
      ([from, row]) =>
        `${from.padEnd(width)} → ${[...row]
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([to, files]) => `${to} (${files})`)
          .join(', ')}`,
    )
    .join('\n')
}

export function asMermaid(graph: Graph): string {
  const id = (name: string): string => name.replaceAll(/[^a-z]/g, '_')
  const names = new Set([...graph].flatMap(([from, row]) => [from, ...row.keys()]))
  const edges = [...graph].flatMap(([from, row]) => [...row.keys()].map((to) => `  ${id(from)} --> ${id(to)}`))
  return ['flowchart TD', ...[...names].sort().map((name) => `  ${id(name)}["${name}"]`), ...edges.sort()].join('\n')
}

/** Every specifier that the file imports: static, type-only, re-exported or dynamic. */
function importsOf(source: string): readonly string[] {
  return [...source.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].flatMap(([, specifier]) => specifier ?? [])
}

function targetOf(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return folderOf(posix.join(posix.dirname(path), specifier))
  return /^@local-kafka-service\/([^/]+)/.exec(specifier)?.[1] ?? /^local-kafka-service(?=\/|$)/.exec(specifier)?.[0]
}

/** `agent/write` for a file in a folder of the agent, `agent/agent.ts` for one beside them, the package's name elsewhere. */
function folderOf(path: string): string | undefined {
  const [, packageName, rest] = /^packages\/([^/]+)\/src\/(.+)$/.exec(path) ?? []
  if (packageName === undefined || rest === undefined) return undefined
  return packageName === 'agent' ? `agent/${rest.split('/')[0]}` : packageName
}
