// Runs of the programs in test/e2e/clients: to their end, or until the test ends their input.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import type { ClientProgram } from '../clients/clients.ts'
import { run } from './programs.ts'
import { repository } from './server.ts'

const sources = join(repository, 'test/e2e/clients')
/** The program that `pnpm clients` installs and builds. */
const built = join(sources, 'built')

export const clientsBuilt: Readonly<Record<ClientProgram['language'], boolean>> = {
  python: existsSync(join(built, 'python/complete')),
  go: existsSync(join(built, 'go/complete')),
  java: existsSync(join(built, 'java/complete')),
  node: true,
}

/** In CI the clients must have been built, at home their tests are skipped by name. */
export function needsClients(language: ClientProgram['language']): typeof test | typeof test.skip {
  if (process.env.CI === 'true') test(`pnpm clients has built those of ${language}`, () => expect(clientsBuilt[language]).toBe(true))
  return clientsBuilt[language] ? test : test.skip
}

/** A line that a program prints. */
export interface Line {
  readonly partition: number
  readonly offset: number
  readonly value: string
  readonly key?: string | null
  readonly header?: string | null
}

export type ClientOptions = Readonly<Record<string, string | number | boolean>>

/** The client's name in names of topics and groups. */
export function nameOf(client: ClientProgram): string {
  return client.name.replaceAll(/^\W+|\W+$/g, '').replaceAll(/\W+/g, '-')
}

/** Runs the subcommand to its end, and returns its lines of JSON. */
export async function clientRun(client: ClientProgram, subcommand: string, options: ClientOptions = {}): Promise<readonly unknown[]> {
  const [program, ...args] = commandOf(client, subcommand, options)
  const { stdout } = await run(program, args, { seconds: 90 })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line))
}

export interface RunningClient extends AsyncDisposable {
  /** So far. */
  readonly lines: readonly Line[]
  /** Settles when it has printed so many lines. Rejects when it ends before. */
  printed(count: number): Promise<void>
  /** Ends its input and waits for its end. Rejects when it failed. */
  finish(): Promise<void>
}

/** Starts `group` or `loop`. */
export function startClient(client: ClientProgram, subcommand: 'group' | 'loop', options: ClientOptions): RunningClient {
  const [program, ...args] = commandOf(client, subcommand, options)
  const child = spawn(program, args, { stdio: 'pipe' })
  const lines: Line[] = []
  const waiting: { readonly count: number; readonly resolve: () => void }[] = []
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => {}) // a program that ends early does not read its input; its exit code tells why
  createInterface(child.stdout).on('line', (line) => {
    // The cast: it is what the programs print in these two subcommands.
    lines.push(JSON.parse(line) as Line)
    for (const { count, resolve } of waiting) if (lines.length >= count) resolve()
  })
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => {
    if (code !== 0) throw new Error(`${client.name} ${subcommand} ended with ${String(code ?? signal)}:\n${stderr}`)
  })
  ended.catch(() => {}) // printed() and finish() report it
  const early = ended.then(() => {
    throw new Error(`${client.name} ${subcommand} ended early:\n${stderr}`)
  })
  early.catch(() => {})
  return {
    lines,
    async printed(count) {
      if (lines.length < count) await Promise.race([new Promise<void>((resolve) => waiting.push({ count, resolve })), early])
    },
    async finish() {
      child.stdin.end()
      await ended
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended.catch(() => {})
    },
  }
}

function commandOf(client: ClientProgram, subcommand: string, options: ClientOptions): readonly [program: string, ...args: string[]] {
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const args = [subcommand, ...words, ...(client.options ?? [])]
  switch (client.language) {
    case 'python':
      return [join(built, 'python/bin/python'), join(sources, 'python', client.program), ...args]
    case 'go':
      return [join(built, 'go', client.program), ...args]
    case 'java':
      return [
        'java',
        '-Xmx128M',
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        '-cp',
        `${join(built, 'java/classes')}:${join(built, 'java/jars')}/*`,
        client.program,
        ...args,
      ]
    case 'node':
      return [process.execPath, join(sources, 'node', client.program), ...args]
  }
}
