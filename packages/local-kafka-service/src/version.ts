// The product's version, as its package says it.
import { readFileSync } from 'node:fs'

/** Read beside the source and beside the bundle alike: both are one folder below package.json. */
export function productVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version?: unknown }
  if (typeof version !== 'string') throw new TypeError('package.json has no version')
  return version
}
