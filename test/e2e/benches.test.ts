// The benches in their smallest form: each runs to its end and reports rows. Nothing is asserted about times.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runProgram } from '../../packages/sim/src/program.ts'
import { repository } from './testing/server.ts'

interface Row {
  readonly bench: string
  readonly ours: string
  readonly before?: string
  readonly change?: number
  readonly ratio?: number
}

async function bench(args: readonly string[], limitMs = 100_000): Promise<readonly Row[]> {
  const main = join(repository, 'bench/main.ts')
  const { stdout } = await runProgram(process.execPath, ['--conditions=lks-source', main, '--quick', '--json', ...args], { limitMs })
  // The cast is safe because the benches print one row as JSON on each line.
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
}

test.each(['start', 'embedded', 'forks', 'latency', 'produce', 'strict', 'fetch', 'store', 'memory', 'tail'])(
  'pnpm bench %s measures this checkout and another one in turn',
  async (name) => {
    const rows = await bench([name, '--against', repository])
    expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) {
      expect([row.bench, row.ours, row.before]).not.toContain('not measured')
      expect(row.before, row.bench).toBeDefined()
    }
  },
)

test.each(['codecs', 'growth'])('pnpm bench %s measures this checkout', async (name) => {
  for (const { ratio } of await bench([name])) expect(ratio).toBeGreaterThan(0)
})

test('pnpm bench cluster measures several agents against one', async () => {
  const rows = await bench(['cluster'], 280_000)
  for (const { bench: row, ratio } of rows.filter(({ bench: row }) => row.includes('agents'))) expect(ratio, row).toBeGreaterThan(0)
  expect(rows.map(({ ours }) => ours)).not.toContain('not measured')
}, 300_000)

test('pnpm bench merge measures before and after the merges', async () => {
  const rows = await bench(['merge'])
  expect(rows.find(({ bench: row }) => row.includes('rows per GB'))?.ratio).toBeLessThan(0.5)
})

test.runIf(process.env.LKS_TEST_KAFKA).for(['cold', 'compaction', 'kafka'])(
  'pnpm bench %s runs beside Apache Kafka or with its tools',
  async (name) => {
    const rows = await bench([name])
    expect(rows.length).toBeGreaterThan(0)
    expect(rows.map(({ ours }) => ours)).not.toContain('not measured')
    expect(rows.filter(({ bench: row }) => row.includes('CPU s per GB')).map(({ ratio }) => ratio)).not.toContain(undefined)
  },
)

test.each([
  [['nothing'], "'nothing' is not a bench"],
  [['start', '--against', join(repository, 'docs')], 'is not a checkout with a build'],
  [['start', '--rounds', 'many'], "--rounds: 'many' is not valid"],
] as const)('pnpm bench %s explains the wrong argument', async (args, message) => {
  await expect(bench(args)).rejects.toThrow(message)
})
