// The programs of others that end-to-end tests use: which are there, and one run of each.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'

export interface ProgramRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export const python = process.env.LKS_TEST_PYTHON ?? 'python3'
/** Jars, in Java's notation. */
export const kafkaClasspath = process.env.KAFKA_CLASSPATH ?? ''

export const has = {
  kcat: succeeds('kcat', ['-V']),
  confluentKafka: succeeds(python, ['-c', 'import confluent_kafka']),
  kafkaTools: kafkaClasspath !== '' && succeeds('java', ['-version']),
}

/** In CI a program that is missing is a failure, at home its tests are skipped by name. */
export function needs(program: keyof typeof has): typeof test | typeof test.skip {
  if (process.env.CI === 'true') test(`${program} is there`, () => expect(has[program]).toBe(true))
  return has[program] ? test : test.skip
}

/** Runs to its end. Rejects with what it printed when it fails or takes longer than `seconds`. */
export async function run(
  program: string,
  args: readonly string[],
  {
    input = '',
    seconds = 60,
    env = {},
  }: { readonly input?: string; readonly seconds?: number; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<ProgramRun> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    timeout: seconds * 1_000,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => {}) // a program that ends early does not read its input; its exit code tells why
  child.stdin.end(input)
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code ?? signal}:\n${stdout}\n${stderr}`)
  return { code, stdout, stderr }
}

/** One of Kafka's own tools, by its main class. */
export function kafkaTool(mainClass: string, args: readonly string[], options: Parameters<typeof run>[2] = {}): Promise<ProgramRun> {
  return run('java', ['-Xmx256M', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', kafkaClasspath, mainClass, ...args], {
    seconds: 100,
    ...options,
  })
}

function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}
