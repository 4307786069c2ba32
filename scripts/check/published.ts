// The published exports of each package: the same as in development, without the condition for the sources and the exports that have only sources, which are not published.
import { publicExports } from '../bundle/public-exports.ts'
import type { Check } from './check.ts'
import { surfaces } from './public-surface.ts'

/** pnpm puts `publishConfig.exports` in the place of `exports` when it packs. */
export const published: Check = {
  name: 'published exports',
  run: (tree) =>
    manifests
      .filter((path) => tree.read(path) !== renewed(tree.read(path)))
      .map((path) => `${path}: publishConfig.exports does not equal exports without lks-source; pnpm check --write renews it`),
}

export const manifests: readonly string[] = surfaces.map(({ folder }) => `${folder}/package.json`)

/** The text of a package.json with the published exports derived from its exports. */
export function renewed(text: string): string {
  // The cast is safe because Node and the bundle read the same file, and fail if it has another form.
  const manifest = JSON.parse(text) as {
    readonly exports: Readonly<Record<string, Readonly<Record<string, unknown>>>>
    readonly publishConfig?: object
  }
  const exports = Object.fromEntries(
    publicExports(manifest.exports).map(([subpath, { 'lks-source': _source, ...conditions }]) => [subpath, conditions]),
  )
  return `${JSON.stringify({ ...manifest, publishConfig: { ...manifest.publishConfig, exports } }, undefined, 2)}\n`
}
