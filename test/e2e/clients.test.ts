// Real clients, unmodified, against a server in a process of its own: produce with every codec and every acks, fetch from any offset, administer.
import { Admin, Producer, stringSerializers } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { runProgram } from '../../packages/sim/src/program.ts'
import { topicValues } from './testing/http.ts'
import { kafkaTool, linesOf, needs, python } from './testing/programs.ts'
import { sharedServer } from './testing/restartable-server.ts'
import { stores } from './testing/stores.ts'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

describe.each(stores())('on $name', ({ fresh }) => {
  const server = sharedServer(fresh)

  describe('kcat', () => {
    const kcat = needs('kcat')

    kcat.each(codecs)('reads what it wrote: %s, with every acks and idempotent', async (codec) => {
      const topic = `kcat-${codec}`
      const ways = [
        ['-X', 'acks=1'],
        ['-X', 'acks=all'],
        ['-X', 'enable.idempotence=true'],
        ['-X', 'acks=0'],
      ]
      const expected: string[] = []
      for (const [index, way] of ways.entries()) {
        const lines = Array.from({ length: 50 }, (_, line) => `key${line}:${codec} ${index} ${line} ${'x'.repeat(200)}`)
        expected.push(...lines)
        await runProgram('kcat', ['-b', server.kafka, '-P', '-t', topic, '-p', '0', '-K:', '-z', codec, ...way], {
          input: `${lines.join('\n')}\n`,
        })
      }
      // acks=0 has no response: its records may still be on their way.
      const consumed = await runProgram('kcat', [
        '-b',
        server.kafka,
        '-C',
        '-t',
        topic,
        '-p',
        '0',
        '-o',
        'beginning',
        '-c',
        String(expected.length),
        '-K:',
      ])
      expect(linesOf(consumed.stdout)).toEqual(expected)
    })

    kcat('lists the cluster, fetches from any offset and asks for offsets by time', async () => {
      const lines = Array.from({ length: 20 }, (_, line) => `line ${line}`)
      await runProgram('kcat', ['-b', server.kafka, '-P', '-t', 'kcat-offsets', '-p', '0'], { input: `${lines.join('\n')}\n` })
      const { stdout } = await runProgram('kcat', ['-b', server.kafka, '-L', '-t', 'kcat-offsets'])
      expect(stdout).toMatch(/1 brokers:\n {2}broker 1 at .*:\d+ \(controller\)/)
      expect(stdout).toMatch(/topic "kcat-offsets" with 1 partitions:\n {4}partition 0, leader 1, replicas: 1, isrs: 1/)
      for (const offset of [0, 7, 19]) {
        const fetched = await runProgram('kcat', [
          '-b',
          server.kafka,
          '-C',
          '-t',
          'kcat-offsets',
          '-p',
          '0',
          '-o',
          String(offset),
          '-e',
          '-q',
        ])
        expect(linesOf(fetched.stdout)).toEqual(lines.slice(offset))
      }
      const last = await runProgram('kcat', ['-b', server.kafka, '-C', '-t', 'kcat-offsets', '-p', '0', '-o', '-3', '-e', '-q'])
      expect(linesOf(last.stdout)).toEqual(lines.slice(-3))
      const byTime = await runProgram('kcat', ['-b', server.kafka, '-Q', '-t', 'kcat-offsets:0:1'])
      expect(byTime.stdout.trim()).toBe('kcat-offsets [0] offset 0')
    })
  })

  describe('confluent-kafka', () => {
    needs('confluentKafka')('produces, consumes, and administers', async () => {
      const { stdout } = await runProgram(python, ['-c', confluentScript, server.kafka])
      expect(JSON.parse(stdout)).toEqual({
        partitions: 2,
        values: Object.fromEntries(codecs.map((codec) => [codec, Array.from({ length: 10 }, (_, index) => `${codec} ${index}`)])),
        headers: [['h', 'one']],
        watermarks: [0, 50],
        byTime: 0,
        afterGrowth: 3,
        maxMessageBytes: '2000000',
        configError: 'INVALID_CONFIG',
        deleted: true,
      })
    })
  })

  describe('kafkajs', () => {
    test('produces, idempotently and with gzip, and administers', async () => {
      const kafka = new kafkajs.Kafka({ clientId: 'e2e', brokers: [server.kafka], logLevel: kafkajs.logLevel.NOTHING })
      const admin = kafka.admin()
      await admin.connect()
      expect(await admin.createTopics({ topics: [{ topic: 'kafkajs', numPartitions: 2 }] })).toBe(true)
      expect(await admin.createTopics({ topics: [{ topic: 'kafkajs', numPartitions: 2 }] })).toBe(false)
      const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
      await producer.connect()
      const sent = await producer.send({
        topic: 'kafkajs',
        messages: [
          { key: 'a', value: 'one', partition: 0, headers: { h: '1' } },
          { value: 'two', partition: 0 },
        ],
      })
      expect(sent).toMatchObject([{ partition: 0, errorCode: 0, baseOffset: '0' }])
      const packed = await producer.send({
        topic: 'kafkajs',
        compression: kafkajs.CompressionTypes.GZIP,
        messages: [{ value: 'three', partition: 0 }],
      })
      expect(packed).toMatchObject([{ baseOffset: '2' }])
      expect(await admin.fetchTopicOffsets('kafkajs')).toEqual([
        { partition: 0, offset: '3', high: '3', low: '0' },
        { partition: 1, offset: '0', high: '0', low: '0' },
      ])
      expect(await topicValues(server, 'kafkajs', 0)).toEqual(['one', 'two', 'three'])
      await admin.deleteTopics({ topics: ['kafkajs'] })
      expect(await admin.listTopics()).not.toContain('kafkajs')
      await producer.disconnect()
      await admin.disconnect()
    })
  })

  describe('@platformatic/kafka', () => {
    test('produces, idempotently, and administers', async () => {
      const options = { clientId: 'e2e', bootstrapBrokers: [server.kafka] }
      const admin = new Admin(options)
      await admin.createTopics({ topics: ['platformatic'], partitions: 2 })
      const producer = new Producer({ ...options, serializers: stringSerializers, idempotent: true })
      for (const value of ['one', 'two']) await producer.send({ messages: [{ topic: 'platformatic', key: 'k', value, partition: 1 }] })
      expect(await topicValues(server, 'platformatic', 1)).toEqual(['one', 'two'])
      await producer.close()
      await admin.deleteTopics({ topics: ['platformatic'] })
      await admin.close()
    })
  })

  describe("Kafka's own tools", () => {
    const java = needs('kafkaTools')
    const bootstrap = (): readonly string[] => ['--bootstrap-server', server.kafka]

    java('kafka-topics, kafka-configs, kafka-get-offsets', async () => {
      await kafkaTool('org.apache.kafka.tools.TopicCommand', [
        ...bootstrap(),
        '--create',
        '--topic',
        'java',
        '--partitions',
        '3',
        '--config',
        'max.message.bytes=2000000',
      ])
      await kafkaTool('org.apache.kafka.tools.TopicCommand', [...bootstrap(), '--alter', '--topic', 'java', '--partitions', '4'])
      const described = await kafkaTool('org.apache.kafka.tools.TopicCommand', [...bootstrap(), '--describe', '--topic', 'java'])
      expect(described.stdout).toMatch(/PartitionCount: 4\tReplicationFactor: 1\tConfigs: max.message.bytes=2000000/)
      const configs = await kafkaTool('kafka.admin.ConfigCommand', [...bootstrap(), '--describe', '--all', '--topic', 'java'])
      expect(configs.stdout).toMatch(
        /max.message.bytes=2000000 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:max.message.bytes=2000000, /,
      )
      const offsets = await kafkaTool('org.apache.kafka.tools.GetOffsetShell', [...bootstrap(), '--topic', 'java'])
      expect(linesOf(offsets.stdout)).toEqual(['java:0:0', 'java:1:0', 'java:2:0', 'java:3:0'])
      await kafkaTool('org.apache.kafka.tools.TopicCommand', [...bootstrap(), '--delete', '--topic', 'java'])
      await expect(kafkaTool('org.apache.kafka.tools.TopicCommand', [...bootstrap(), '--describe', '--topic', 'java'])).rejects.toThrow(
        /does not exist/,
      )
    })

    java('the console consumer reads what the console producer wrote', async () => {
      const lines = Array.from({ length: 100 }, (_, line) => `line ${line}`)
      await kafkaTool('org.apache.kafka.tools.ConsoleProducer', [...bootstrap(), '--topic', 'console', '--compression-codec', 'zstd'], {
        input: `${lines.join('\n')}\n`,
      })
      const consumed = await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
        ...bootstrap(),
        ...'--topic console --partition 0 --offset 10 --max-messages 90 --timeout-ms 60000'.split(' '),
      ])
      expect(linesOf(consumed.stdout)).toEqual(lines.slice(10))
    })

    java.each(codecs)('the producer performance tool with %s', async (codec) => {
      const { stdout } = await kafkaTool('org.apache.kafka.tools.ProducerPerformance', [
        '--topic',
        `perf-${codec}`,
        '--num-records',
        '20000',
        '--record-size',
        '500',
        '--throughput',
        '-1',
        '--producer-props',
        `bootstrap.servers=${server.kafka}`,
        'acks=all',
        `compression.type=${codec}`,
      ])
      expect(stdout).toMatch(/^20000 records sent/m)
      const answer = await fetch(`${server.urls.data}/topics/perf-${codec}/messages/0?offset=19999`)
      expect(await answer.json()).toMatchObject({ highWatermark: 20_000, next: 20_000 })
    })
  })
})

