// A Kafka inside a process: the time to start the first one, including the import, and the time and memory of each later one, against an idle Node process.
import { join } from 'node:path'
import { runProgram } from '../packages/sim/src/program.ts'
import { repository } from './processes.ts'
import { type BenchRow, median } from './report.ts'
import { nodeMs } from './start.ts'

const runs = 9
const instances = 50

interface EmbeddedMeasurement {
  readonly firstMs: number
  readonly laterMs: number
  readonly laterMb: number
}

export async function embeddedBenches(): Promise<readonly BenchRow[]> {
  await measured() // fills the caches of the file system
  const all: EmbeddedMeasurement[] = []
  const empty: number[] = []
  for (let run = 0; run < runs; run++) {
    empty.push(await nodeMs())
    all.push(await measured())
  }
  const of = (name: keyof EmbeddedMeasurement): number => median(all.map((one) => one[name]))
  return [
    {
      bench: 'startKafka: ready, with its import',
      ours: `${of('firstMs').toFixed(0)} ms`,
      baseline: `${median(empty).toFixed(0)} ms (node -e 0)`,
      ratio: of('firstMs') / median(empty),
      goal: '< 150 ms',
    },
    {
      bench: `startKafka: each of ${instances} later ones`,
      ours: `${of('laterMs').toFixed(1)} ms`,
      baseline: `${of('firstMs').toFixed(0)} ms (the first)`,
      ratio: of('laterMs') / of('firstMs'),
      goal: '< 10 ms',
    },
    {
      bench: 'startKafka: memory of each later one',
      ours: `${of('laterMb').toFixed(2)} MB`,
      baseline: '',
      ratio: undefined,
      goal: '≤ 3 MB',
    },
  ]
}

/** Runs in a separate process. The memory is the growth of the whole process after a garbage collection: the heap and everything else. */
async function measured(): Promise<EmbeddedMeasurement> {
  const index = join(repository, 'packages/local-kafka-service/dist/index.js')
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
