// What is published of each package: the same exports as in development, without the condition for the sources, which are not in it.
import type { Check } from './check.ts'
import { surfaces } from './public-surface.ts'

/** pnpm puts `publishConfig.exports` in the place of `exports` when it packs. */
export const published: Check = {
  name: 'published exports',
  run: (tree) =>
    manifests
      .filter((path) => tree.read(path) !== renewed(tree.read(path)))
      .map((path) => `${path}: publishConfig.exports is not exports without lks-source; pnpm check --write makes it`),
}

export const manifests: readonly string[] = surfaces.map(({ folder }) => `${folder}/package.json`)

/** The text of a package.json with what is published taken from its exports. */
export function renewed(text: string): string {
  // The cast: Node and the bundle read the same file, and fail where it is not so.
  const manifest = JSON.parse(text) as {
    readonly exports: Readonly<Record<string, Readonly<Record<string, unknown>>>>
    readonly publishConfig?: object
  }
  const exports = Object.fromEntries(
    Object.entries(manifest.exports).map(([subpath, { 'lks-source': _source, ...conditions }]) => [subpath, conditions]),
  )
  return `${JSON.stringify({ ...manifest, publishConfig: { ...manifest.publishConfig, exports } }, undefined, 2)}\n`
}
