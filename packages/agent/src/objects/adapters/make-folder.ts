// Creates a folder with its parents. Node's own recursive mkdir never returns if a file system answers ENOENT inside an existing folder, as /proc does.
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { hasCode } from './file-errors.ts'

/** Returns the topmost folder that it created; undefined if all exist. Throws the file system's error. Synchronous: it is rare, and takes microseconds. */
export function makeFolder(path: string): string | undefined {
  try {
    mkdirSync(path)
    return path
  } catch (error) {
    if (hasCode(error, 'EEXIST', 'EISDIR') && isFolder(path)) return undefined
    const above = dirname(path)
    // The parent exists now, so the file system itself rejects this folder.
    if (!hasCode(error, 'ENOENT') || above === path || isFolder(above)) throw error
    const first = makeFolder(above)
    const own = makeFolder(path)
    return first ?? own
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
