// The consumer of a bench: reads all partitions from their ends of the start, and measures how long its own records were on their way.
import { onAbort } from '@local-kafka-service/agent/abort'
import type { Consumer } from '@platformatic/kafka'
import type { CommandContext } from '../client-command.ts'
import { clusterRetries } from '../records/cluster-retries.ts'
import { readingsOf } from '../records/partition-offsets.ts'
import type { PartitionProgress } from '../records/partition-progress.ts'
import { readPartitions } from '../records/partition-reader.ts'
import type { BenchValues } from './bench-values.ts'
import { Latencies } from './latencies.ts'

interface BenchConsumerOptions {
  readonly client: Consumer
  readonly topic: string
  readonly partitions: readonly number[]
  readonly values: BenchValues
  readonly context: Pick<CommandContext, 'terminal' | 'signal'>
}

export class BenchConsumer {
  readonly latencies = new Latencies()
  /** Its own records that arrived. */
  records = 0
  #firstMs: number | undefined
  #lastMs = 0
  #wanted = Number.POSITIVE_INFINITY
  readonly #ending = new AbortController()
  readonly #running: Promise<void>

  private constructor(options: BenchConsumerOptions, readings: readonly PartitionProgress[]) {
    this.#running = this.#run(options, readings)
    // A failure is reported by `until` or `stop`, not by the process.
    this.#running.catch(() => {})
  }

  /** Settles when it knows where to begin: what is produced from then on arrives. */
  static async open(options: BenchConsumerOptions): Promise<BenchConsumer> {
    const { client, topic, partitions } = options
    const readings = await readingsOf(client, { topic, partitions, range: { from: { kind: 'end' }, until: undefined } })
    return new BenchConsumer(options, readings)
  }

  /** From the first record to the last. */
  get seconds(): number {
    return this.#firstMs === undefined ? 0 : (this.#lastMs - this.#firstMs) / 1000
  }

  /** Settles when that many records have arrived, or when the signal aborts. Rejects when reading failed. */
  async until(records: number, signal: AbortSignal): Promise<void> {
    this.#wanted = records
    if (this.records >= records || signal.aborted) this.#ending.abort()
    const release = onAbort(signal, () => this.#ending.abort())
    try {
      await this.#running
    } finally {
      release()
    }
  }

  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  async #run({ client, values, context }: BenchConsumerOptions, readings: readonly PartitionProgress[]): Promise<void> {
    const signal = AbortSignal.any([context.signal, this.#ending.signal])
    const report = (line: string): void => void context.terminal.talk.write(`${line}\n`)
    const retries = clusterRetries({ waitMs: 60_000, signal, report })
    try {
      for await (const blocks of readPartitions({ client, readings, retries, signal, report })) {
        const nowMs = performance.now()
        for (const { records } of blocks) {
          for (const { value } of records) {
            const sentMs = values.sentAtMs(value)
            if (sentMs === undefined) continue
            this.records += 1
            this.#firstMs ??= sentMs
            this.#lastMs = nowMs
            this.latencies.add(nowMs - sentMs)
          }
        }
        if (this.records >= this.#wanted) return
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}
