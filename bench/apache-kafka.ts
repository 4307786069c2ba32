// Apache Kafka, run by the tool that LKS_TEST_KAFKA names: its broker, and its perf tools with their defaults, against any broker.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { startProgram } from '../packages/sim/src/program.ts'
import { freePort, groupCpuSeconds, type MeasuredServer } from './processes.ts'
import { WireClient } from './wire-client.ts'

/** On a machine with many busy processes, a broker has taken more than a minute. */
const startMs = 240_000
/** Of each record. */
export const perfRecordBytes = 1_024

/** Undefined if the variable is not set. */
export const kafkaTool = process.env.LKS_TEST_KAFKA

/** One run of a perf tool. */
export interface PerfRun {
  readonly port: number
  readonly topic: string
  readonly records: number
  /** After this time the tool is stopped. */
  readonly limitMs: number
  /** The limit counts from the moment at which this settles, and not from the start of the tool, which takes a JVM a long time on a busy machine. */
  readonly begun?: (ended: AbortSignal) => Promise<void>
}

/** One broker. Its process leads a group, because the tool is a script that may start others. */
export async function apacheKafka(folder: string, properties = ''): Promise<MeasuredServer> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'extra.properties'), properties)
  const port = await freePort()
  const broker = startProgram(toolPath(), ['broker', folder, String(port)], { group: true })
  try {
    for (const deadline = performance.now() + startMs; ; ) {
      try {
        const client = await WireClient.open(port)
        client.close()
        return {
          port,
          pid: broker.pid,
          cpuSeconds: () => groupCpuSeconds(broker.pid),
          [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
        }
      } catch (error) {
        if (performance.now() > deadline) throw new Error(`Apache Kafka has not started within ${startMs / 1_000} s`, { cause: error })
        await setTimeout(200)
      }
    }
  } catch (error) {
    await broker.kill()
    throw error
  }
}

/** MB per second of `kafka-producer-perf-test` with `acks=all`; NaN if it was not done in time. */
export async function producerPerf(run: PerfRun): Promise<number> {
  const { port, topic, records } = run
  const load = ['--topic', topic, '--num-records', String(records), '--record-size', String(perfRecordBytes), '--throughput', '-1']
  const stdout = await perf(['producer-perf', ...load, '--producer-props', `bootstrap.servers=127.0.0.1:${port}`, 'acks=all'], run)
  // The last line is the summary.
  return stdout === undefined ? Number.NaN : megabytes(/\(([\d.]+) MB\/sec\)/.exec(lastLine(stdout))?.[1], stdout)
}

/** MB per second of `kafka-consumer-perf-test`, including the time to join the group; NaN if it has not consumed all records in time. */
export async function consumerPerf(run: PerfRun): Promise<number> {
  const { port, topic, records, limitMs } = run
  const load = ['--topic', topic, '--num-records', String(records), '--timeout', String(limitMs)]
  const stdout = await perf(['consumer-perf', ...load, '--bootstrap-server', `127.0.0.1:${port}`], run)
  if (stdout === undefined) return Number.NaN
  // The fields of the last line: start, end, MB, MB per second, records, and so on. After its time-out the tool ends as if it had all.
  const fields = lastLine(stdout).split(', ')
  return Number(fields[4]) < records ? Number.NaN : megabytes(fields[3], stdout)
}

/** Its output; undefined if it was not done in time. */
async function perf(args: readonly string[], { limitMs, begun }: PerfRun): Promise<string | undefined> {
  await using running = startProgram(toolPath(), args, { group: true })
  const ended = new AbortController()
  const late = async (): Promise<undefined> => {
    await begun?.(ended.signal)
    await setTimeout(limitMs, undefined, { signal: ended.signal }).catch(() => {})
  }
  try {
    const end = await Promise.race([running.succeeded(), late()])
    return end?.stdout
  } finally {
    ended.abort()
  }
}

function lastLine(stdout: string): string {
  return stdout.trim().split('\n').at(-1) ?? ''
}

/** The tools' MB are MiB. */
function megabytes(mebibytes: string | undefined, stdout: string): number {
  if (mebibytes === undefined || !(Number(mebibytes) > 0)) throw new Error(`no rate in: ${stdout}`)
  return Number(mebibytes) * 1.048_576
}

function toolPath(): string {
  if (kafkaTool === undefined) throw new Error('LKS_TEST_KAFKA is not set: it names the tool that starts Apache Kafka')
  return kafkaTool
}
