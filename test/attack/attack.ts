// What an attack is: a scene is one server with its preparations, and the attacks that it then suffers one after another.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ServerProcess, type ServerRun, startServer } from '../e2e/testing/server.ts'
import { httpGet, residentMiB } from './attackers.ts'

/** How much an attack does. Both forms are bounded in count. */
export interface Effort {
  readonly form: 'quick' | 'long'
  /** How often a large request is repeated. */
  readonly rounds: number
  /** Topics of ten partitions each. */
  readonly wideTopics: number
  readonly names: number
  readonly pipelined: number
  readonly fuzz: { readonly seed: number; readonly from: number; readonly requests: number }
}

export interface Scene {
  /** Runs before the server starts on the folder. */
  readonly before?: (folder: string) => Promise<void>
  readonly server?: (folder: string) => Omit<ServerRun, 'entry'>
  /** The long form only: the server closes stalled readers after half a minute. */
  readonly longOnly?: true
  /** Runs before the ordinary client starts. */
  readonly prepare: (target: Target, effort: Effort) => Promise<readonly Attack[]>
}

export interface Attack {
  /** Begins with the case of the issue: `H6: Fetch of all partitions`. */
  readonly name: string
  /** The most lines that the server's log may have about it: one per attacking client. */
  readonly logLines: number
  /** How much the server may grow during it. */
  readonly growthMiB: number
  /** Throws an AssertionError for what the server must not do. */
  readonly run: (target: Target) => Promise<void>
}

/** The server under attack. */
export interface Target extends AsyncDisposable {
  readonly server: ServerProcess
  readonly port: number
  /** A value of /metrics, or undefined if it is not there: `lks_defects_total`, `lks_requests_total{api="Fetch"}`. */
  readonly metric: (name: string) => Promise<number | undefined>
  /** All values of /metrics by their names with labels. */
  readonly metrics: () => Promise<ReadonlyMap<string, number>>
  readonly logLines: () => readonly string[]
  readonly residentMiB: () => number
  /** That before the first client. */
  readonly idleMiB: number
  /** The long turns of the event loop until now, each in milliseconds of CPU time (turns-preload.ts). */
  readonly longTurnsMs: () => readonly number[]
}

/** `memory.bytes` of the servers: the least with which the largest batch fits into its part, so that an attack which is not bounded by it shows. */
const memoryBytes = 512 * 1024 * 1024

/** The folder is for files of the measurement. */
export async function openTarget(run: ServerRun, folder: string): Promise<Target> {
  const turnsFile = join(folder, 'turns')
  const preload = new URL('turns-preload.ts', import.meta.url)
  const env = { LKS_MEMORY_BYTES: String(memoryBytes), ...run.env, NODE_OPTIONS: `--import=${preload.href}`, TURNS_FILE: turnsFile }
  const server = await startServer({ ...run, env })
  const metrics = async (): Promise<ReadonlyMap<string, number>> => {
    const { text } = await httpGet(`${server.urls.control}/metrics`)
    return new Map(
      text
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    )
  }
  return {
    server,
    port: server.port,
    metrics,
    metric: async (name) => (await metrics()).get(name),
    logLines: () =>
      server
        .log()
        .split('\n')
        .filter((line) => line !== ''),
    residentMiB: () => residentMiB(server.pid),
    idleMiB: residentMiB(server.pid),
    longTurnsMs: () => (existsSync(turnsFile) ? readFileSync(turnsFile, 'utf8').trim().split('\n').map(Number) : []),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
