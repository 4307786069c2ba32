// For node:test, and for any runner with an `after` per test: a server that stops when the test ends.
import { type Kafka, type StartKafkaOptions, startKafka } from '../index.ts'

/** The context of a test, or `node:test` itself for one server per file. */
export interface Ends {
  after(stop: () => Promise<void>): void
}

/** `const kafka = await kafkaFor(t, { topics: { orders: 3 } })` */
export async function kafkaFor(test: Ends, options: StartKafkaOptions = {}): Promise<Kafka> {
  const kafka = await startKafka(options)
  test.after(() => kafka.stop())
  return kafka
}
