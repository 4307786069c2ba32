// The time from the start of a process to its open ports and its first acknowledged record, against `node -e 0`, and its memory when idle.
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { runProgram, startProgram } from '../packages/sim/src/program.ts'
import { checkProduced, createTopic, produceFrame } from './frames.ts'
import { built, freePort, ours, repository, residentMb } from './processes.ts'
import { type BenchRow, median } from './report.ts'
import { WireClient } from './wire-client.ts'

const starts = 9
const idleMs = 3_000

export async function startBenches(): Promise<readonly BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  const times = { node: [] as number[], port: [] as number[], ready: [] as number[], acknowledged: [] as number[] }
  try {
    await (await ours(['--dir', folder]))[Symbol.asyncDispose]() // the first start fills the compile cache and makes the database
    for (let start = 0; start < starts; start++) {
      times.node.push(await nodeMs())
      const one = await startMs(folder, start === 0)
      times.port.push(one.portMs)
      times.ready.push(one.readyMs)
      times.acknowledged.push(one.acknowledgedMs)
    }
    const node = median(times.node)
    const row = (bench: string, values: readonly number[], goal: string): BenchRow => ({
      bench,
      ours: `${median(values).toFixed(0)} ms`,
      baseline: `${node.toFixed(0)} ms (node -e 0)`,
      ratio: median(values) / node,
      goal,
    })
    const rows = [
      row('start: the Kafka port is open', times.port, '≤ 2'),
      row('start: everything is ready', times.ready, '≤ 8'),
      row('start: first acknowledged record', times.acknowledged, ''),
    ]
    return [...rows, await memoryRow('with HTTP', folder, [], '≤ 120 MB'), await memoryRow('without HTTP', folder, undefined, '≤ 80 MB')]
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** The start time of a process that does nothing. */
export async function nodeMs(): Promise<number> {
  const began = performance.now()
  await runProgram(process.execPath, ['-e', '0'])
  return performance.now() - began
}

async function startMs(
  folder: string,
  first: boolean,
): Promise<{ readonly portMs: number; readonly readyMs: number; readonly acknowledgedMs: number }> {
  const port = await freePort()
  const began = performance.now()
  const args = ['dev', '--dir', folder, '--kafka-port', String(port), '--control-port', '0', '--data-port', '0']
  const server = startProgram(process.execPath, [built, ...args])
  const ready = server.firstLine().then(() => performance.now() - began)
  try {
    while (!(await opens(port))) await setTimeout(1)
    const portMs = performance.now() - began
    const client = await WireClient.open(port)
    if (first) await createTopic(client)
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

/** Without arguments: `startKafka()` alone in a process, that is, an embedded agent. */
async function memoryRow(name: string, folder: string, args: readonly string[] | undefined, goal: string): Promise<BenchRow> {
  if (args !== undefined) {
    await using server = await ours(['--dir', folder, ...args])
    await setTimeout(idleMs)
    return { bench: `idle memory ${name}`, ours: `${residentMb(server.pid)?.toFixed(0) ?? '?'} MB`, baseline: '', ratio: undefined, goal }
  }
  const index = join(repository, 'packages/local-kafka-service/dist/index.js')
  const program = `const { startKafka } = await import(${JSON.stringify(index)}); await startKafka(); console.log('ready'); setInterval(() => {}, 1e6)`
  await using embedded = startProgram(process.execPath, ['--input-type=module', '-e', program])
  await embedded.firstLine()
  await setTimeout(idleMs)
  return { bench: `idle memory ${name}`, ours: `${residentMb(embedded.pid)?.toFixed(0) ?? '?'} MB`, baseline: '', ratio: undefined, goal }
}
