// The two Node clients for tests of faults: short pauses between retries, and no console output.
import { Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import type { Kafka } from '../../../index.ts'

export interface TestProducer extends AsyncDisposable {
  /** Settles when the client reports all as acknowledged. */
  send(topic: string, ...values: readonly string[]): Promise<void>
}

export interface TestConsumer extends AsyncDisposable {
  /** Values in the order of arrival. */
  readonly values: readonly string[]
  /** Settles when this number of values has arrived. */
  received(count: number): Promise<void>
}

export interface TestClient {
  readonly name: string
  readonly producer: (kafka: Kafka, options?: ProducerOptions) => Promise<TestProducer>
  readonly consumer: (kafka: Kafka, options: TestConsumerOptions) => Promise<TestConsumer>
}

export interface ProducerOptions {
  readonly idempotent?: boolean
  readonly clientId?: string
  readonly requestTimeoutMs?: number
  readonly retries?: number
  readonly acks?: -1 | 0 | 1
}

export interface TestConsumerOptions {
  readonly group: string
  readonly topic: string
  readonly clientId?: string
  readonly requestTimeoutMs?: number
  readonly sessionTimeoutMs?: number
  readonly heartbeatMs?: number
}

const { Kafka: KafkaJs, logLevel } = kafkajs

const viaKafkajs: TestClient = {
  name: 'kafkajs',
  async producer(kafka, { idempotent = false, clientId = 'kafkajs', requestTimeoutMs = 5_000, retries = 10, acks = -1 } = {}) {
    const retry = { retries, initialRetryTime: 20, maxRetryTime: 100 }
    const client = new KafkaJs({
      clientId,
      brokers: [kafka.bootstrapServers],
      logLevel: logLevel.NOTHING,
      requestTimeout: requestTimeoutMs,
      retry,
    })
    const producer = client.producer({ idempotent, retry })
    await producer.connect()
    return {
      async send(topic, ...values) {
        await producer.send({ topic, acks, messages: values.map((value) => ({ value, partition: 0 })) })
      },
      [Symbol.asyncDispose]: () => producer.disconnect(),
    }
  },
  async consumer(kafka, { group, topic, clientId = 'kafkajs', requestTimeoutMs = 5_000, sessionTimeoutMs = 10_000, heartbeatMs = 200 }) {
    const retry = { retries: 10, initialRetryTime: 20, maxRetryTime: 100 }
    const client = new KafkaJs({
      clientId,
      brokers: [kafka.bootstrapServers],
      logLevel: logLevel.NOTHING,
      requestTimeout: requestTimeoutMs,
      retry,
    })
    const consumer = client.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatMs,
      maxWaitTimeInMs: 100,
      retry,
    })
    const inbox = new Inbox()
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => inbox.add(message.value?.toString() ?? '') })
    return {
      values: inbox.values,
      received: (count) => inbox.received(count),
      [Symbol.asyncDispose]: () => consumer.disconnect(),
    }
  },
}

const viaPlatformatic: TestClient = {
  name: '@platformatic/kafka',
  async producer(kafka, { idempotent = false, clientId = 'platformatic', requestTimeoutMs = 5_000, retries = 10, acks = -1 } = {}) {
    const producer = new Producer({
      clientId,
      bootstrapBrokers: [kafka.bootstrapServers],
      serializers: stringSerializers,
      idempotent,
      autocreateTopics: true,
      retries,
      retryDelay: 50,
      requestTimeout: requestTimeoutMs,
    })
    return {
      async send(topic, ...values) {
        await producer.send({ acks, messages: values.map((value) => ({ topic, value, partition: 0 })) })
      },
      [Symbol.asyncDispose]: () => producer.close(),
    }
  },
  async consumer(
    kafka,
    { group, topic, clientId = 'platformatic', requestTimeoutMs = 5_000, sessionTimeoutMs = 10_000, heartbeatMs = 200 },
  ) {
    const consumer = new Consumer({
      clientId,
      groupId: group,
      bootstrapBrokers: [kafka.bootstrapServers],
      deserializers: stringDeserializers,
      autocreateTopics: true,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatMs,
      maxWaitTime: 100,
      retries: 10,
      retryDelay: 50,
      requestTimeout: requestTimeoutMs,
    })
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest' })
    const inbox = new Inbox()
    stream.on('data', ({ value }) => inbox.add(value))
    stream.on('error', (error: Error) => inbox.fail(error))
    return {
      values: inbox.values,
      received: (count) => inbox.received(count),
      [Symbol.asyncDispose]: () => consumer.close(true),
    }
  },
}

export const clients: readonly TestClient[] = [viaKafkajs, viaPlatformatic]

class Inbox {
  readonly values: string[] = []
  readonly #waiting: { readonly count: number; readonly resolve: () => void; readonly reject: (error: Error) => void }[] = []
  #failure: Error | undefined

  add(value: string): void {
    this.values.push(value)
    for (const { count, resolve } of this.#waiting) if (this.values.length >= count) resolve()
  }

  fail(error: Error): void {
    this.#failure = error
    for (const { reject } of this.#waiting) reject(error)
  }

  received(count: number): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.values.length >= count) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ count, resolve, reject }))
  }
}
