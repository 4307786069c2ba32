// Configurations for the constructors of Node's Kafka clients, with values for tests: short retries, because the server in the same process answers at once.

/** By the library's name. Each is a plain object that the caller may change or spread. */
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

/** For kafkajs. */
export interface KafkaJsConfig {
  clientId: string
  brokers: string[]
  retry: { initialRetryTime: number; maxRetryTime: number; retries: number }
  /** Only errors: 1 is kafkajs's `logLevel.ERROR`. */
  logLevel: 1
}

/** For @confluentinc/kafka-javascript: its `kafkaJS` block, and librdkafka's own properties. */
export interface ConfluentConfig {
  kafkaJS: {
    clientId: string
    brokers: string[]
    retry: { initialRetryTime: number; maxRetryTime: number; retries: number }
    /** Only errors: 1 is the library's `logLevel.ERROR`. */
    logLevel: 1
  }
  'reconnect.backoff.ms': number
  'reconnect.backoff.max.ms': number
}

/** For @platformatic/kafka: the options of each of its clients. */
export interface PlatformaticConfig {
  clientId: string
  bootstrapBrokers: string[]
  retries: number
  retryDelay: number
  autocreateTopics: boolean
}

/** For node-rdkafka: librdkafka's properties. */
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
/** About 4 s with the waits between the retries: a test notices within its time-out that a server does not come back. */
const retries = 10

export function clientConfig<K extends keyof ClientConfigs>(library: K, brokers: readonly string[]): ClientConfigs[K] {
  // The cast: TypeScript does not see that the maker selected by K returns the type for K.
  if (Object.hasOwn(makers, library)) return makers[library](brokers) as ClientConfigs[K]
  throw new TypeError(`clientConfig('${String(library)}'): use one of ${Object.keys(makers).join(', ')}`)
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
    // Same as the other clients: the server creates a missing topic if its setting allows it.
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
