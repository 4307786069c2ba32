// Makes a folder with the folders above it. Node's own recursive mkdir never returns where a file system answers ENOENT below a folder that is there, as /proc does.
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { hasCode } from './file-errors.ts'

/** Answers the topmost folder that was made; undefined when all were there. Throws the error of the file system. Synchronous: it is rare, and takes microseconds. */
export function makeFolder(path: string): string | undefined {
  try {
    mkdirSync(path)
    return path
  } catch (error) {
    if (hasCode(error, 'EEXIST', 'EISDIR') && isFolder(path)) return undefined
    const above = dirname(path)
    // With the folder above in place, the file system itself does not want this one.
    if (!hasCode(error, 'ENOENT') || above === path || isFolder(above)) throw error
    const first = makeFolder(above)
    const own = makeFolder(path)
    return first ?? own
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
