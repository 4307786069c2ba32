// The client libraries that users install themselves: whether one is present, and new enough.
import { createRequire } from 'node:module'
import { isError } from './native-error.ts'

/** Older versions lack features that the adapters use: a time-out that is an error, a pipeline. */
export const oldestVersions = { '@aws-sdk/client-s3': '3.1175.0', pg: '8.23.1' } as const

export type OptionalPackage = keyof typeof oldestVersions

export type Presence = { readonly kind: 'usable' } | { readonly kind: 'missing' } | { readonly kind: 'too old'; readonly version: string }

/** Reads the package's own package.json through `load`; imports nothing. */
export function presenceOf(name: OptionalPackage, load: (id: string) => unknown = createRequire(import.meta.url)): Presence {
  let manifest: unknown
  try {
    manifest = load(`${name}/package.json`)
  } catch (error) {
    if (isError(error) && 'code' in error && error.code === 'MODULE_NOT_FOUND') return { kind: 'missing' }
    throw error
  }
  // The cast: npm installs no package without a version.
  const { version } = manifest as { readonly version: string }
  return isOlder(version, oldestVersions[name]) ? { kind: 'too old', version } : { kind: 'usable' }
}

function isOlder(version: string, than: string): boolean {
  const [left, right] = [numbersOf(version), numbersOf(than)]
  const at = right.findIndex((number, index) => number !== left[index])
  return at >= 0 && (left[at] ?? 0) < (right[at] ?? 0)
}

/** Ignores the part after a hyphen: a pre-release counts as its release. */
function numbersOf(version: string): readonly number[] {
  return version.replace(/-.*/, '').split('.').map(Number)
}
