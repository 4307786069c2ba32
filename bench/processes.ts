// The measured servers, each in a separate process: the build of this one, the bare loop, and Apache Kafka if its tools are available.
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProgram } from '../packages/sim/src/program.ts'

export interface MeasuredServer extends AsyncDisposable {
  readonly port: number
  readonly pid: number
  /** The time from the spawn to the ready line, in milliseconds. */
  readonly readyMs: number
}

export const repository = fileURLToPath(new URL('..', import.meta.url))
export const built = join(repository, 'packages/local-kafka-service/dist/main.cjs')
const anyPorts = ['--kafka-port', '0', '--control-port', '0', '--data-port', '0']

/** The built server. */
export async function ours(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<MeasuredServer> {
  if (!existsSync(built)) throw new Error('the server is not built: run pnpm build first')
  const server = await started(process.execPath, [built, 'dev', ...anyPorts, ...args], env)
  const { kafka } = JSON.parse(server.line) as { readonly kafka: string }
  return { ...server, port: Number(kafka.slice(kafka.lastIndexOf(':') + 1)) }
}

export async function bareLoop(file: string, batchAt: number, durability: 'os' | 'strict'): Promise<MeasuredServer> {
  const program = join(repository, 'bench/bare-loop.ts')
  const server = await started(process.execPath, ['--conditions=lks-source', program, file, String(batchAt), durability], {})
  return { ...server, port: Number(server.line) }
}

/** Apache Kafka, run by the tool that LKS_TEST_KAFKA names; undefined if that is not set. */
export const kafkaTool = process.env.LKS_TEST_KAFKA

/** CPU seconds that the process has used; undefined on a system without /proc. */
export function cpuSeconds(pid: number): number | undefined {
  const path = `/proc/${pid}/stat`
  if (!existsSync(path)) return undefined
  const stat = readFileSync(path, 'utf8')
  // The second field is the program's name, in parentheses; user and system time are the 14th and the 15th, in ticks of 10 ms.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Resident memory in MB; undefined on a system without /proc. */
export function residentMb(pid: number): number | undefined {
  const path = `/proc/${pid}/status`
  if (!existsSync(path)) return undefined
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(path, 'utf8'))?.[1]) / 1024
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
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Omit<MeasuredServer, 'port'> & { readonly line: string }> {
  const began = performance.now()
  const server = startProgram(program, args, { env: { ...process.env, ...env } })
  const line = await server.firstLine()
  const readyMs = performance.now() - began
  return { line, readyMs, pid: server.pid, [Symbol.asyncDispose]: async () => void (await server.kill('SIGTERM')) }
}
