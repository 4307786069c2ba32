// The common part of the Node client programs: their options, their lines of JSON, and their time limit.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { endProgram } from '../../../../packages/sim/src/program.ts'

export interface CommandOptions {
  readonly bootstrap: string
  readonly topic: string
  readonly group: string
  /** The topic that the group of an admin run has read. */
  readonly read: string
  /** The zone of a member of a group. */
  readonly rack: string
  readonly codec: string
  readonly count: number
  readonly idempotent: boolean
}

export type Commands = Readonly<Record<string, (options: CommandOptions) => Promise<void>>>

/** Runs the subcommand that the arguments name. */
export async function runCommand(commands: Commands): Promise<void> {
  const [name = '', ...args] = process.argv.slice(2)
  const names = ['bootstrap', 'topic', 'group', 'read', 'rack', 'codec', 'count', 'idempotent'] as const
  const { values } = parseArgs({ args, options: Object.fromEntries(names.map((each) => [each, { type: 'string', default: '' } as const])) })
  const text = (option: (typeof names)[number]): string => String(values[option])
  const command = commands[name]
  if (command === undefined) throw new Error(`${name} is not a subcommand`)
  await command({
    bootstrap: text('bootstrap'),
    topic: text('topic'),
    group: text('group'),
    read: text('read'),
    rack: text('rack'),
    codec: text('codec'),
    count: Number(text('count')),
    idempotent: text('idempotent') === 'true',
  })
  await endProgram(0)
}

export function emit(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** Settles when standard input ends: the test asks the program to finish. */
export async function inputEnded(): Promise<void> {
  process.stdin.resume()
  await new Promise((resolve) => process.stdin.once('end', resolve))
}

export interface SampleRecord {
  readonly partition: number
  readonly key: string
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}

/** The records of a produce run. */
export function samples(count: number): SampleRecord[] {
  return Array.from({ length: count }, (_, number) => ({
    partition: number % 2,
    key: `key ${number}`,
    value: `value ${number}`,
    headers: { h: `header ${number}` },
  }))
}

/** The version of the package that Node finds from here, whether it exports its package.json or not. */
export function versionOf(name: string): string {
  let folder = dirname(createRequire(import.meta.url).resolve(name))
  while (!existsSync(join(folder, 'package.json')) || !readFileSync(join(folder, 'package.json'), 'utf8').includes(`"name": "${name}"`)) {
    folder = dirname(folder)
  }
  // The cast: npm installs nothing without a version.
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly version: string }).version
}
