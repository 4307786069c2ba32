// @platformatic/kafka as the tests drive it.
import type { CodecName } from '@local-kafka-service/protocol'
import {
  Admin,
  Consumer,
  IncrementalAlterConfigOperationTypes,
  ListOffsetTimestamps,
  type MessagesStream,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { type CommandOptions, emit, inputEnded, runCommand, samples, versionOf } from './command.ts'

function common({ bootstrap }: CommandOptions): {
  readonly clientId: string
  readonly bootstrapBrokers: string[]
  readonly retries: number
  readonly retryDelay: number
} {
  return { clientId: 'clients', bootstrapBrokers: [bootstrap], retries: 500, retryDelay: 100 }
}

function aProducer(options: CommandOptions, idempotent: boolean): Producer<string, string, string, string> {
  return new Producer({ ...common(options), serializers: stringSerializers, idempotent })
}

interface ToSend {
  readonly partition: number
  readonly value: string
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends the records of one batch per partition, and reports each with its offset. */
async function send(
  producer: Producer<string, string, string, string>,
  { topic, codec }: CommandOptions,
  messages: readonly ToSend[],
): Promise<void> {
  // The cast: the test names no other codec.
  const compression = (codec === '' ? 'none' : codec) as CodecName
  const { offsets = [] } = await producer.send({ compression, messages: messages.map((message) => ({ topic, ...message })) })
  for (const { partition, offset } of offsets) {
    const sent = messages.filter((message) => message.partition === partition)
    for (const [index, { value }] of sent.entries()) emit({ partition, offset: Number(offset) + index, value })
  }
}

async function consuming(
  options: CommandOptions,
  group: string,
): Promise<{
  readonly consumer: Consumer<string, string, string, string>
  readonly stream: MessagesStream<string, string, string, string>
}> {
  const consumer = new Consumer({
    ...common(options),
    groupId: group,
    deserializers: stringDeserializers,
    autocommit: 100,
    heartbeatInterval: 200,
    maxWaitTime: 200,
  })
  return { consumer, stream: await consumer.consume({ topics: [options.topic], mode: 'committed', fallbackMode: 'earliest' }) }
}

await runCommand({
  async version() {
    emit({ version: versionOf('@platformatic/kafka') })
  },

  async produce(options) {
    const producer = aProducer(options, options.idempotent)
    await send(producer, options, samples(options.count))
    await producer.close()
  },

  async consume(options) {
    const { consumer, stream } = await consuming(options, `${options.topic}-all`)
    let left = options.count
    for await (const { partition, offset, key, value, headers } of stream) {
      emit({ partition, offset: Number(offset), key, value, header: headers.get('h') })
      left -= 1
      if (left === 0) break
    }
    await consumer.close(true)
  },

  async group(options) {
    const { consumer, stream } = await consuming(options, options.group)
    stream.on('data', ({ partition, offset, value }) => emit({ partition, offset: Number(offset), value }))
    await inputEnded()
    await consumer.close(true)
  },

  async loop(options) {
    const producer = aProducer(options, true)
    let ended = false
    void inputEnded().then(() => (ended = true))
    for (let number = 0; !ended; number += 30) {
      const messages = Array.from({ length: 30 }, (_, at) => ({ partition: (number + at) % 3, value: `record ${number + at}` }))
      await send(producer, options, messages)
    }
    await producer.close()
  },

  async admin({ topic, group, read, ...options }) {
    const admin = new Admin(common({ topic, group, read, ...options }))
    const committed = async (): Promise<[number, number][]> =>
      (await admin.listConsumerGroupOffsets({ groups: [group] }))
        .flatMap(({ topics }) => topics.flatMap(({ partitions }) => partitions))
        .map(({ partitionIndex, committedOffset }): [number, number] => [partitionIndex, Number(committedOffset)])
        .toSorted(([one], [other]) => one - other)
    await admin.createTopics({ topics: [topic], partitions: 3, configs: [{ name: 'max.message.bytes', value: '123456' }] })
    emit({ step: 'create' })
    emit({ step: 'list', found: (await admin.listTopics()).includes(topic) })
    await admin.createPartitions({ topics: [{ name: topic, count: 4, assignments: null }] })
    emit({ step: 'grow', partitions: (await admin.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic)?.partitionsCount })
    const limit = async (): Promise<string | null | undefined> => {
      const [described] = await admin.describeConfigs({ resources: [{ resourceType: 2, resourceName: topic }] })
      return described?.configs.find(({ name }) => name === 'max.message.bytes')?.value
    }
    emit({ step: 'configs', value: await limit() })
    const change = { name: 'max.message.bytes', configOperation: IncrementalAlterConfigOperationTypes.SET, value: '234567' }
    await admin.incrementalAlterConfigs({ resources: [{ resourceType: 2, resourceName: topic, configs: [change] }] })
    emit({ step: 'change configs', value: await limit() })
    emit({ step: 'cluster', nodes: (await admin.metadata({ topics: [topic] })).brokers.size })
    emit({ step: 'groups', found: (await admin.listGroups()).has(group) })
    emit({ step: 'group', state: (await admin.describeGroups({ groups: [group] })).get(group)?.state.toUpperCase() })
    emit({ step: 'committed', offsets: await committed() })
    const offsetAt = async (timestamp: bigint): Promise<number> => {
      const [listed] = await admin.listOffsets({ topics: [{ name: read, partitions: [{ partitionIndex: 0, timestamp }] }] })
      return Number(listed?.partitions[0]?.offset)
    }
    emit({ step: 'end', offset: await offsetAt(ListOffsetTimestamps.LATEST) })
    await admin.deleteRecords({ topics: [{ name: read, partitions: [{ partition: 0, offset: 1n }] }] })
    emit({ step: 'delete records', start: await offsetAt(ListOffsetTimestamps.EARLIEST) })
    await admin.alterConsumerGroupOffsets({ groupId: group, topics: [{ name: read, partitionOffsets: [{ partition: 0, offset: 1n }] }] })
    emit({ step: 'altered', offset: (await committed())[0]?.[1] })
    await admin.deleteGroups({ groups: [group] })
    emit({ step: 'delete group', found: (await admin.listGroups()).has(group) })
    await admin.deleteTopics({ topics: [topic] })
    emit({ step: 'delete', found: (await admin.listTopics()).includes(topic) })
    await admin.close()
  },
})
