// A producer over the record transactions, like that of HTTP: it sends one record at a time under an idempotency key, to the current life, until the answer is definite.
import { MetadataError, orLate, type Produced } from '@local-kafka-service/agent'
import type { Range } from './chance.ts'
import { type ClientParts, retryBackoffMs } from './cluster-client.ts'
import { keyOf, type Value, valueOf } from './records.ts'
import type { RunningAgent } from './running-agent.ts'

export interface KeyedProducerOptions {
  readonly name: string
  readonly requests: number
  readonly paceMs: Range
}

/** Longer than the transaction's own time-out: a life that does not answer by then was killed or is frozen. */
const answerMs = 35_000

export class KeyedProducer {
  readonly #parts: ClientParts
  readonly #options: KeyedProducerOptions
  readonly #serving: () => RunningAgent | undefined

  constructor(parts: ClientParts, options: KeyedProducerOptions, serving: () => RunningAgent | undefined) {
    this.#parts = parts
    this.#options = options
    this.#serving = serving
  }

  /** Resolves when every record is stored. */
  async run(): Promise<void> {
    const { time, chance, topic } = this.#parts
    for (let number = 1; number <= this.#options.requests; number += 1) {
      await time.sleep(chance.between(this.#options.paceMs))
      const partition = chance.whole([0, topic.partitions - 1])
      while (!(await this.#stored(valueOf(this.#options.name, number), partition))) await time.sleep(retryBackoffMs)
    }
  }

  async #stored(value: Value, partition: number): Promise<boolean> {
    const { time, checker, topic, trace } = this.#parts
    const running = this.#serving()
    if (running === undefined || running.life.state !== 'running') return false
    const asked = {
      topic: topic.name,
      partition,
      key: Buffer.from(keyOf(value)),
      value: Buffer.from(value),
      idempotencyKey: value,
      signal: new AbortController().signal,
    }
    const producing = running.agent.operations.records.produceOne(asked)
    const answer = await orLate(producing, { clock: time, afterMs: answerMs }, { kind: 'silent' as const }).catch(unavailable)
    trace.write(this.#options.name, `${value} in ${partition}: ${answer.kind === 'appended' ? `offset ${answer.offset}` : answer.kind}`)
    if (answer.kind === 'key reused')
      checker.violate('I8 an idempotent record is stored once and in order', `the key of ${value} stands for another record`)
    if (answer.kind !== 'appended') return false
    checker.acked([value], topic.topicId, answer.partition, answer.offset)
    return true
  }
}

function unavailable(error: unknown): { readonly kind: 'unavailable' } | Produced {
  if (error instanceof MetadataError) return { kind: 'unavailable' }
  throw error
}
