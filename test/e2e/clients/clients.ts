// Other people's clients that the tests drive as programs of their own: how each is started, and what it can do. Pure data; the page of clients is made from it.
import type { CodecName } from '@local-kafka-service/protocol'

export const adminSteps = {
  create: {},
  list: { found: true },
  grow: { partitions: 4 },
  configs: { value: '123456' },
  'change configs': { value: '234567' },
  cluster: { nodes: 1 },
  groups: { found: true },
  group: { state: 'EMPTY' },
  committed: {
    offsets: [
      [0, 3],
      [1, 3],
    ],
  },
  end: { offset: 3 },
  'delete records': { start: 1 },
  altered: { offset: 1 },
  'delete group': { found: false },
  delete: { found: false },
} as const satisfies Readonly<Record<string, object>>
export type AdminStep = keyof typeof adminSteps

const everyCodec: readonly CodecName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

export interface ClientProgram {
  readonly name: string
  readonly language: 'python' | 'go' | 'java' | 'node'
  /** The program's file, or the binary or class that is built of it. */
  readonly program: string
  /** Options of each run. */
  readonly options?: readonly string[]
  /** The package as the pins of its language name it. */
  readonly package: string
  readonly codecs: readonly CodecName[]
  /** Has an idempotent producer. */
  readonly idempotent: boolean
  /** Its producer waits for a server that is away; others fail what they have. */
  readonly survives: boolean
  /** The steps of an admin run that its library has no call for. */
  readonly lacks: readonly AdminStep[]
}

const whole = { codecs: everyCodec, idempotent: true, survives: true, lacks: [] } as const

export const clientPrograms = [
  { name: 'confluent-kafka (Python)', language: 'python', program: 'confluent.py', package: 'confluent-kafka', ...whole },
  { name: 'kafka-python', language: 'python', program: 'kafka_python.py', package: 'kafka-python', ...whole },
  { name: 'aiokafka', language: 'python', program: 'aio.py', package: 'aiokafka', ...whole, lacks: ['end', 'altered', 'delete group'] },
  { name: 'sarama', language: 'go', program: 'sarama', package: 'github.com/IBM/sarama', ...whole },
  {
    name: 'sarama as V1_0',
    language: 'go',
    program: 'sarama',
    options: ['--speaks', '1.0.0'],
    package: 'github.com/IBM/sarama',
    codecs: ['none', 'gzip', 'snappy', 'lz4'],
    idempotent: true,
    survives: true,
    // Its ListTopics and DescribeConfig send DescribeConfigs 0, which Kafka 4 has no more.
    lacks: ['configs', 'change configs', 'delete group'],
  },
  {
    name: 'sarama as V0_11',
    language: 'go',
    program: 'sarama',
    options: ['--speaks', '0.11.0.0'],
    package: 'github.com/IBM/sarama',
    codecs: ['none', 'gzip', 'snappy', 'lz4'],
    idempotent: true,
    survives: true,
    lacks: ['grow', 'configs', 'change configs', 'delete group'],
  },
  { name: 'sarama of 2023', language: 'go', program: 'old-sarama', package: 'github.com/IBM/sarama', ...whole, survives: false },
  {
    name: 'kafka-go',
    language: 'go',
    program: 'kafka-go',
    package: 'github.com/segmentio/kafka-go',
    ...whole,
    idempotent: false,
    lacks: ['delete records'],
  },
  { name: 'franz-go', language: 'go', program: 'franz-go', package: 'github.com/twmb/franz-go', ...whole },
  { name: 'Java client', language: 'java', program: 'JavaClient', package: 'kafka-clients', ...whole },
  { name: 'kafkajs', language: 'node', program: 'kafkajs.ts', package: 'kafkajs', ...whole, codecs: ['none', 'gzip'] },
  { name: '@platformatic/kafka', language: 'node', program: 'platformatic.ts', package: '@platformatic/kafka', ...whole },
] as const satisfies readonly ClientProgram[]

export type ProgramName = (typeof clientPrograms)[number]['name']
