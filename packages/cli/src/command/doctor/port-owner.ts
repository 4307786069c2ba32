// Which process listens on a port of this machine, as far as the platform says: /proc on Linux, lsof on macOS, netstat on Windows.
import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { promisify } from 'node:util'

export interface PortOwner {
  readonly pid: number
  /** Undefined: the platform does not say. */
  readonly program: string | undefined
}

/** Undefined: no process listens, or we may not see it. */
export async function portOwner(port: number): Promise<PortOwner | undefined> {
  switch (process.platform) {
    case 'linux':
      return await onLinux(port)
    case 'win32':
      return ofNetstat(await output('netstat', ['-ano', '-p', 'TCP']), port)
    default:
      return ofLsof(await output('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc']))
  }
}

async function onLinux(port: number): Promise<PortOwner | undefined> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')))
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`))
  if (inodes.size === 0) return undefined
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // The process belongs to another user, or has ended meanwhile.
    const open = await readdir(`/proc/${pid}/fd`).catch(() => [])
    for (const fd of open) {
      const link = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
      if (!inodes.has(link)) continue
      const [program = ''] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
      return { pid: Number(pid), program: program === '' ? undefined : basename(program) }
    }
  }
  return undefined
}

/** Reads a table of /proc/net/tcp: `sl local_address rem_address st … inode`, with hexadecimal numbers; 0A is LISTEN. */
export function listeningInodes(table: string, port: number): readonly string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(`:${wanted}`) === true && columns[3] === '0A')
    .flatMap((columns) => columns[9] ?? [])
}

/** `p4121\ncnode\n` */
export function ofLsof(text: string): PortOwner | undefined {
  const pid = /^p(\d+)$/m.exec(text)?.[1]
  return pid === undefined ? undefined : { pid: Number(pid), program: /^c(.+)$/m.exec(text)?.[1] }
}

/** `  TCP    0.0.0.0:9092   0.0.0.0:0   LISTENING   4121` */
export function ofNetstat(text: string, port: number): PortOwner | undefined {
  for (const line of text.split('\n')) {
    const [protocol, local = '', , state, pid] = line.trim().split(/\s+/)
    if (protocol === 'TCP' && state === 'LISTENING' && local.endsWith(`:${port}`) && pid !== undefined)
      return { pid: Number(pid), program: undefined }
  }
  return undefined
}

/** Empty when the program is missing or finds nothing: both end with an error. */
async function output(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, args, { timeout: 5_000 })).stdout
  } catch {
    return ''
  }
}
