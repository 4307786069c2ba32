// pnpm bench [NAME…] [OPTION…]: ratios within one run, against baselines of the same run and an older checkout. `--help` names the benches and the options.
import { kafkaTool } from './apache-kafka.ts'
import { clusterBenches } from './cluster.ts'
import { codecBenches } from './codecs.ts'
import { coldBenches } from './cold.ts'
import { compactionBenches } from './compaction.ts'
import { embeddedBenches } from './embedded.ts'
import { forkBenches } from './forks.ts'
import { groupBenches } from './groups.ts'
import { growthBenches } from './growth.ts'
import { kafkaBenches } from './kafka.ts'
import { kafkaClientBenches } from './kafka-client.ts'
import { memoryBenches } from './memory.ts'
import { mergeBenches } from './merge.ts'
import { type BenchCommandLine, type BenchOptions, parseBenchArguments } from './options.ts'
import { fetchBench, latencyBench, produceBenches } from './produce.ts'
import { type BenchRow, print } from './report.ts'
import { startBenches } from './start.ts'
import { storeBenches } from './store.ts'
import { tailBenches } from './tail.ts'
import { transactionBenches } from './transactions.ts'

const kib = 1024

interface Bench {
  readonly measures: string
  /** Minutes of a whole run without `--against`, which doubles them. */
  readonly minutes: number
  readonly run: (options: BenchOptions) => Promise<readonly BenchRow[]>
  /** It compares one build with itself, so `--against` has no meaning. */
  readonly alone?: true
  readonly needsKafka?: true
}

const benches: Readonly<Record<string, Bench>> = {
  start: { measures: 'the start of a process, and its idle memory', minutes: 0.5, run: startBenches },
  embedded: { measures: 'startKafka() in a process', minutes: 0.2, run: embeddedBenches },
  forks: { measures: 'forks and snapshots of an embedded server', minutes: 0.2, run: forkBenches },
  latency: {
    measures: 'one produce at a time, against the bare loop',
    minutes: 0.6,
    run: async (options) => [await latencyBench(options, 'os'), await latencyBench(options, 'strict')],
  },
  // A batch with exactly 1 MiB of records exceeds max.message.bytes because of its headers; this one is as large as a batch may be.
  produce: {
    measures: 'produces of 1 KiB to 1 MiB, against the bare loop',
    minutes: 1,
    run: (options) => produceBenches(options, [kib, 16 * kib, kib * kib], 'os'),
  },
  codecs: {
    measures: 'the cost of opening compressed batches',
    minutes: 2,
    run: (options) => codecBenches(options, [16 * kib, 128 * kib, kib * kib]),
    alone: true,
  },
  strict: {
    measures: 'produces with a sync, against the bare loop',
    minutes: 0.6,
    run: (options) => produceBenches(options, [16 * kib, kib * kib], 'strict'),
  },
  fetch: { measures: 'fetches of 1 MiB, against the bare loop', minutes: 0.3, run: fetchBench },
  store: { measures: 'a lone produce to a slow store, and commits per second', minutes: 0.4, run: storeBenches },
  groups: { measures: 'groups of growing size, and offset commits per second', minutes: 3, run: groupBenches, alone: true },
  memory: { measures: 'mark-compacts per GB and peak memory, in both directions', minutes: 1.5, run: memoryBenches },
  tail: { measures: 'a consumer at the end beside one that reads 2 GB of old records', minutes: 3.5, run: tailBenches },
  cold: { measures: "Kafka's perf tools with a store of 100 ms, on 1 and 12 partitions", minutes: 4, run: coldBenches, needsKafka: true },
  compaction: { measures: "log compaction of a million keys, beside Kafka's log cleaner", minutes: 4, run: compactionBenches },
  merge: { measures: 'GETs and rows per GB, before and after merges', minutes: 8, run: mergeBenches, alone: true },
  cluster: {
    measures: 'produce and reads of commits with 2 agents, and commits of 1, 2 and 4 agents on one PostgreSQL',
    minutes: 3,
    run: clusterBenches,
    alone: true,
  },
  growth: { measures: 'start, commit and look-ups with 10 times the segment rows', minutes: 1, run: growthBenches, alone: true },
  kafka: { measures: "Kafka's perf tools, against Apache Kafka", minutes: 6, run: kafkaBenches, needsKafka: true },
  'kafka-client': {
    measures: 'produces of one Node client, against Apache Kafka',
    minutes: 1.5,
    run: kafkaClientBenches,
    needsKafka: true,
  },
  transactions: {
    measures: 'the latency of a transaction on 1, 10 and 100 partitions, against Apache Kafka',
    minutes: 2,
    run: transactionBenches,
    needsKafka: true,
  },
}

const usage = `usage: pnpm bench [NAME…] [--against DIR] [--quick] [--rounds N] [--json]

Without a name, all run. Each ends on its own; the minutes are those of a usual run:

${Object.entries(benches)
  .map(
    ([name, { measures, minutes, needsKafka }]) =>
      `  ${name.padEnd(14)}${String(minutes).padStart(4)} min  ${measures}${needsKafka ? ' *' : ''}`,
  )
  .join('\n')}

  * needs LKS_TEST_KAFKA, the tool that starts Apache Kafka. PostgreSQL is measured if LKS_TEST_POSTGRES names a server.

  --against DIR  also measure the build of an older checkout of this repository in DIR, in turn with this one, and print ours divided by
                 its result. Takes twice as long; ${names(({ alone }) => alone)} do not have it
  --quick        the smallest form: shows that a bench works, and its figures mean little
  --rounds N     rounds that count, instead of those that a bench has by default
  --json         one line of JSON per row

Needs a build: run pnpm build first, in DIR, too.`

function names(wanted: (bench: Bench) => unknown): string {
  return Object.entries(benches)
    .filter(([, bench]) => wanted(bench))
    .map(([name]) => name)
    .join(' and ')
}

function parsed(): BenchCommandLine | undefined {
  try {
    return parseBenchArguments(process.argv.slice(2), Object.keys(benches))
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exitCode = 2
    return undefined
  }
}

const command = parsed()
if (command?.help === true) console.log(usage)
else if (command !== undefined) print(await rowsOf(command.names, command.options), command.json)

async function rowsOf(given: readonly string[], options: BenchOptions): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = []
  for (const [name, { run, alone, needsKafka }] of Object.entries(benches)) {
    if (given.length > 0 && !given.includes(name)) continue
    if (needsKafka && kafkaTool === undefined) console.error(`${name}: skipped, because LKS_TEST_KAFKA is not set`)
    else if (alone && options.builds.length > 1) console.error(`${name}: skipped, because it cannot run with --against`)
    else rows.push(...(await run(options)))
  }
  return rows
}
