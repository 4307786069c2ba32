// Vitest's `test` with a Kafka server: each worker prepares one server, and a test that names the fixture `kafka` gets a fork of it, which ends with the test.
import { type TestAPI, test as vitestTest } from 'vitest'
import { type Kafka, type StartKafkaOptions, startKafka, UserError } from '../index.ts'

/** The options of `startKafka`, except the addresses and the storage: servers of tests are in memory, on free ports. */
export interface KafkaTestOptions extends Omit<StartKafkaOptions, (typeof ofOneServer)[number] | 'http'> {
  /** Also serve HTTP on free ports. Default: no HTTP. */
  readonly http?: boolean | { readonly allowedHosts?: readonly string[] }
  /** Called once in each worker, before its first test with a server: every test starts with what it produces, creates and seeks. */
  readonly prepare?: (kafka: Kafka) => Promise<unknown>
}

/** The fixtures of a test. */
export interface KafkaFixture {
  /**
   * A server in the state after `options` and `prepare`, in memory, on its own port. Tests do not see each other: they may use the same names of topics and groups,
   * and run concurrently. `reset()` returns to the option `topics`, without the work of `prepare`.
   */
  readonly kafka: Kafka
}

/** `const test = kafkaTest({ topics: { orders: 3 } })`: each test starts with these topics. It can be extended like Vitest's own. */
export function kafkaTest({ prepare, ...options }: KafkaTestOptions = {}): TestAPI<KafkaFixture> {
  // TypeScript rejects these options; this check is for JavaScript.
  const given: StartKafkaOptions = options
  const fixed = ofOneServer.find((name) => given[name] !== undefined)
  if (fixed !== undefined)
    throw new UserError('LKS-1004', {
      what: `kafkaTest() does not take the option ${fixed}`,
      why: 'each test has its own server, in memory, on a free port',
      fix: [`remove ${fixed}`, 'start from a snapshot: kafkaTest({ from })', 'start it yourself: startKafka()'],
    })
  return vitestTest.extend<KafkaFixture & { readonly kafkaOfWorker: Kafka }>({
    kafkaOfWorker: [
      // Vitest reads the names of fixtures from this destructuring pattern.
      // oxlint-disable-next-line no-empty-pattern
      async ({}, use) => {
        await using kafka = await startKafka(options)
        await prepare?.(kafka)
        await use(kafka)
      },
      { scope: 'worker' },
    ],
    kafka: async ({ kafkaOfWorker, onTestFinished }, use) => {
      const { onEvent } = options
      const kafka = await kafkaOfWorker.fork(onEvent && { onEvent })
      // Vitest ends fixtures before it calls these functions, and calls them in reverse order: an application that the test stops there still has its server.
      onTestFinished(() => kafka.stop())
      await use(kafka)
    },
  })
}

const ofOneServer = ['port', 'dir', 'storage', 'metadata'] as const

/** Each test starts with an empty server. */
export const test: TestAPI<KafkaFixture> = kafkaTest()
