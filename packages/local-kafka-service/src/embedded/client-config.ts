// What the constructors of Node's Kafka clients take, with values for tests: short retries, since the server is in the same process and answers at once.

/** By the library's name. Plain objects of the caller's own, each to be changed or spread. */
export interface ClientConfigs {
  /** `new Kafka(config)` of kafkajs. */
  readonly kafkajs: KafkaJsConfig
  /** `new KafkaJS.Kafka(config)` of @confluentinc/kafka-javascript. */
  readonly confluent: ConfluentConfig
  /** `new Producer({ ...config })`, `new Consumer({ ...config, groupId })`, `new Admin(config)` of @platformatic/kafka. */
  readonly platformatic: PlatformaticConfig
  /** `new Producer(config)`, `new KafkaConsumer({ ...config, 'group.id': '…' }, {})` of node-rdkafka. */
  readonly 'node-rdkafka': RdkafkaConfig
}

/** As kafkajs takes it. */
export interface KafkaJsConfig {
  clientId: string
  brokers: string[]
  retry: { initialRetryTime: number; maxRetryTime: number; retries: number }
  /** Errors only: 1 is kafkajs's `logLevel.ERROR`. */
  logLevel: 1
}

/** As @confluentinc/kafka-javascript takes it: its `kafkaJS` block, and librdkafka's own properties. */
export interface ConfluentConfig {
  kafkaJS: {
    clientId: string
    brokers: string[]
    retry: { initialRetryTime: number; maxRetryTime: number; retries: number }
    /** Errors only: 1 is the library's `logLevel.ERROR`. */
    logLevel: 1
  }
  'reconnect.backoff.ms': number
  'reconnect.backoff.max.ms': number
}

/** As @platformatic/kafka takes it, for each of its clients. */
export interface PlatformaticConfig {
  clientId: string
  bootstrapBrokers: string[]
  retries: number
  retryDelay: number
  autocreateTopics: boolean
}

/** As node-rdkafka takes it: librdkafka's properties. */
export interface RdkafkaConfig {
  'client.id': string
  'metadata.broker.list': string
  'retry.backoff.ms': number
  'reconnect.backoff.ms': number
  'reconnect.backoff.max.ms': number
}

const clientId = 'test'
const firstRetryMs = 50
const lastRetryMs = 500
/** With the waits between them some 4 s in all: a server that does not come back is noticed within a test's time. */
const retries = 10

export function clientConfig<K extends keyof ClientConfigs>(library: K, brokers: readonly string[]): ClientConfigs[K] {
  // The cast: TypeScript does not see that what is chosen by K is of K.
  if (Object.hasOwn(makers, library)) return makers[library](brokers) as ClientConfigs[K]
  throw new TypeError(`clientConfig('${String(library)}'): it knows ${Object.keys(makers).join(', ')}`)
}

const makers: { readonly [K in keyof ClientConfigs]: (brokers: readonly string[]) => ClientConfigs[K] } = {
  kafkajs: (brokers) => ({
    clientId,
    brokers: [...brokers],
    retry: { initialRetryTime: firstRetryMs, maxRetryTime: lastRetryMs, retries },
    logLevel: 1,
  }),
  confluent: (brokers) => ({
    kafkaJS: {
      clientId,
      brokers: [...brokers],
      retry: { initialRetryTime: firstRetryMs, maxRetryTime: lastRetryMs, retries },
      logLevel: 1,
    },
    'reconnect.backoff.ms': firstRetryMs,
    'reconnect.backoff.max.ms': lastRetryMs,
  }),
  platformatic: (brokers) => ({
    clientId,
    bootstrapBrokers: [...brokers],
    retries,
    retryDelay: firstRetryMs,
    // As the others do: the server makes a topic that is named, if its setting allows it.
    autocreateTopics: true,
  }),
  'node-rdkafka': (brokers) => ({
    'client.id': clientId,
    'metadata.broker.list': brokers.join(','),
    'retry.backoff.ms': firstRetryMs,
    'reconnect.backoff.ms': firstRetryMs,
    'reconnect.backoff.max.ms': lastRetryMs,
  }),
}
