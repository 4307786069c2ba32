// The row of `lks bench`: a load on any Kafka cluster, with its throughput and latencies.
import type { ClientCommand } from '../client-command.ts'
import { countAbove } from '../config-pairs.ts'
import { durationOption } from '../duration-option.ts'
import { outputOption } from '../output/output.ts'
import { compressionOption } from '../records/compression-option.ts'
import { oneOf } from '../records/option-checks.ts'
import { benchAcks } from './bench-words.ts'

export const bench: ClientCommand = {
  path: ['bench'],
  summary: 'Measure throughput and latency of a cluster under load.',
  minor: true,
  arguments: [],
  options: [
    durationOption({ name: 'duration', default: '10s', doc: 'How long it produces.' }),
    {
      name: 'topic',
      placeholder: 'topic',
      doc: 'An existing topic, which keeps the records. Default: a topic of its own, which it deletes at the end.',
      completes: 'topic',
    },
    { name: 'partitions', short: 'p', placeholder: 'count', default: '6', doc: 'The partitions of its own topic.', check: countAbove(1) },
    {
      name: 'size',
      short: 's',
      placeholder: 'bytes',
      default: '1000',
      doc: 'The size of each value, at least 16 bytes.',
      check: (value) => countAbove(16)(value) ?? (Number(value) <= mostBytes ? undefined : `must be at most ${mostBytes}`),
    },
    { name: 'producers', placeholder: 'count', default: '4', doc: 'Producers that send at the same time.', check: countAbove(1) },
    {
      name: 'batch',
      placeholder: 'records',
      doc: 'Records of each request. Default: up to 500, and no more than a megabyte.',
      check: countAbove(1),
    },
    {
      name: 'rate',
      placeholder: 'records',
      doc: 'Records a second of all producers together. Default: as many as the cluster takes.',
      check: countAbove(1),
    },
    compressionOption,
    {
      name: 'acks',
      placeholder: 'acks',
      default: 'all',
      doc: 'all (without duplicates), or 1 (the leader).',
      completes: benchAcks,
      check: oneOf(benchAcks),
    },
    { name: 'produce-only', doc: 'Do not consume what was produced.' },
    outputOption,
  ],
  examples: ['lks bench', 'lks bench --rate 1000 --duration 30s', 'lks bench -b broker:9092 --size 200 -z zstd -o json'],
  async run(given, context) {
    const { runBench } = await import('./bench-run.ts')
    await runBench(given, context)
  },
}

/** Below the default limit of a topic for a batch. */
const mostBytes = 900_000
