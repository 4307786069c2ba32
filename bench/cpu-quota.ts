// A part of a core for a process, by the CPU controller of Linux (cgroups): with it, agents on one machine have as little of it as if each had a host of its own.
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CpuQuota extends Disposable {
  /** The words before a command that run it within. It must have ended before the quota is disposed of. */
  readonly prefix: readonly string[]
}

/** False: it needs Linux, root, and a CPU controller that can be written, which containers seldom have. */
export function canLimitCpu(): boolean {
  return writableController() !== undefined
}

/** Only where `canLimitCpu`. */
export function cpuQuota(cores: number): CpuQuota {
  const controller = writableController()
  if (controller === undefined) throw new Error('the CPU of processes cannot be limited here')
  const folder = join(controller.folder, `lks-bench-${process.pid}-${++made}`)
  mkdirSync(folder)
  const quota = Math.round(cores * periodMicros)
  if (controller.version === 2) writeFileSync(join(folder, 'cpu.max'), `${quota} ${periodMicros}`)
  else {
    writeFileSync(join(folder, 'cpu.cfs_period_us'), String(periodMicros))
    writeFileSync(join(folder, 'cpu.cfs_quota_us'), String(quota))
  }
  return {
    prefix: ['sh', '-c', `echo $$ > ${join(folder, 'cgroup.procs')} && exec "$@"`, 'sh'],
    [Symbol.dispose]: () => rmdirSync(folder),
  }
}

let made = 0

/** Short, so that a process waits often and little instead of seldom and long. */
const periodMicros = 10_000

interface Controller {
  readonly folder: string
  readonly version: 1 | 2
}

function writableController(): Controller | undefined {
  const root = '/sys/fs/cgroup'
  const second = join(root, 'cgroup.subtree_control')
  const found: Controller = existsSync(second) ? { folder: root, version: 2 } : { folder: join(root, 'cpu'), version: 1 }
  if (found.version === 2 && !readFileSync(second, 'utf8').split(/\s/).includes('cpu')) return undefined
  try {
    accessSync(found.folder, constants.W_OK)
    return found
  } catch {
    return undefined
  }
}
