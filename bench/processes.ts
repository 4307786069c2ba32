// The measured servers, each in a separate process: builds of this one, and the bare loop.
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Program, startProgram } from '../packages/sim/src/program.ts'
import { type Build, repository } from './builds.ts'

export interface MeasuredServer extends AsyncDisposable {
  readonly port: number
  readonly pid: number
  /** CPU seconds that it has used; NaN on a system without /proc. */
  cpuSeconds(): number
}

export interface OurServer extends MeasuredServer {
  /** The sum of the samples of a metric whose labels contain all of `labels`. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
  /** Makes a pass of log compaction over the topic, to its end. */
  compact(topic: string): Promise<void>
  /** The mark-compacts so far. Only for a server that was started with `countsCollections`. */
  markCompactCount(): Promise<number>
}

export interface OurServerOptions {
  readonly build: Build
  readonly args: readonly string[]
  readonly countsCollections?: boolean
}

/** The server of a build, with any free ports. */
export async function ours({ build, args, countsCollections = false }: OurServerOptions): Promise<OurServer> {
  const loaded = countsCollections ? ['--import', join(repository, 'bench/collections.ts')] : []
  const ports = ['--kafka-port', '0', '--control-port', '0', '--data-port', '0']
  const { program, line, ...server } = await started([...loaded, build.main, 'dev', ...ports, ...args])
  // The cast is safe because the server prints these keys when it is ready.
  const { kafka, urls } = JSON.parse(line) as { readonly kafka: string; readonly urls: { readonly control: string } }
  return {
    ...server,
    port: Number(kafka.slice(kafka.lastIndexOf(':') + 1)),
    metric: (name, labels = {}) => metric(urls.control, name, labels),
    async compact(topic) {
      const { status } = await fetch(`${urls.control}/topics/${topic}/compact`, { method: 'POST' })
      if (status !== 200) throw new Error(`the compaction was answered with ${status}`)
    },
    async markCompactCount() {
      const counts = (): readonly RegExpExecArray[] => [...program.stderr().matchAll(/^mark-compacts: (\d+)$/gm)]
      const before = counts().length
      program.signal('SIGUSR2')
      await program.until(() => counts().length > before)
      return Number(counts().at(-1)?.[1])
    },
  }
}

export async function bareLoop(folder: string, batchAt: number, durability: 'os' | 'strict'): Promise<MeasuredServer> {
  const loop = join(repository, 'bench/bare-loop.ts')
  const { line, ...server } = await started(['--conditions=lks-source', loop, folder, String(batchAt), durability])
  return { ...server, port: Number(line) }
}

/** CPU seconds of all living processes of the group that this process leads, such as those that a script starts; NaN on a system without /proc. */
export function groupCpuSeconds(leader: number): number {
  if (!existsSync('/proc')) return Number.NaN
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.reduce((sum, pid) => {
    const times = processTimes(Number(pid))
    return times?.group === leader ? sum + times.cpuSeconds : sum
  }, 0)
}

/** CPU seconds of the living processes among these; NaN on a system without /proc. */
export function cpuSecondsOf(pids: readonly number[]): number {
  if (!existsSync('/proc')) return Number.NaN
  return pids.reduce((sum, pid) => sum + (processTimes(pid)?.cpuSeconds ?? 0), 0)
}

/** Resident memory in MB; undefined on a system without /proc. */
export function residentMb(pid: number): number | undefined {
  return statusMb(pid, 'VmRSS')
}

/** The most resident memory since the start or the last `forgetPeak`, in MB. */
export function peakResidentMb(pid: number): number | undefined {
  return statusMb(pid, 'VmHWM')
}

export function forgetPeak(pid: number): void {
  const path = `/proc/${pid}/clear_refs`
  if (existsSync(path)) writeFileSync(path, '5') // Linux: "reset the peak resident set size"
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no free port')
  return address.port
}

async function started(
  args: readonly string[],
): Promise<Omit<MeasuredServer, 'port'> & { readonly program: Program; readonly line: string }> {
  const program = startProgram(process.execPath, args)
  const line = await program.firstLine()
  const { pid } = program
  return {
    program,
    line,
    pid,
    cpuSeconds: () => processTimes(pid)?.cpuSeconds ?? Number.NaN,
    [Symbol.asyncDispose]: async () => void (await program.kill('SIGTERM')),
  }
}

async function metric(url: string, name: string, labels: Readonly<Record<string, string>>): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  return lines
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

function processTimes(pid: number): { readonly group: number; readonly cpuSeconds: number } | undefined {
  const path = `/proc/${pid}/stat`
  if (!existsSync(path)) return undefined
  const stat = readFileSync(path, 'utf8')
  // The second field is the program's name, in parentheses. The group is the 5th field; user and system time are the 14th and the 15th, in ticks of 10 ms.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { group: Number(fields[2]), cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100 }
}

function statusMb(pid: number, field: string): number | undefined {
  const path = `/proc/${pid}/status`
  if (!existsSync(path)) return undefined
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(path, 'utf8'))?.[1]) / 1024
}
