// One producer of a bench: sends batches one after another, to each partition in turn, and measures until each is acknowledged.
import { UserError } from 'local-kafka-service/internal/user-error'
import { pause } from '../../cluster/cluster-client.ts'
import type { ConnectionOptions } from '../../cluster/connection-options.ts'
import type { Terminal } from '../client-command.ts'
import { BatchSender } from '../records/batch-sender.ts'
import { openWriter } from '../records/clients.ts'
import { innermostMessage } from '../records/innermost-message.ts'
import type { ProduceOutcome } from '../records/produce-outcome.ts'
import type { PlacedRecord } from '../records/record-chunk.ts'
import type { BenchPlan } from './bench-plan.ts'
import type { BenchValues } from './bench-values.ts'
import type { Latencies } from './latencies.ts'

export interface ProducedTotals {
  /** Acknowledged. */
  readonly records: number
  readonly requests: number
}

interface BenchProducerOptions {
  readonly plan: BenchPlan
  readonly values: BenchValues
  /** Of all producers together. */
  readonly latencies: Latencies
  readonly partitions: readonly number[]
  readonly index: number
  readonly connection: ConnectionOptions
  readonly terminal: Pick<Terminal, 'talk'>
}

export class BenchProducer implements ProducedTotals {
  readonly #options: BenchProducerOptions
  readonly #sender: BatchSender
  records = 0
  requests = 0

  private constructor(options: BenchProducerOptions, sender: BatchSender) {
    this.#options = options
    this.#sender = sender
  }

  static async open(options: BenchProducerOptions): Promise<BenchProducer> {
    const { connection, plan, terminal } = options
    const client = await openWriter(connection)
    const report = (line: string): void => void terminal.talk.write(`${line}\n`)
    const { topic, acks, compression } = plan
    return new BenchProducer(options, new BatchSender({ client, topic, acks, compression, report }))
  }

  /** Until the signal aborts; the last batch is still acknowledged. Rejects with a UserError if the cluster does not take a batch. */
  async run(signal: AbortSignal): Promise<void> {
    const { plan, latencies, partitions, index } = this.#options
    const beganMs = performance.now()
    for (let turn = index; !signal.aborted; turn++) {
      const partition = partitions[turn % partitions.length] ?? 0
      const sentMs = performance.now()
      const outcome = await this.#sender.send(this.#batch(partition))
      if (outcome.acknowledged.size === 0) throw notTaken(outcome)
      latencies.add(performance.now() - sentMs)
      this.records += plan.batch
      this.requests += 1
      if (plan.rate !== undefined) await this.#keepRate(beganMs, plan.rate, signal)
    }
  }

  async close(): Promise<void> {
    await this.#sender.close()
  }

  #batch(partition: number): readonly PlacedRecord[] {
    const { plan, values } = this.#options
    const timestampMs = Date.now()
    const nowMs = performance.now()
    return Array.from({ length: plan.batch }, (_, line) => ({
      partition,
      timestamp: undefined,
      timestampMs,
      key: null,
      value: values.value(nowMs, Math.random()),
      headers: [],
      line,
    }))
  }

  /** Waits until this producer's share of the rate allows the next batch. A producer that is late does not wait. */
  async #keepRate(beganMs: number, rate: number, signal: AbortSignal): Promise<void> {
    const dueMs = beganMs + (this.records * this.#options.plan.producers * 1000) / rate
    const waitMs = dueMs - performance.now()
    if (waitMs <= 0 || signal.aborted) return
    try {
      await pause(waitMs, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

function notTaken({ rejected, lastFailure }: ProduceOutcome): UserError {
  const [rejection] = rejected.values()
  return new UserError('LKS-4102', {
    what: 'the cluster did not take a batch, so the bench ended',
    why:
      rejection === undefined
        ? innermostMessage(lastFailure)
        : `${rejection.api}${rejection.message === undefined ? '' : `: ${rejection.message}`}`,
    fix: ['use smaller values or batches: --size, --batch', 'check the cluster: lks cluster health'],
    cause: lastFailure,
  })
}
