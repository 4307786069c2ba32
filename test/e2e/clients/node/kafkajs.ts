// kafkajs as the tests drive it. It brings no codec but gzip.
import kafkajs, { type Consumer, type EachMessagePayload, type Producer } from 'kafkajs'
import { type CommandOptions, emit, inputEnded, runCommand, samples, versionOf } from './command.ts'

function connection({ bootstrap }: CommandOptions): InstanceType<typeof kafkajs.Kafka> {
  const retry = { initialRetryTime: 50, maxRetryTime: 200, retries: 500 }
  return new kafkajs.Kafka({ clientId: 'clients', brokers: bootstrap.split(','), logLevel: kafkajs.logLevel.NOTHING, retry })
}

async function aProducer(options: CommandOptions, idempotent: boolean): Promise<Producer> {
  const producer = connection(options).producer({
    idempotent,
    ...(idempotent ? { maxInFlightRequests: 1 } : {}),
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  return producer
}

/** Sends the records of one batch, and reports each with its offset. */
async function send(
  producer: Producer,
  { topic, codec }: CommandOptions,
  messages: readonly { readonly partition: number; readonly value: string }[],
): Promise<void> {
  const compression = codec === 'gzip' ? kafkajs.CompressionTypes.GZIP : kafkajs.CompressionTypes.None
  const answers = await producer.send({ topic, compression, messages: [...messages] })
  for (const { partition, baseOffset } of answers) {
    const sent = messages.filter((message) => message.partition === partition)
    for (const [index, { value }] of sent.entries()) emit({ partition, offset: Number(baseOffset) + index, value })
  }
}

async function take(consumer: Consumer, options: CommandOptions, taken: (payload: EachMessagePayload) => void): Promise<void> {
  await consumer.connect()
  await consumer.subscribe({ topic: options.topic, fromBeginning: true })
  await consumer.run({
    autoCommitThreshold: 1,
    async eachMessage(payload) {
      const { partition, message } = payload
      const { key, value, headers } = message
      emit({ partition, offset: Number(message.offset), key: String(key), value: String(value), header: String(headers?.h) })
      taken(payload)
    },
  })
}

await runCommand({
  async version() {
    emit({ version: versionOf('kafkajs') })
  },

  async produce(options) {
    const producer = await aProducer(options, options.idempotent)
    await send(producer, options, samples(options.count))
    await producer.disconnect()
  },

  async consume(options) {
    const consumer = connection(options).consumer({ groupId: `${options.topic}-all`, maxWaitTimeInMs: 200 })
    let left = options.count
    await new Promise<void>((resolve, reject) => {
      take(consumer, options, () => {
        left -= 1
        if (left === 0) resolve()
      }).catch(reject)
    })
    await consumer.disconnect()
  },

  async group(options) {
    // It notices a rebalance between two fetches only.
    const consumer = connection(options).consumer({
      groupId: options.group,
      rackId: options.rack,
      heartbeatInterval: 200,
      maxWaitTimeInMs: 200,
    })
    await take(consumer, options, () => {})
    await inputEnded()
    await consumer.disconnect()
  },

  async loop(options) {
    const producer = await aProducer(options, true)
    let ended = false
    void inputEnded().then(() => (ended = true))
    for (let number = 0; !ended; number += 30) {
      const messages = Array.from({ length: 30 }, (_, at) => ({ partition: (number + at) % 3, value: `record ${number + at}` }))
      await send(producer, options, messages)
    }
    await producer.disconnect()
  },

  async admin({ topic, group, read, ...options }) {
    const admin = connection({ topic, group, read, ...options }).admin()
    await admin.connect()
    const hasGroup = async (): Promise<boolean> => (await admin.listGroups()).groups.some(({ groupId }) => groupId === group)
    const committed = async (): Promise<[number, number][]> =>
      ((await admin.fetchOffsets({ groupId: group, topics: [read] }))[0]?.partitions ?? [])
        .map(({ partition, offset }): [number, number] => [partition, Number(offset)])
        .toSorted(([one], [other]) => one - other)
    await admin.createTopics({ topics: [{ topic, numPartitions: 3, configEntries: [{ name: 'max.message.bytes', value: '123456' }] }] })
    emit({ step: 'create' })
    emit({ step: 'list', found: (await admin.listTopics()).includes(topic) })
    await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
    emit({ step: 'grow', partitions: (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length })
    const type = kafkajs.ConfigResourceTypes.TOPIC
    const limit = async (): Promise<string | undefined> => {
      const configs = await admin.describeConfigs({ resources: [{ type, name: topic }], includeSynonyms: false })
      return configs.resources[0]?.configEntries.find(({ configName }) => configName === 'max.message.bytes')?.configValue
    }
    emit({ step: 'configs', value: await limit() })
    const configEntries = [{ name: 'max.message.bytes', value: '234567' }]
    await admin.alterConfigs({ validateOnly: false, resources: [{ type, name: topic, configEntries }] })
    emit({ step: 'change configs', value: await limit() })
    emit({ step: 'cluster', nodes: (await admin.describeCluster()).brokers.length })
    emit({ step: 'groups', found: await hasGroup() })
    emit({ step: 'group', state: (await admin.describeGroups([group])).groups[0]?.state.toUpperCase() })
    emit({ step: 'committed', offsets: await committed() })
    const bounds = async (): Promise<{ readonly low: string; readonly high: string } | undefined> =>
      (await admin.fetchTopicOffsets(read)).find(({ partition }) => partition === 0)
    emit({ step: 'end', offset: Number((await bounds())?.high) })
    await admin.deleteTopicRecords({ topic: read, partitions: [{ partition: 0, offset: '1' }] })
    emit({ step: 'delete records', start: Number((await bounds())?.low) })
    await admin.setOffsets({ groupId: group, topic: read, partitions: [{ partition: 0, offset: '1' }] })
    emit({ step: 'altered', offset: (await committed())[0]?.[1] })
    await admin.deleteGroups([group])
    emit({ step: 'delete group', found: await hasGroup() })
    await admin.deleteTopics({ topics: [topic] })
    emit({ step: 'delete', found: (await admin.listTopics()).includes(topic) })
    await admin.disconnect()
  },
})
