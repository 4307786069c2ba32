// Runs of the programs in test/e2e/clients: to their end, or until the test ends their input.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runProgram } from '../../../packages/sim/src/program.ts'
import type { ClientProgram } from '../clients/clients.ts'
import { type JsonProgram, startJsonProgram } from './json-program.ts'
import { javaOptions } from './programs.ts'
import { repository } from './server.ts'

const sources = join(repository, 'test/e2e/clients')
/** The program that `pnpm clients` installs and builds. */
const built = join(sources, 'built')

/** `ecosystem`: programs on the JVM that are more than a client. */
type Toolchain = ClientProgram['language'] | 'ecosystem'

export const clientsBuilt: Readonly<Record<Toolchain, boolean>> = {
  python: existsSync(join(built, 'python/complete')),
  go: existsSync(join(built, 'go/complete')),
  java: existsSync(join(built, 'java/complete')),
  ecosystem: existsSync(join(built, 'ecosystem/complete')),
  node: true,
}

/** In CI the clients must have been built, at home their tests are skipped by name. */
export function needsClients(language: Toolchain): typeof test | typeof test.skip {
  if (process.env.CI === 'true') test(`pnpm clients has built those of ${language}`, () => expect(clientsBuilt[language]).toBe(true))
  return clientsBuilt[language] ? test : test.skip
}

/** A line that a program prints. */
export interface PrintedRecord {
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
  const { stdout } = await runProgram(program, args, { limitMs: 90_000 })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line))
}

/** The words that run a main class of the folder `ecosystem`, or of the jars that its programs use. */
export function ecosystemCommand(mainClass: string, args: readonly string[]): readonly [program: string, args: readonly string[]] {
  const classpath = `${join(built, 'ecosystem/classes')}:${join(built, 'ecosystem/jars')}/*`
  return ['java', ['-Xmx384M', ...javaOptions(classpath), mainClass, ...args]]
}

/** Starts `group` or `loop`, which run until their input ends. */
export function startClient(client: ClientProgram, subcommand: 'group' | 'loop', options: ClientOptions): JsonProgram<PrintedRecord> {
  const [program, ...args] = commandOf(client, subcommand, options)
  return startJsonProgram(program, args)
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
      return ['java', '-Xmx128M', ...javaOptions(`${join(built, 'java/classes')}:${join(built, 'java/jars')}/*`), client.program, ...args]
    case 'node':
      return [process.execPath, join(sources, 'node', client.program), ...args]
  }
}
