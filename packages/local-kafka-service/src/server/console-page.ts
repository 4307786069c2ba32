// Where the console's page is: beside the bundle, or in the build of packages/console when the server runs from its sources.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

/** Undefined when the page was not built. It is read for each request for it, so a server that runs shows a page that was built meanwhile. */
export async function readConsolePage(): Promise<string | undefined> {
  try {
    return await readFile(createRequire(import.meta.url).resolve('#console'), 'utf8')
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** Resolving fails in one of these ways, and reading in the last one. */
function isAbsent(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND' || code === 'ENOENT'
}
