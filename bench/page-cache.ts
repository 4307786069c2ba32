// Makes files cold: writes them to the disk, and asks Linux to drop their pages. Other systems have no call for it, and read from memory.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runProgram } from '../packages/sim/src/program.ts'

/** No process may write to the folder. Rejects if `dd` fails. */
export async function dropPageCache(folder: string): Promise<void> {
  if (process.platform !== 'linux') return
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    // Copies nothing: with this flag and a count of 0, dd drops the pages of the whole file, which must be on the disk for that.
    const arguments_ = [`of=${join(entry.parentPath, entry.name)}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']
    await runProgram('dd', arguments_)
  }
}
