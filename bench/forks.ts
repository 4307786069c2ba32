// Copies of a prepared state: the time of one fork and of many at once, the memory of each, and a snapshot. Each build is measured in a process of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../packages/sim/src/program.ts'
import { repository } from './builds.ts'
import { type ForkMeasurement, forkedInstanceCount } from './fork-measurement.ts'
import type { BenchOptions } from './options.ts'
import { type BenchRow, comparedRow } from './report.ts'
import { inTurn } from './rounds.ts'

const defaultRounds = 3

export async function forkBenches({ builds, quick, rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  const [mine = [], before] = await inTurn(builds, { rounds: rounds ?? (quick ? 1 : defaultRounds) }, (build) => measured(build.index))
  const row = (name: keyof ForkMeasurement, bench: string, shown: (value: number) => string, goal: string): BenchRow =>
    comparedRow({ bench, ours: mine.map((sample) => sample[name]), before: before?.map((sample) => sample[name]), shown, goal })
  const ms = (value: number): string => `${value.toFixed(1)} ms`
  return [
    row('loneMs', 'fork() of 100 topics and 20 groups', ms, '< 20 ms'),
    row('togetherMs', `${forkedInstanceCount} forks at once`, ms, '< 1000 ms'),
    row('eachMb', 'memory of one of them, resident', (megabytes) => `${megabytes.toFixed(2)} MB`, '≤ 3 MB'),
    row('snapshotMs', 'snapshot(path)', ms, ''),
    row('snapshotKib', 'the file of the snapshot', (kib) => `${kib.toFixed(0)} KiB`, ''),
    row('fromSnapshotMs', 'startKafka({ from })', ms, '< 20 ms'),
  ]
}

async function measured(index: string): Promise<ForkMeasurement> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    const program = join(repository, 'bench/fork-program.ts')
    const { stdout } = await runProgram(process.execPath, [program, index, join(folder, 'state.lks')])
    // The cast is safe because the program writes this JSON.
    return JSON.parse(stdout) as ForkMeasurement
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
