// Unknown options are rejected in every call that takes options.
import { expect, test } from 'vitest'
import { type Kafka, startKafka } from '../index.ts'

test.each<[where: string, ask: (kafka: Kafka) => Promise<unknown>, message: string]>([
  ['startKafka', () => startKafka({ topic: { a: 1 } } as never), "startKafka: 'topic' is not a known option; did you mean topics?"],
  ['its http', () => startKafka({ http: { controlport: 1 } } as never), 'did you mean controlPort?'],
  ['one of its topics', () => startKafka({ topics: { a: { partition: 2 } as never } }), 'did you mean partitions?'],
  ['createTopic', (kafka) => kafka.createTopic('a', { configs: {} } as never), 'did you mean config?'],
  ['records', (kafka) => kafka.records('there', { limits: 1 } as never), 'did you mean limit?'],
  ['waitFor', (kafka) => kafka.waitFor('there', 1, { timeout: 1 } as never), 'did you mean timeoutMs?'],
  ['ready', (kafka) => kafka.group('g').ready(1, { timeout: 1 } as never), 'did you mean timeoutMs?'],
  ['caughtUp', (kafka) => kafka.group('g').caughtUp({ timeout: 1 } as never), 'did you mean timeoutMs?'],
  ['seek', (kafka) => kafka.group('g').seek('end', { topics: 'there' } as never), 'did you mean topic?'],
  ['fork', (kafka) => kafka.fork({ onevent() {} } as never), 'did you mean onEvent?'],
  ['advance', (kafka) => kafka.clock.advance('1s', { session: 'expire' } as never), 'did you mean sessions?'],
  [
    'the clock’s sessions',
    (kafka) => kafka.clock.set(Date.now(), { sessions: 'gone' } as never),
    "sessions: 'gone' is not valid: use keep or expire",
  ],
])('of %s', async (_where, ask, message) => {
  await using kafka = await startKafka({ topics: { there: 1 } })
  await expect(ask(kafka)).rejects.toMatchObject({ name: 'UserError', code: 'LKS-1004', message: expect.stringContaining(message) })
})
