// pnpm bench [NAME…] [--json]: ratios within one run, against baselines of the same run. Names: produce codecs strict latency fetch start embedded forks store groups kafka; without a name, all run.
// Needs a build (`pnpm build`). PostgreSQL is measured if LKS_TEST_POSTGRES names a server, Apache Kafka if LKS_TEST_KAFKA names its tool.

import { codecBenches } from './codecs.ts'
import { embeddedBenches } from './embedded.ts'
import { forkBenches } from './forks.ts'
import { groupBenches } from './groups.ts'
import { kafkaBenches } from './kafka.ts'
import { fetchBench, latencyBench, produceBenches } from './produce.ts'
import { type BenchRow, print } from './report.ts'
import { startBenches } from './start.ts'
import { storeBenches } from './store.ts'

const kib = 1024
const benches: Readonly<Record<string, () => Promise<readonly BenchRow[]>>> = {
  start: startBenches,
  embedded: embeddedBenches,
  forks: forkBenches,
  latency: async () => [await latencyBench('os'), await latencyBench('strict')],
  // A batch with exactly 1 MiB of records exceeds max.message.bytes because of its headers; this one is as large as a batch may be.
  produce: () => produceBenches([kib, 16 * kib, kib * kib], 'os'),
  codecs: () => codecBenches([16 * kib, 128 * kib, kib * kib]),
  strict: () => produceBenches([16 * kib, kib * kib], 'strict'),
  fetch: async () => [await fetchBench()],
  store: storeBenches,
  groups: groupBenches,
  kafka: kafkaBenches,
}

const given = process.argv.slice(2)
const names = given.filter((argument) => !argument.startsWith('--'))
const unknown = [
  ...names.filter((name) => !(name in benches)),
  ...given.filter((argument) => argument.startsWith('--') && argument !== '--json'),
]
if (unknown.length > 0) {
  console.error(`${unknown.join(' ')}: unknown; use ${Object.keys(benches).join(' ')} --json`)
  process.exitCode = 2
} else {
  const rows: BenchRow[] = []
  for (const [name, bench] of Object.entries(benches)) if (names.length === 0 || names.includes(name)) rows.push(...(await bench()))
  print(rows, given.includes('--json'))
}