const confluentScript = `
import json, sys
from confluent_kafka import Producer, Consumer, TopicPartition, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic, NewPartitions, ConfigResource
config = {'bootstrap.servers': sys.argv[1]}
admin = AdminClient(config)
def wait(futures):
    return [future.result(30) for future in futures.values()][0]
def partitions():
    return len(admin.list_topics(timeout=30).topics['confluent'].partitions)
wait(admin.create_topics([NewTopic('confluent', 2, 1, config={'max.message.bytes': '2000000'})]))
result = {'partitions': partitions(), 'values': {}}
for codec in ['none', 'gzip', 'snappy', 'lz4', 'zstd']:
    producer = Producer({**config, 'compression.type': codec, 'enable.idempotence': True})
    for index in range(10):
        producer.produce('confluent', key=codec, value='%s %d' % (codec, index), partition=1, headers=[('h', 'one')])
    assert producer.flush(30) == 0
consumer = Consumer({**config, 'group.id': 'unused', 'enable.auto.commit': False})
consumer.assign([TopicPartition('confluent', 1, 0)])
received = []
while len(received) < 50:
    for message in consumer.consume(50, 30):
        assert message.error() is None, message.error()
        received.append(message)
for message in received:
    result['values'].setdefault(message.key().decode(), []).append(message.value().decode())
result['headers'] = [[name, value.decode()] for name, value in received[0].headers()]
result['watermarks'] = list(consumer.get_watermark_offsets(TopicPartition('confluent', 1), 30))
result['byTime'] = consumer.offsets_for_times([TopicPartition('confluent', 1, received[0].timestamp()[1])], 30)[0].offset
consumer.close()
wait(admin.create_partitions([NewPartitions('confluent', 3)]))
result['afterGrowth'] = partitions()
result['maxMessageBytes'] = wait(admin.describe_configs([ConfigResource('topic', 'confluent')]))['max.message.bytes'].value
try:
    wait(admin.create_topics([NewTopic('refused', 1, 1, config={'remote.storage.enable': 'true'})]))
except KafkaException as error:
    result['configError'] = error.args[0].name()
wait(admin.delete_topics(['confluent']))
result['deleted'] = 'confluent' not in admin.list_topics(timeout=30).topics
print(json.dumps(result))
`
