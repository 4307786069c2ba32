// The time from the start of a process to its open ports and its first acknowledged record, against `node -e 0`, and its memory when idle.
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { runProgram, startProgram } from '../packages/sim/src/program.ts'
import type { Build } from './builds.ts'
import { checkProduced, createTopic, produceFrame } from './frames.ts'
import type { BenchOptions } from './options.ts'
import { freePort, ours, residentMb } from './processes.ts'
import { type BenchRow, comparedRow } from './report.ts'
import { inTurn } from './rounds.ts'
import { WireClient } from './wire-client.ts'

const defaultRounds = 9
const idleMs = 3_000
const quickIdleMs = 200

interface StartMeasurement {
  readonly portMs: number
  readonly readyMs: number
  readonly acknowledgedMs: number
}

/** A build and the folder of its server. */
interface StartedBuild {
  readonly build: Build
  readonly folder: string
}

export async function startBenches(options: BenchOptions): Promise<readonly BenchRow[]> {
  const parent = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    const subjects = options.builds.map((build, index) => ({ build, folder: join(parent, String(index)) }))
    for (const subject of subjects) await prepare(subject)
    const nodeTimes: number[] = []
    const [mine = [], before] = await inTurn(
      subjects,
      { rounds: options.rounds ?? (options.quick ? 1 : defaultRounds) },
      async (subject) => {
        nodeTimes.push(await nodeMs())
        return await measured(subject)
      },
    )
    const row = (name: keyof StartMeasurement, bench: string, goal: string): BenchRow =>
      comparedRow({
        bench,
        ours: mine.map((sample) => sample[name]),
        before: before?.map((sample) => sample[name]),
        baseline: nodeTimes,
        baselineName: 'node -e 0',
        shown: (ms) => `${ms.toFixed(0)} ms`,
        goal,
      })
    return [
      row('portMs', 'start: the Kafka port is open', '≤ 2'),
      row('readyMs', 'start: everything is ready', '≤ 8'),
      row('acknowledgedMs', 'start: first acknowledged record', ''),
      ...(await memoryRows(subjects, options.quick ? quickIdleMs : idleMs)),
    ]
  } finally {
    await rm(parent, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** The start time of a process that does nothing. */
export async function nodeMs(): Promise<number> {
  const began = performance.now()
  await runProgram(process.execPath, ['-e', '0'])
  return performance.now() - began
}

/** The first start fills the compile cache, and makes the database and the topic. */
async function prepare({ build, folder }: StartedBuild): Promise<void> {
  await using server = await ours({ build, args: ['--dir', folder] })
  const client = await WireClient.open(server.port)
  await createTopic(client)
  client.close()
}

async function measured({ build, folder }: StartedBuild): Promise<StartMeasurement> {
  const port = await freePort()
  const began = performance.now()
  const args = ['dev', '--dir', folder, '--kafka-port', String(port), '--control-port', '0', '--data-port', '0']
  const server = startProgram(process.execPath, [build.main, ...args])
  const ready = server.firstLine().then(() => performance.now() - began)
  try {
    while (!(await opens(port))) await setTimeout(1)
    const portMs = performance.now() - began
    const client = await WireClient.open(port)
    checkProduced(await client.send(produceFrame(1_024).bytes))
    const acknowledgedMs = performance.now() - began
    client.close()
    return { portMs, readyMs: await ready, acknowledgedMs }
  } finally {
    await server.kill('SIGTERM')
  }
}

function opens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const settle = (open: boolean): void => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => settle(true)).once('error', () => settle(false))
  })
}

async function memoryRows(subjects: readonly StartedBuild[], waitMs: number): Promise<readonly BenchRow[]> {
  const servers: number[] = []
  const embedded: number[] = []
  for (const { build, folder } of subjects) {
    await using server = await ours({ build, args: ['--dir', folder] })
    await setTimeout(waitMs)
    servers.push(residentMb(server.pid) ?? Number.NaN)
    embedded.push(await embeddedMb(build, waitMs))
  }
  const row = (bench: string, [mine, before]: readonly number[], goal: string): BenchRow =>
    comparedRow({
      bench,
      ours: mine === undefined ? [] : [mine],
      before: before === undefined ? undefined : [before],
      shown: (megabytes) => `${megabytes.toFixed(0)} MB`,
      goal,
    })
  return [row('idle memory with HTTP', servers, '≤ 120 MB'), row('idle memory without HTTP', embedded, '≤ 80 MB')]
}

/** `startKafka()` alone in a process, that is, an embedded agent. */
async function embeddedMb({ index }: Build, waitMs: number): Promise<number> {
  const program = `const { startKafka } = await import(${JSON.stringify(index)}); await startKafka(); console.log('ready'); setInterval(() => {}, 1e6)`
  await using embedded = startProgram(process.execPath, ['--input-type=module', '-e', program])
  await embedded.firstLine()
  await setTimeout(waitMs)
  return residentMb(embedded.pid) ?? Number.NaN
}
