// The cost of unpacking compressed batches at produce: the same server with and without validate.compressed.batches, in turns.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codecNames } from '@local-kafka-service/protocol'
import { checkProduced, compressedProduceFrame, createTopic } from './frames.ts'
import type { BenchOptions } from './options.ts'
import { ours } from './processes.ts'
import { measure, medians, secondsPerRound, size } from './produce.ts'
import type { BenchRow } from './report.ts'
import { inTurn } from './rounds.ts'
import { WireClient } from './wire-client.ts'

const defaultRounds = 3

/** `sizes` are the sizes of the records before compression. */
export async function codecBenches(options: BenchOptions, sizes: readonly number[]): Promise<readonly BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    const [build] = options.builds
    await using opening = await ours({ build, args: ['--dir', join(folder, 'opening'), '--validate-compressed-batches', 'true'] })
    await using opaque = await ours({ build, args: ['--dir', join(folder, 'opaque'), '--validate-compressed-batches', 'false'] })
    for (const { port } of [opening, opaque]) {
      const client = await WireClient.open(port)
      await createTopic(client)
      client.close()
    }
    const rows: BenchRow[] = []
    for (const sizeBytes of sizes) {
      for (const codec of codecNames) {
        const frame = compressedProduceFrame(sizeBytes, codec)
        const rounds = { rounds: options.rounds ?? (options.quick ? 1 : defaultRounds), warmUps: 1 }
        const load = { inFlight: 5, seconds: secondsPerRound(options), check: checkProduced }
        const samples = await inTurn([opening, opaque], rounds, (server) => measure(server, frame, load))
        const [opened, untouched] = [medians(samples[0] ?? []), medians(samples[1] ?? [])]
        rows.push({
          bench: `produce ${size(sizeBytes)} of records, ${codec} (${(frame.batchBytes / 1024).toFixed(0)} KiB sent)`,
          ours: `${opened.megabytesPerSecond.toFixed(0)} MB/s, ${opened.cpuSecondsPerGb.toFixed(1)} CPU s/GB`,
          baseline: `${untouched.megabytesPerSecond.toFixed(0)} MB/s, ${untouched.cpuSecondsPerGb.toFixed(1)} CPU s/GB`,
          ratio: opened.cpuSecondsPerGb / untouched.cpuSecondsPerGb,
          goal: '',
        })
      }
    }
    return rows
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
