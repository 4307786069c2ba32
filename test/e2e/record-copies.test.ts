// lks consume and produce on topics that Apache Kafka's transactions wrote: what is read of them, and that a copy is exact.
import { Admin, Producer, stringSerializers } from '@platformatic/kafka'
import { describe, expect, test } from 'vitest'
import { printed } from './testing/client-command.ts'
import { hasKafkaBroker, startKafkaBroker } from './testing/kafka-broker.ts'
import { linesOf } from './testing/programs.ts'
import { startServer } from './testing/server.ts'

describe.runIf(hasKafkaBroker())('transactions of Apache Kafka', () => {
  test('what was aborted is not printed, what is open is not waited for, and the end is found behind markers', async () => {
    await using apache = await startKafkaBroker()
    const { kafka } = apache
    const options = { clientId: 'e2e', bootstrapBrokers: [kafka], serializers: stringSerializers, idempotent: true }
    const admin = new Admin({ clientId: 'e2e', bootstrapBrokers: [kafka] })
    await admin.createTopics({ topics: ['paid'], partitions: 1, replicas: 1 })
    await admin.close()
    const producer = new Producer({ ...options, transactionalId: 'payer' })
    const inTransaction = async (end: 'commit' | 'abort' | 'leave open', ...values: readonly string[]): Promise<void> => {
      const transaction = await producer.beginTransaction()
      for (const value of values) await transaction.send({ messages: [{ topic: 'paid', partition: 0, value }] })
      if (end === 'commit') await transaction.commit()
      if (end === 'abort') await transaction.abort()
    }
    await inTransaction('abort', 'a1', 'a2')
    await inTransaction('commit', 'c1')
    await inTransaction('abort', 'a3')
    await inTransaction('commit', 'c2', 'c3')
    await inTransaction('abort', 'a4')
    await inTransaction('leave open', 'o1')
    expect(linesOf(await printed(kafka, ['consume', 'paid', '-e']))).toEqual(['c1', 'c2', 'c3'])
    expect(linesOf(await printed(kafka, ['query', 'paid', '-o', 'name']))).toEqual(['paid[0]@3', 'paid[0]@7', 'paid[0]@8'])
    await producer.close()
  })
})

describe.runIf(hasKafkaBroker())('from Apache Kafka to this server and back', () => {
  test('C15: a month of history in every codec, with the gaps that transactions leave, is copied exactly', async () => {
    await using apache = await startKafkaBroker()
    await using ours = await startServer({ args: ['--memory'] })
    for (const { kafka } of [apache, ours]) {
      const admin = new Admin({ clientId: 'e2e', bootstrapBrokers: [kafka] })
      // The records are years old: Kafka would remove them as soon as it looks.
      const configs = [{ name: 'retention.ms', value: '-1' }]
      await admin.createTopics({ topics: ['history', 'copy'], partitions: 2, replicas: 1, configs })
      await admin.close()
    }
    const producer = new Producer({
      clientId: 'e2e',
      bootstrapBrokers: [apache.kafka],
      serializers: stringSerializers,
      idempotent: true,
      transactionalId: 'history',
    })
    const day = 24 * 3_600_000
    const started = 1_700_000_000_000
    for (const [at, compression] of (['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const).entries()) {
      for (const end of ['commit', 'abort'] as const) {
        const transaction = await producer.beginTransaction()
        const messages = [0, 1].flatMap((partition) =>
          [0, 1, 2].map((nth) => ({
            topic: 'history',
            partition,
            key: `k${nth}`,
            value: `${compression} ${end} ${nth}`,
            headers: { codec: compression },
            timestamp: BigInt(started + (at * 6 + nth * 2) * day),
          })),
        )
        await transaction.send({ messages, compression })
        await transaction[end]()
      }
    }
    await producer.close()
    const history = await printed(apache.kafka, ['consume', 'history', '-e', '-o', 'json'])
    const lines = linesOf(history)
    expect(lines).toHaveLength(30)
    const withoutPlace = (text: string): readonly string[] =>
      linesOf(text)
        .map((line) => line.replace(/^\{"topic":"[^"]*",/, '{').replace(/"offset":\d+,/, ''))
        .toSorted()
    await printed(ours.kafka, ['produce', 'history', '--json', '-z', 'zstd'], Buffer.from(history, 'latin1'))
    const here = await printed(ours.kafka, ['consume', 'history', '-e', '-o', 'json'])
    expect(withoutPlace(here)).toEqual(withoutPlace(history))
    await printed(apache.kafka, ['produce', 'copy', '--json', '-z', 'snappy'], Buffer.from(here, 'latin1'))
    expect(withoutPlace(await printed(apache.kafka, ['consume', 'copy', '-e', '-o', 'json']))).toEqual(withoutPlace(history))
  })
})
