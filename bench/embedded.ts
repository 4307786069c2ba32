// A Kafka inside a process: the time to start the first one, including the import, and the time and memory of each later one, against an idle Node process.
import { runProgram } from '../packages/sim/src/program.ts'
import type { BenchOptions } from './options.ts'
import { type BenchRow, comparedRow } from './report.ts'
import { inTurn } from './rounds.ts'
import { nodeMs } from './start.ts'

const defaultRounds = 9
const instances = 50

interface EmbeddedMeasurement {
  readonly firstMs: number
  readonly laterMs: number
  readonly laterMb: number
}

export async function embeddedBenches({ builds, quick, rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  const nodeTimes: number[] = []
  // The warm-up fills the caches of the file system.
  const [mine = [], before] = await inTurn(builds, { rounds: rounds ?? (quick ? 1 : defaultRounds), warmUps: 1 }, async (build) => {
    nodeTimes.push(await nodeMs())
    return await measured(build.index)
  })
  const row = (name: keyof EmbeddedMeasurement, bench: string, shown: (value: number) => string, goal: string): BenchRow =>
    comparedRow({
      bench,
      ours: mine.map((sample) => sample[name]),
      before: before?.map((sample) => sample[name]),
      ...(name === 'firstMs' && { baseline: nodeTimes, baselineName: 'node -e 0' }),
      shown,
      goal,
    })
  return [
    row('firstMs', 'startKafka: ready, with its import', (ms) => `${ms.toFixed(0)} ms`, '< 150 ms'),
    row('laterMs', `startKafka: each of ${instances} later ones`, (ms) => `${ms.toFixed(1)} ms`, '< 10 ms'),
    row('laterMb', 'startKafka: memory of each later one', (megabytes) => `${megabytes.toFixed(2)} MB`, '≤ 3 MB'),
  ]
}

/** Runs in a separate process. The memory is the growth of the whole process after a garbage collection: the heap and everything else. */
async function measured(index: string): Promise<EmbeddedMeasurement> {
  const program = `
    const began = performance.now()
    const { startKafka } = await import(${JSON.stringify(index)})
    const first = await startKafka()
    const ready = performance.now()
    const held = () => { gc(); return process.memoryUsage().rss }
    const before = held()
    const later = []
    const times = []
    for (let index = 0; index < ${instances}; index++) {
      const at = performance.now()
      later.push(await startKafka())
      times.push(performance.now() - at)
    }
    const laterMb = (held() - before) / ${instances} / 1_048_576
    times.sort((a, b) => a - b)
    console.log(JSON.stringify({ firstMs: ready - began, laterMs: times[${instances / 2}], laterMb }))`
  const { stdout } = await runProgram(process.execPath, ['--expose-gc', '--input-type=module', '-e', program])
  // The cast is safe because the program above writes this JSON.
  return JSON.parse(stdout) as EmbeddedMeasurement
}
