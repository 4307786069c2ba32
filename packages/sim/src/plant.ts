// Plants a bug: changes the text of the sources as they load, and requires that every place occurs exactly once.
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { PlantedBug, PlantedEdit } from './planted-bug.ts'

const packages = new URL('../../', import.meta.url)

/** The URL of an edit's file; `file` is relative to `packages/`. */
export function urlOf({ file }: PlantedEdit): URL {
  return new URL(file, packages)
}

/** Applies the edit to the text. Throws a RangeError unless the text contains `find` exactly once. */
export function edited(source: string, { file, find, replace }: PlantedEdit): string {
  const found = source.split(find).length - 1
  if (found !== 1) throw new RangeError(`${file}: the text that the bug replaces occurs ${found} times, not once: ${find}`)
  return source.replace(find, () => replace)
}

/** From now on modules load with the bug in them. `complete` throws when one of the files was never loaded. */
export function plant(bug: PlantedBug): { complete(): void } {
  const open = new Map<string, PlantedEdit[]>()
  for (const edit of bug.edits) open.set(urlOf(edit).href, [...(open.get(urlOf(edit).href) ?? []), edit])
  registerHooks({
    load(url, context, nextLoad) {
      const edits = open.get(url)
      if (edits === undefined) return nextLoad(url, context)
      open.delete(url)
      const source = edits.reduce(edited, readFileSync(fileURLToPath(url), 'utf8'))
      return { format: 'module-typescript', source, shortCircuit: true }
    },
  })
  return {
    complete() {
      if (open.size > 0) throw new RangeError(`'${bug.name}' changes files that are never loaded: ${[...open.keys()].join(', ')}`)
    },
  }
}
