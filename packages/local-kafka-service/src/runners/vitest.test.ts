// Vitest's `test` with a Kafka server: it is prepared once, and every test has its own copy.
import { describe, expect, test } from 'vitest'
import { type Kafka, type StartKafkaOptions, UserError } from '../index.ts'
import { test as emptyTest, kafkaTest } from './vitest.ts'

const prepared: Kafka[] = []
const addresses = new Set<string>()
const events = new Set<string>()
const preparedTest = kafkaTest({
  topics: { orders: 3 },
  onEvent: ({ kind }) => events.add(kind),
  prepare: async (kafka) => {
    prepared.push(kafka)
    await kafka.produce('orders', { key: '42', value: 'prepared' })
    await kafka.group('shipping').seek('end', { topic: 'orders' })
  },
})

describe.concurrent('concurrent tests', () => {
  for (const name of ['one', 'another', 'a third']) {
    preparedTest(`${name} has the prepared state, and sees no other test`, async ({ kafka }) => {
      addresses.add(kafka.bootstrapServers)
      await kafka.produce('orders', { key: '42', value: name })
      expect((await kafka.records('orders')).map((record) => record.text())).toEqual(['prepared', name])
      expect(await kafka.group('shipping').lag()).toBe(1)
    })
  }
})

preparedTest('prepare ran once, and its result is unchanged', async ({ kafka }) => {
  expect(prepared).toHaveLength(1)
  expect(addresses.size).toBe(3)
  expect([...addresses]).not.toContain(prepared[0]?.bootstrapServers)
  expect(await prepared[0]?.records('orders')).toHaveLength(1)
  expect(await kafka.records('orders')).toHaveLength(1)
})

let last: Kafka | undefined
preparedTest('a test that stops or breaks its server does not affect others', async ({ kafka }) => {
  await kafka.kill()
  last = kafka
})
preparedTest('the next test has an intact server', async ({ kafka }) => {
  await expect(last?.records('orders')).rejects.toThrow('stopped')
  expect(await kafka.records('orders')).toHaveLength(1)
})

preparedTest('onEvent receives the events of the server of a test', async ({ kafka }) => {
  events.clear()
  await kafka.produce('orders', 'heard')
  expect([...events]).toContain('committed')
})

describe('N6: the server of a test outlives its onTestFinished functions', () => {
  let ended: Kafka | undefined
  const found: unknown[] = []
  emptyTest('an application is stopped in onTestFinished', async ({ kafka, onTestFinished }) => {
    ended = kafka
    onTestFinished(async () => {
      await kafka.produce('last-words', 'bye')
      found.push((await kafka.records('last-words')).map((record) => record.text()))
    })
  })
  test('it could still produce, and the server ended after that', async () => {
    expect(found).toEqual([['bye']])
    await expect(ended?.records('last-words')).rejects.toThrow('stopped')
  })
})

describe('N6: a fixture that depends on the server is stopped before it', () => {
  const found: unknown[] = []
  const appTest = emptyTest.extend<{ readonly app: { readonly name: string } }>({
    app: async ({ kafka }, use) => {
      await use({ name: 'app' })
      await kafka.produce('last-words', 'bye')
      found.push(await kafka.records('last-words'))
    },
  })
  appTest('an application', ({ app }) => {
    expect(app.name).toBe('app')
  })
  test('it could still produce', () => {
    expect(found).toHaveLength(1)
  })
})

emptyTest('without options the server is empty', async ({ kafka }) => {
  await kafka.createTopic('orders', 1)
  expect(await kafka.records('orders')).toEqual([])
})

test.each([{ port: 9092 }, { dir: '.lks' }, { storage: 's3://bucket' }, { metadata: 'postgres://host/database' }])(
  '%o is rejected: it is for a single server, not for one per test',
  (options: StartKafkaOptions) => {
    expect(() => kafkaTest(options)).toThrow(UserError)
  },
)
