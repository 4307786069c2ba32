// Vitest's `test` with a Kafka in it: a test that names the fixture `kafka` gets a server of its own, which ends with the test.
import { type TestAPI, test as vitestTest } from 'vitest'
import { type Kafka, type StartKafkaOptions, startKafka } from '../index.ts'

export interface KafkaFixture {
  /** Empty but for the topics asked for, in memory, on a port of its own: tests may share names of topics and groups, and run side by side. */
  readonly kafka: Kafka
}

/** `const test = kafkaTest({ topics: { orders: 3 } })`: each server is started with these options. It can be extended like Vitest's own. */
export function kafkaTest(options: StartKafkaOptions = {}): TestAPI<KafkaFixture> {
  return vitestTest.extend<KafkaFixture>({
    // Vitest reads the names of fixtures from this pattern.
    // oxlint-disable-next-line no-empty-pattern
    kafka: async ({}, use) => {
      await using kafka = await startKafka(options)
      await use(kafka)
    },
  })
}

/** Each server is started without options. */
export const test: TestAPI<KafkaFixture> = kafkaTest()
