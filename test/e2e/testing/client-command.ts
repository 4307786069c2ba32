// Client commands of `lks` in processes of their own, with bytes going in and out.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { builtMain } from './server.ts'

export interface CommandEnd {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams
  /** Its output so far. */
  stdout(): Buffer
  stderr(): string
  readonly ended: Promise<CommandEnd>
  /** Asks it to end, as Ctrl-C does. */
  interrupt(): Promise<CommandEnd>
}

/** The command line of a program that runs `lks`, for pipes of a shell. */
export const lksWords: readonly string[] = [process.execPath, builtMain]

export function startCommand(kafka: string, args: readonly string[]): RunningCommand {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(LKS_|KAFKA_|NODE_OPTIONS$|VITEST)/.test(name)))
  const [program = '', ...words] = lksWords
  const child = spawn(program, [...words, ...args], { env: { ...inherited, KAFKA_BROKERS: kafka }, stdio: 'pipe' })
  const out: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => {}) // a command that ends early does not read its input; its exit code tells why
  const ended = once(child, 'close').then(([code]): CommandEnd => ({ code: code as number | null, stdout: Buffer.concat(out), stderr }))
  return {
    child,
    stdout: () => Buffer.concat(out),
    stderr: () => stderr,
    ended,
    async interrupt() {
      child.kill('SIGINT')
      return await ended
    },
  }
}

/** Until it ends by itself. */
export async function runCommand(kafka: string, args: readonly string[], input: string | Buffer = ''): Promise<CommandEnd> {
  const command = startCommand(kafka, args)
  command.child.stdin.end(input)
  return await command.ended
}

/** Resolves with its output. Rejects with its output if it fails. */
export async function printed(kafka: string, args: readonly string[], input: string | Buffer = ''): Promise<string> {
  const { code, stdout, stderr } = await runCommand(kafka, args, input)
  if (code !== 0) throw new Error(`lks ${args.join(' ')} ended with ${code}:\n${stderr}`)
  return stdout.toString('latin1')
}
