// What merges change: GETs and rows per GB of a topic in small objects, before and after them, and their cost. And what does not grow with the log: the start,
// the commit and the look-up with ten times the rows.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { runProgram } from '../packages/sim/src/program.ts'
import { type Build, repository } from './builds.ts'
import { topic } from './frames.ts'
import type { BenchOptions } from './options.ts'
import { dropPageCache } from './page-cache.ts'
import { type OurServer, ours } from './processes.ts'
import { type BenchRow, comparedRow } from './report.ts'
import { writeSmallObjects } from './small-objects.ts'

/** One number of partitions, and the batches of a flush: some 340 KB together, as closed loops of Java producers make them, and small ones. */
interface MergeCase {
  readonly partitions: number
  readonly batchBytes: number
}

const cases: readonly MergeCase[] = [
  { partitions: 1, batchBytes: 80 * 1024 },
  { partitions: 1, batchBytes: 4 * 1024 },
  { partitions: 1, batchBytes: 1_024 },
  { partitions: 12, batchBytes: 28 * 1024 },
  { partitions: 12, batchBytes: 1_024 },
]
const storedBytes = 1e9
/** Before the merges each object of small batches is a request: that of a part of them is enough. */
const readBeforeBytes = 3e8
const quickBytes = 2e7
const mergeLimitMs = 900_000
/** The cache of `lks start`: what is merged and read at once are parts of it. */
const cache = ['--cache-bytes', String(512 * 1024 * 1024)]
/** Merges leave younger segments alone (`mergeQuietMs`). */
const quietMs = 30_000

interface ColdRead {
  readonly getsPerGb: number
  readonly rowsPerGb: number
}

export async function mergeBenches({ builds: [build], quick }: BenchOptions): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = []
  for (const one of quick ? cases.slice(3, 4) : cases) rows.push(...(await mergeRows(build, one, quick)))
  return rows
}

async function mergeRows(build: Build, { partitions, batchBytes }: MergeCase, quick: boolean): Promise<readonly BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    const bytes = await writeSmallObjects(build, folder, { partitions, batchBytes, bytes: quick ? quickBytes : storedBytes })
    const before = await coldRead(build, folder, { partitions, bytes, readBytes: Math.min(bytes, readBeforeBytes) })
    const cost = await mergeAll(build, folder)
    const after = await coldRead(build, folder, { partitions, bytes, readBytes: bytes })
    const name = `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}, batches of ${Math.round(batchBytes / 1024)} KiB`
    const row = (bench: string, mine: number, baseline: number | undefined, goal: string, digits = 0): BenchRow =>
      comparedRow({
        bench: `${name}: ${bench}`,
        ours: [mine],
        ...(baseline !== undefined && { baseline: [baseline], baselineName: 'before the merges' }),
        shown: (value) => value.toFixed(digits),
        goal,
      })
    return [
      row('GETs per GB, cold', after.getsPerGb, before.getsPerGb, '≤ 20'),
      row('rows per GB', after.rowsPerGb, before.rowsPerGb, '≤ 300'),
      row('bytes written per byte', 1 + cost.writtenBytes / bytes, undefined, '≤ 3', 2),
      row('CPU s per GB merged', cost.cpuSeconds / (cost.writtenBytes / 1e9), undefined, '', 1),
    ]
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** A read after a restart, with nothing in memory. */
async function coldRead(
  build: Build,
  folder: string,
  { partitions, bytes, readBytes }: { readonly partitions: number; readonly bytes: number; readonly readBytes: number },
): Promise<ColdRead> {
  await dropPageCache(folder)
  await using server = await ours({
    build,
    args: ['--dir', folder, ...cache, '--storage-merge-interval-ms', '-1', '--store-latency', '20ms'],
  })
  const gets = (): Promise<number> => server.metric('lks_store_requests_total', { operation: 'read' })
  const before = await gets()
  const reader = [join(repository, 'bench/cold-reader.ts'), String(server.port), topic, String(partitions), String(readBytes)]
  await runProgram(process.execPath, ['--conditions=lks-source', ...reader], { limitMs: mergeLimitMs })
  return { getsPerGb: ((await gets()) - before) / (readBytes / 1e9), rowsPerGb: rowsIn(folder) / (bytes / 1e9) }
}

async function mergeAll(build: Build, folder: string): Promise<{ readonly writtenBytes: number; readonly cpuSeconds: number }> {
  await setTimeout(quietMs)
  const args = ['--dir', folder, ...cache, '--storage-merge-interval-ms', '1000', '--storage-merge-max-age-ms', '0']
  await using server = await ours({ build, args })
  const began = server.cpuSeconds()
  await idle(server)
  return { writtenBytes: await server.metric('lks_merge_written_bytes_total'), cpuSeconds: server.cpuSeconds() - began }
}

/** Waits until no merge was made for some looks. */
async function idle(server: OurServer): Promise<void> {
  const limit = performance.now() + mergeLimitMs
  for (let [last, looks] = [-1, 0]; looks < 5; ) {
    if (performance.now() > limit) throw new Error(`merges are not done after ${mergeLimitMs / 1_000} s`)
    await setTimeout(2_000)
    const merges = await server.metric('lks_merge_written_bytes_total')
    looks = merges > 0 && merges === last ? looks + 1 : 0
    last = merges
  }
}

/** Of segments, and of objects that hold any. */
function rowsIn(folder: string): number {
  const database = new DatabaseSync(join(folder, 'metadata.db'), { readOnly: true })
  try {
    const count = (text: string): number => Number(database.prepare(text).get()?.['rows'])
    const objects = count('SELECT count(*) AS rows FROM (SELECT DISTINCT incarnation, sequence FROM segments)')
    return count('SELECT count(*) AS rows FROM segments') + objects
  } finally {
    database.close()
  }
}
