// The product's version, from its package.
import { readFileSync } from 'node:fs'

/** The relative path is the same from the source and from the bundle: both are one folder below package.json. */
export function productVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version?: unknown }
  if (typeof version !== 'string') throw new TypeError('package.json has no version')
  return version
}
