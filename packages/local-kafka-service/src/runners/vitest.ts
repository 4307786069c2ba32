// Vitest's `test` with a Kafka in it: one server is prepared per worker, and a test that names the fixture `kafka` gets a fork of it, which ends with the test.
import { type TestAPI, test as vitestTest } from 'vitest'
import { type Kafka, type StartKafkaOptions, startKafka, UserError } from '../index.ts'

/** As of `startKafka`, but for what says where a server is or where it keeps things: those of tests are in memory, on any free port. */
export interface KafkaTestOptions extends Omit<StartKafkaOptions, (typeof ofOneServer)[number] | 'http'> {
  /** Also serve HTTP, on any free ports. Default: no HTTP. */
  readonly http?: boolean | { readonly allowedHosts?: readonly string[] }
  /** Called once in each worker, before its first test with a Kafka: what it produces, creates and seeks is there at the beginning of every test. */
  readonly prepare?: (kafka: Kafka) => Promise<unknown>
}

/** What a test gets that names it. */
export interface KafkaFixture {
  /**
   * As `options` and `prepare` left it, in memory, on a port of its own. No test sees what another does: they may share names of topics and groups, and run side by
   * side. `reset()` goes back to the option `topics`, without what `prepare` did.
   */
  readonly kafka: Kafka
}

/** `const test = kafkaTest({ topics: { orders: 3 } })`: each test begins with these topics. It can be extended like Vitest's own. */
export function kafkaTest({ prepare, ...options }: KafkaTestOptions = {}): TestAPI<KafkaFixture> {
  // TypeScript refuses them; in JavaScript nobody else does.
  const given: StartKafkaOptions = options
  const fixed = ofOneServer.find((name) => given[name] !== undefined)
  if (fixed !== undefined)
    throw new UserError('LKS-1004', {
      what: `kafkaTest() takes no ${fixed}`,
      why: 'each test has a Kafka of its own, in memory, on any free port',
      fix: [`leave ${fixed} out`, 'begin with a snapshot: kafkaTest({ from })', 'start it yourself: startKafka()'],
    })
  return vitestTest.extend<KafkaFixture & { readonly kafkaOfWorker: Kafka }>({
    kafkaOfWorker: [
      // Vitest reads the names of fixtures from this pattern.
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
      // Vitest ends fixtures before it runs these, and runs them last in, first out: what the test stops there still has its Kafka.
      onTestFinished(() => kafka.stop())
      await use(kafka)
    },
  })
}

const ofOneServer = ['port', 'dir', 'storage', 'metadata'] as const

/** Each test begins with an empty Kafka. */
export const test: TestAPI<KafkaFixture> = kafkaTest()
