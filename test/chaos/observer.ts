// The observer of a run: it creates the topic, asks for committed offsets again and again, and knows the ends of the log. It uses kafkajs, or nothing that a client of the run shares.
import { setTimeout as delay } from 'node:timers/promises'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import type { ObserverLine, PartitionOffset } from './history.ts'
import { within } from './within.ts'

export class Observer implements AsyncDisposable {
  readonly #kafka: Kafka
  readonly #topic: string
  #admin: Admin | undefined
  #asked = 0

  constructor(bootstrap: string, topic: string) {
    const retry = { initialRetryTime: 100, maxRetryTime: 500, retries: 3 }
    this.#kafka = new Kafka({
      clientId: 'observer',
      brokers: bootstrap.split(','),
      logLevel: logLevel.NOTHING,
      requestTimeout: 5_000,
      retry,
    })
    this.#topic = topic
  }

  async createTopic(partitions: number): Promise<void> {
    const topics = [{ topic: this.#topic, numPartitions: partitions, replicationFactor: 1 }]
    await this.#patiently(async (admin) => await admin.createTopics({ topics, waitForLeaders: true }))
  }

  /** The end of each partition. */
  async ends(): Promise<ReadonlyMap<number, number>> {
    const offsets = await this.#patiently(async (admin) => await admin.fetchTopicOffsets(this.#topic))
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]))
  }

  /** Settles when the signal aborts. */
  async watchOffsets(groups: readonly string[], onLine: (line: ObserverLine) => void, signal: AbortSignal): Promise<void> {
    for (let turn = 0; !signal.aborted; turn += 1) {
      const group = groups[turn % groups.length] ?? ''
      const id = (this.#asked += 1)
      onLine({ f: 'fetch offsets', group, id })
      const offsets = await this.#once(async (admin) => await admin.fetchOffsets({ groupId: group, topics: [this.#topic] })).catch(
        (error: unknown) => onLine({ f: 'fault', text: `the observer gets no offsets of ${group}: ${String(error)}` }),
      )
      const pairs = offsets?.flatMap((topic) =>
        topic.partitions.map(({ partition, offset }): PartitionOffset => [partition, Number(offset)]),
      )
      if (pairs !== undefined) onLine({ f: 'fetched offsets', group, id, offsets: pairs })
      await delay(everyMs)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#admin !== undefined) await within(this.#admin.disconnect(), { what: 'the observer is disconnected', limitMs: answerMs })
  }

  async #once<T>(ask: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      if (this.#admin === undefined) {
        const admin = this.#kafka.admin()
        await within(admin.connect(), { what: 'the observer is connected', limitMs: answerMs })
        this.#admin = admin
      }
      return await within(ask(this.#admin), { what: 'the observer has an answer', limitMs: answerMs })
    } catch (error) {
      // Another connection, perhaps to another agent.
      void this.#admin?.disconnect().catch(() => {})
      this.#admin = undefined
      throw error
    }
  }

  async #patiently<T>(ask: (admin: Admin) => Promise<T>): Promise<T> {
    const until = performance.now() + patienceMs
    for (;;) {
      try {
        return await this.#once(ask)
      } catch (error) {
        if (performance.now() > until) throw error
        await delay(everyMs)
      }
    }
  }
}

const everyMs = 300
/** kafkajs tries a request up to four times, each for 5 s. */
const answerMs = 30_000
const patienceMs = 60_000
